import type { TokenLogprob } from '../generation.ts';
import type { StreamEvent } from '../stream.ts';
import { type ToolCall, toToolCall } from '../tool.ts';
import type { TokenCounts } from '../usage.ts';
import {
  contentText,
  readFinish,
  readIdentity,
  readLogprobs,
  reasoningText,
  type WireAnswer,
  type WireIdentity,
} from './answer.ts';
import { asCount, asList, asObject, asText, type JsonObject } from './json.ts';
import type { Received } from './received.ts';
import { readUsage } from './usage.ts';
import { WireFailure } from './wire-failure.ts';

interface PartialToolCall {
  id: string;
  name: string;
  argumentsText: string;
}

/** Puts a stream's chunks together, telling what each adds. Pure: it knows no time and no connection. */
export class StreamAssembler implements Received {
  readonly #tools: Map<number, PartialToolCall> = new Map();
  readonly #logprobs: TokenLogprob[] = [];
  #chunks = 0;
  #text = '';
  #reasoning = '';
  #refused = false;
  #rawFinishReason: string | undefined;
  #usage: TokenCounts | undefined;
  #identity: WireIdentity | undefined;

  /** Whether anything came at all. */
  get begun(): boolean {
    return this.#chunks > 0;
  }

  /** Whether the provider said that the answer is complete. */
  get finished(): boolean {
    return this.#rawFinishReason !== undefined;
  }

  /**
   * Takes a chunk and returns the events it brings.
   *
   * @throws WireFailure for a chunk that is none, or that reports an error.
   */
  push(chunk: unknown): StreamEvent[] {
    const body = asObject(chunk);
    if (body === undefined) throw new WireFailure('malformed', 'a chunk that is no object', this.#known());
    this.#chunks++;
    this.#usage = readUsage(body) ?? this.#usage;
    this.#identify(body);
    this.#refuseErrors(body);
    const choice = firstChoice(body.choices);
    if (choice === undefined) return [];
    if (choice.error)
      throw new WireFailure('in-band', 'an error in the stream', { body: choice, ...this.#known() });
    const logprobs = readLogprobs(choice);
    if (logprobs !== undefined) this.#logprobs.push(...logprobs);
    const events = this.#readDelta(asObject(choice.delta) ?? {});
    const finish = asText(choice.finish_reason);
    if (finish !== undefined && !this.finished) {
      this.#rawFinishReason = finish;
      for (const toolCall of this.#toolCalls()) events.push({ type: 'tool-call', toolCall });
    }
    return events;
  }

  /** The answer as far as it came. */
  answer(): WireAnswer {
    const toolCalls = this.#toolCalls();
    return {
      text: this.#text,
      reasoningText: this.#reasoning || undefined,
      toolCalls,
      ...readFinish(this.#rawFinishReason, { refused: this.#refused, toolCalls: toolCalls.length }),
      logprobs: this.#logprobs.length > 0 ? this.#logprobs : undefined,
      usage: this.#usage,
      ...this.#identity,
    };
  }

  /** What a later chunk says counts; what it does not say stays. Nearly every chunk repeats the one before. */
  #identify(body: JsonObject): void {
    const now = readIdentity(body);
    const before = this.#identity;
    this.#identity =
      before === undefined
        ? now
        : {
            servedModel: now.servedModel ?? before.servedModel,
            serviceTier: now.serviceTier ?? before.serviceTier,
            responseId: now.responseId ?? before.responseId,
            requestId: now.requestId ?? before.requestId,
          };
  }

  #readDelta(delta: JsonObject): StreamEvent[] {
    const events: StreamEvent[] = [];
    const reasoning = reasoningText(delta);
    if (reasoning !== undefined) {
      this.#reasoning += reasoning;
      events.push({ type: 'reasoning', text: reasoning });
    }
    const refusal = asText(delta.refusal);
    if (refusal !== undefined) this.#refused = true;
    const text = contentText(delta.content) || (refusal ?? '');
    if (text !== '') {
      this.#text += text;
      events.push({ type: 'text', text });
    }
    for (const entry of asList(delta.tool_calls)) {
      const event = this.#readToolDelta(asObject(entry) ?? {});
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #readToolDelta(entry: JsonObject): StreamEvent | undefined {
    const called = asObject(entry.function) ?? {};
    const [id, name] = [asText(entry.id), asText(called.name)];
    const argumentsDelta = asText(called.arguments) ?? '';
    // Hosts that leave the index out send each call whole, or name its id again.
    const index = asCount(entry.index) ?? this.#indexOf(id);
    const call = this.#tools.get(index);
    if (call === undefined) {
      const opened = { id: id ?? `call_${index}`, name: name ?? '', argumentsText: argumentsDelta };
      this.#tools.set(index, opened);
      return { type: 'tool-call-delta', index, id: opened.id, name: opened.name, argumentsDelta };
    }
    if (call.name === '' && name !== undefined) call.name = name;
    call.argumentsText += argumentsDelta;
    return argumentsDelta === '' ? undefined : { type: 'tool-call-delta', index, argumentsDelta };
  }

  #indexOf(id: string | undefined): number {
    if (id === undefined) return Math.max(0, this.#tools.size - 1);
    for (const [index, call] of this.#tools) if (call.id === id) return index;
    return this.#tools.size;
  }

  #toolCalls(): ToolCall[] {
    return [...this.#tools]
      .sort(([left], [right]) => left - right)
      .map(([, { id, name, argumentsText }]) => toToolCall(id, name, argumentsText));
  }

  #refuseErrors(body: JsonObject): void {
    if (body.error) throw new WireFailure('in-band', 'an error in the stream', { body, ...this.#known() });
    const stopped = asText(asObject(body.x_groq)?.error);
    if (stopped !== undefined) {
      throw new WireFailure('in-band', 'an error in the stream', {
        body: { error: { message: stopped } },
        ...this.#known(),
      });
    }
  }

  #known(): { usage?: TokenCounts } {
    return this.#usage === undefined ? {} : { usage: this.#usage };
  }
}

/** The one answer that was asked for; a choice without an index is it, too. */
function firstChoice(choices: unknown): JsonObject | undefined {
  for (const each of asList(choices)) {
    const choice = asObject(each);
    if (choice !== undefined && (choice.index ?? 0) === 0) return choice;
  }
  return undefined;
}
