import { ProviderError } from './errors.ts';
import type { FinishReason } from './generation.ts';
import type { LLM } from './llm.ts';
import { isContent, type StreamEvent } from './stream.ts';
import type { ToolCall } from './tool.ts';
import type { TokenCounts } from './usage.ts';

/** An answer of a model of your own: its text, or text with what you know about it. */
export type DefinedAnswer =
  | string
  | {
      readonly text?: string | undefined;
      /** Visible thoughts. */
      readonly reasoningText?: string | undefined;
      readonly toolCalls?: readonly ToolCall[] | undefined;
      /** @default "tool-calls" if there are any, else "stop" */
      readonly finishReason?: FinishReason | undefined;
      /** Absent: estimated from the texts, and marked as such. */
      readonly usage?: TokenCounts | undefined;
      readonly servedModel?: string | undefined;
      readonly serviceTier?: string | undefined;
    };

/** A `DefinedAnswer` in its long form. */
export type Answer = Exclude<DefinedAnswer, string>;

/** Who answers. */
export type Identity = Pick<LLM, 'provider' | 'model' | 'id'>;

/**
 * What a definition returned, as an answer.
 *
 * @throws ProviderError of kind `"malformed"` for anything else: another model may do better.
 */
export function readAnswer(value: unknown, llm: Identity): Answer {
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { text, toolCalls } = value as { text?: unknown; toolCalls?: unknown };
    const readable =
      (text === undefined || typeof text === 'string') &&
      (toolCalls === undefined || Array.isArray(toolCalls));
    if (readable) return value;
  }
  throw malformed(llm, 'no answer', 'Return a string, or an object with text, toolCalls and usage.');
}

/** A stream's answer as it comes. */
export class AnswerInPieces {
  readonly #llm: Identity;
  readonly #toolCalls: ToolCall[] = [];
  #text = '';
  #reasoning = '';
  #deltas = '';
  #told: Answer = {};
  #begun = false;
  #finished = false;

  constructor(llm: Identity) {
    this.#llm = llm;
  }

  /** Whether content came. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether it was said why the model stopped. */
  get finished(): boolean {
    return this.#finished;
  }

  /** What came so far. */
  get answer(): Answer {
    const reasoningText = this.#reasoning === '' ? this.#told.reasoningText : this.#reasoning;
    return { ...this.#told, text: this.#text, reasoningText, toolCalls: this.#toolCalls };
  }

  /** All output that came so far, for an estimate. */
  get output(): string {
    const { answer } = this;
    const calls = outputText({ toolCalls: this.#toolCalls });
    // Deltas without their whole call, of a stream that was cut.
    return outputText(answer) + this.#deltas.slice(calls.length);
  }

  /**
   * Takes a piece and returns it as an event.
   *
   * @throws ProviderError of kind `"malformed"` for what is no piece.
   */
  add(piece: unknown): StreamEvent {
    const event = typeof piece === 'string' ? { type: 'text' as const, text: piece } : (piece as StreamEvent);
    switch (event?.type) {
      case 'text':
        this.#text += event.text;
        break;
      case 'reasoning':
        this.#reasoning += event.text;
        break;
      case 'tool-call-delta':
        this.#deltas += (event.name ?? '') + event.argumentsDelta;
        break;
      case 'tool-call':
        this.#toolCalls.push(event.toolCall);
        break;
      case 'usage':
        this.#told = { ...this.#told, usage: event.usage };
        break;
      case 'finish':
        this.#told = { ...this.#told, finishReason: event.finishReason };
        this.#finished = true;
        break;
      default:
        throw malformed(this.#llm, 'a piece that is none', 'Yield strings, or stream events with a type.');
    }
    this.#begun ||= isContent(event);
    return event;
  }

  /** Takes what the source returned at its end, and returns the content that is still to be handed out. */
  end(returned: Answer): readonly StreamEvent[] {
    this.#told = { ...this.#told, ...returned };
    const rest: StreamEvent[] = [];
    if (this.#text === '' && returned.text) rest.push({ type: 'text', text: returned.text });
    if (this.#toolCalls.length === 0) {
      for (const toolCall of returned.toolCalls ?? []) rest.push({ type: 'tool-call', toolCall });
    }
    for (const event of rest) this.add(event);
    return rest;
  }
}

/** Why the model stopped, where the answer does not say. */
export function finishReasonOf({ finishReason, toolCalls = [] }: Answer): FinishReason {
  return finishReason ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop');
}

/** Everything that counts as output, for an estimate. */
export function outputText({ text = '', reasoningText = '', toolCalls = [] }: Answer): string {
  return text + reasoningText + toolCalls.map(({ name, argumentsText }) => name + argumentsText).join('');
}

function malformed({ provider, model, id }: Identity, what: string, advice: string): ProviderError {
  return new ProviderError(`${id} gave ${what}. ${advice}`, { kind: 'malformed', provider, model });
}
