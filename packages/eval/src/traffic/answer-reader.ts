import type { Usage } from '@synapsekit/core';
import { readUsage } from '@synapsekit/core/chat-completions';
import { asCount, asObject, asText, type JsonObject } from './json.ts';
import type { Endpoint } from './model-call.ts';

/** What an answer says about its cost. */
export interface AnswerFacts {
  /** `undefined` where it tells none, or was cut before it did. */
  readonly usage: Usage | undefined;
  readonly servedModel: string | undefined;
  readonly serviceTier: string | undefined;
}

/** Longer answers in one piece are not read: nothing of this size comes from a model. */
const maxBodyChars = 64_000_000;

/** Reads an answer as it passes by, whole or streamed, and keeps no more of it than it must. */
export class AnswerReader {
  readonly #endpoint: Endpoint;
  readonly #isStream: boolean;
  readonly #decoder = new TextDecoder();
  #text = '';
  #usage: Usage | undefined;
  #servedModel: string | undefined;
  #serviceTier: string | undefined;
  /** True once a piece of the answer itself has come. */
  begun = false;
  /** True once a stream has said that it is over: most clients do not read on to the end of the body. */
  finished = false;

  constructor(endpoint: Endpoint, contentType: string) {
    this.#endpoint = endpoint;
    this.#isStream = /event-stream/i.test(contentType);
  }

  push(chunk: Uint8Array): void {
    if (this.#text.length > maxBodyChars) return;
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (!this.#isStream) {
      this.begun = true;
      return;
    }
    let start = 0;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n', start)) {
      this.#line(this.#text.slice(start, end));
      start = end + 1;
    }
    this.#text = this.#text.slice(start);
  }

  end(): AnswerFacts {
    const rest = this.#text + this.#decoder.decode();
    this.#text = '';
    if (this.#isStream) this.#line(rest);
    else this.#value(parse(rest));
    return { usage: this.#usage, servedModel: this.#servedModel, serviceTier: this.#serviceTier };
  }

  #line(line: string): void {
    if (!line.startsWith('data:')) return;
    this.finished ||= /^data: ?(?:\[DONE\]|\{"type":"response\.(?:completed|incomplete|failed)")/.test(line);
    this.begun ||= /"(?:content|delta|text|arguments|reasoning)":\s*"[^"]/.test(line);
    // Most pieces say nothing about the cost, and are not parsed.
    const matters = this.#servedModel === undefined || /"(?:usage|service_tier)"/.test(line);
    if (matters) this.#value(parse(line.slice(5)));
  }

  #value(value: unknown): void {
    const body = asObject(value);
    if (body === undefined) return;
    const answer = asObject(body.response) ?? body; // events of the responses API wrap it
    this.#servedModel = asText(answer.model) ?? this.#servedModel;
    this.#serviceTier = asText(answer.service_tier) ?? this.#serviceTier;
    const counts = this.#endpoint === 'responses' ? readResponsesUsage(answer) : readChatUsage(answer);
    if (counts !== undefined) this.#usage = { ...counts, source: 'provider' };
  }
}

/** Also of embeddings, which have no answer to count. */
function readChatUsage(body: JsonObject): Usage | undefined {
  const usage = asObject(body.usage);
  const counts = readUsage(body);
  if (counts !== undefined || usage === undefined) return counts;
  const inputTokens = asCount(usage.prompt_tokens);
  const isWhole = inputTokens !== undefined && usage.total_tokens === inputTokens;
  return isWhole ? { inputTokens, outputTokens: 0 } : undefined;
}

function readResponsesUsage({ usage: told }: JsonObject): Usage | undefined {
  const usage = asObject(told);
  const inputTokens = asCount(usage?.input_tokens);
  const outputTokens = asCount(usage?.output_tokens);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const cached = asCount(asObject(usage?.input_tokens_details)?.cached_tokens) ?? 0;
  const thought = asCount(asObject(usage?.output_tokens_details)?.reasoning_tokens) ?? 0;
  return {
    inputTokens,
    outputTokens,
    ...(cached > 0 && { cachedInputTokens: Math.min(cached, inputTokens) }),
    ...(thought > 0 && { reasoningTokens: Math.min(thought, outputTokens) }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // `[DONE]`, HTML, half a document
  }
}
