import type { ValidChat } from './chat.ts';
import { type AnswerFacts, envelope } from './completion-body.ts';
import type { FinishedAnswer } from './finished-answer.ts';
import { tokenLogprobs } from './logprobs.ts';
import type { Piece } from './piece.ts';
import { usageBody } from './usage-body.ts';

/** Writes the server-sent events of one streamed answer. */
export class ChunkWriter {
  readonly #chat: ValidChat;
  readonly #answer: FinishedAnswer;
  readonly #facts: AnswerFacts;
  /** Text tokens written so far: where the next one stands. */
  #position = 0;

  constructor(chat: ValidChat, answer: FinishedAnswer, facts: AnswerFacts) {
    this.#chat = chat;
    this.#answer = answer;
    this.#facts = facts;
  }

  /** The first chunk: the role, and no content yet. */
  opening(): string {
    const openai = this.#chat.provider === 'openai';
    const delta = { role: 'assistant', content: '', ...(openai && { refusal: null }) };
    return this.#event(choice(delta), openai ? {} : { x_groq: { id: this.#facts.requestId } });
  }

  /** A chunk without content. */
  empty(): string {
    return this.#event(choice({ content: '' }));
  }

  piece(piece: Piece): string {
    if (piece.kind === 'tool') return this.#event(choice({ tool_calls: [toolDelta(piece)] }));
    if (piece.kind === 'reasoning') return this.#event(choice({ reasoning: piece.text }));
    if (piece.kind === 'refusal') return this.#event(choice({ refusal: piece.text }));
    const logprobs =
      this.#chat.topLogprobs === undefined
        ? null
        : { content: [tokenLogprobs(piece.text, this.#position++, this.#chat, this.#answer)], refusal: null };
    return this.#event(choice({ content: piece.text }, null, logprobs));
  }

  /** The last chunk with a choice: why it ends, and at Groq the usage. */
  closing(withReason: boolean, withUsage: boolean): string {
    const { provider, body } = this.#chat;
    const groq = provider === 'groq' && {
      x_groq: {
        id: this.#facts.requestId,
        seed: body.seed ?? null,
        ...(withUsage && { usage: this.#usage() }),
      },
    };
    return this.#event(choice({}, withReason ? this.#answer.finishReason : null), { ...groq });
  }

  /** The chunk without choices that carries the usage, for those who ask for it by `include_usage`. */
  usage(): string {
    return this.#event([], { usage: this.#usage() });
  }

  #usage(): object {
    return usageBody(this.#chat.provider, this.#answer.usage, this.#chat.served.reasoning);
  }

  #event(choices: readonly object[], more: object = {}): string {
    const usage = this.#chat.includeUsage && this.#chat.provider === 'openai' ? { usage: null } : {};
    const chunk = {
      ...envelope('chat.completion.chunk', this.#chat, this.#facts),
      choices,
      ...usage,
      ...more,
    };
    return `data: ${JSON.stringify(chunk)}\n\n`;
  }
}

function choice(delta: object, finishReason: string | null = null, logprobs: object | null = null): object[] {
  return [{ index: 0, delta, logprobs, finish_reason: finishReason }];
}

function toolDelta({ index, text, opens }: Extract<Piece, { kind: 'tool' }>): object {
  return opens === undefined
    ? { index, function: { arguments: text } }
    : { index, id: opens.id, type: 'function', function: { name: opens.name, arguments: text } };
}
