import type { Generation } from './generation.ts';
import type { PicoUsd } from './money.ts';
import type { CallOptions, LLMConfig } from './options.ts';
import type { Prompt } from './prompt.ts';
import type { GenerationStream } from './stream.ts';

/** What a model can do. A missing field means: not known. */
export interface Capabilities {
  /** Tokens of prompt and answer together. */
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly tools?: boolean | undefined;
  readonly images?: boolean | undefined;
  readonly jsonSchema?: boolean | undefined;
  readonly logprobs?: boolean | undefined;
}

/** Whether a model would be asked right now. A router reads it instead of paying for an exception. */
export type Availability =
  | { readonly available: true }
  | {
      readonly available: false;
      /** Milliseconds until it may be, if known. */
      readonly retryAfterMs?: number | undefined;
      /** What a call would be refused with. */
      readonly error: unknown;
    };

/** How much a call would have to hold of a budget. */
export interface HoldQuote {
  /** The worst case of the call, in pico-dollars. */
  readonly pico: PicoUsd;
  /** The worst case in tokens of prompt and answer; absent: not known. */
  readonly tokens?: number | undefined;
}

/**
 * A model, or anything that answers like one: an adapter, a router, a fallback chain, a model with policies around it.
 */
export interface LLM {
  /** Who serves: `"openai"`, `"groq"`; a compatible host under another base URL states its own name. */
  readonly provider: string;
  /** The provider's own id of the model. It may contain slashes. */
  readonly model: string;
  /** The name for people and summaries: `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`. */
  readonly id: string;
  readonly capabilities?: Capabilities | undefined;
  /** What a call that says nothing gets, so that a budget can hold for it: the model's `LLMConfig`. */
  readonly defaults?: Pick<LLMConfig, 'maxTokens'> | undefined;
  /**
   * Answers a prompt.
   *
   * @throws ProviderError, CallTimeoutError, ConfigError; `signal.reason` when the caller's signal aborts.
   */
  generate(prompt: Prompt, options?: CallOptions): Promise<Generation>;
  /** Answers a prompt piece by piece. Nothing is sent before the stream is read or its `.result` is asked for. */
  stream(prompt: Prompt, options?: CallOptions): GenerationStream;
  /** Absent means: always available. */
  availability?(): Availability;
  /** The models that may serve a call, for those that choose: routers and chains. */
  candidates?(): readonly LLM[];
  /**
   * The hold that a budget guard on this model would place for this call; `undefined` when nothing guards it or
   * it cannot be told. After a budget refusal, failover goes only to a candidate with a smaller one.
   */
  quoteHold?(prompt: Prompt, options?: CallOptions): HoldQuote | undefined;
}

/** Puts a policy around a model. Compose with `wrap`, which keeps everything that the model could do. */
export type LLMMiddleware = (next: LLM) => LLM;

/** `"gpt-4o"` for OpenAI, `"provider/model"` for everybody else. */
export function modelId(provider: string, model: string): string {
  return provider === 'openai' ? model : `${provider}/${model}`;
}
