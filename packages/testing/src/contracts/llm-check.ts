import assert from 'node:assert/strict';
import type {
  Attempt,
  CallOptions,
  Generation,
  GenerationStream,
  LLM,
  LLMConfig,
  Prompt,
  StreamEvent,
} from '@synapsekit/core';
import type { SimulatedProviderOptions } from '../provider/options.ts';
import { SimulatedProvider } from '../provider/simulated-provider.ts';
import type { SimulatedRequest } from '../provider/simulated-request.ts';

/** What an adapter under test is made from. */
export interface LLMSetup {
  /** Where it must send its requests: `simulated.openaiBaseURL` or `simulated.groqBaseURL`. */
  readonly simulated: SimulatedProvider;
  /** The key it must send. */
  readonly apiKey: string;
  /** The configuration it must use. */
  readonly config: LLMConfig;
}

/** Makes the adapter under test: a model without hidden reasoning that the simulated provider serves. */
export type CreateLLM = (setup: LLMSetup) => LLM;

/** One rule that every adapter keeps. */
export interface LLMCheck {
  /** A sentence about behaviour. */
  readonly name: string;
  /** Starts a server of its own; rejects when the rule is broken. */
  run(create: CreateLLM): Promise<void>;
}

/** A key that no error, log or record may show. */
export const canaryKey = 'sk-canary-key-0123456789';

/** A model, the provider it talks to, and what it reported. */
export class LLMWorld {
  readonly simulated: SimulatedProvider;
  readonly llm: LLM;
  /** Every attempt that was reported, in order. */
  readonly attempts: Attempt[] = [];
  readonly #create: CreateLLM;

  constructor(simulated: SimulatedProvider, create: CreateLLM) {
    this.simulated = simulated;
    this.#create = create;
    this.llm = this.withConfig({});
  }

  /** The same model with another configuration. */
  withConfig(config: LLMConfig): LLM {
    return this.#create({ simulated: this.simulated, apiKey: canaryKey, config });
  }

  /** Options that note down the attempts. */
  options(options: CallOptions = {}): CallOptions {
    return {
      ...options,
      onAttempt: (attempt) => {
        this.attempts.push(attempt);
        options.onAttempt?.(attempt);
      },
    };
  }

  generate(prompt: Prompt = 'Hello', options: CallOptions = {}): Promise<Generation> {
    return this.llm.generate(prompt, this.options(options));
  }

  stream(prompt: Prompt = 'Hello', options: CallOptions = {}): GenerationStream {
    return this.llm.stream(prompt, this.options(options));
  }

  /** The one request that was sent. */
  get request(): SimulatedRequest {
    const { requests } = this.simulated;
    assert.equal(requests.length, 1, `One request was expected, the provider saw ${requests.length}.`);
    return requests[0] as SimulatedRequest;
  }

  /** The body of the one request. */
  get body(): Record<string, unknown> {
    return this.request.body as Record<string, unknown>;
  }

  /** The one attempt that was reported. */
  get attempt(): Attempt {
    const outcomes = this.attempts.map(({ outcome }) => outcome).join(', ') || 'none';
    assert.equal(this.attempts.length, 1, `One attempt was to be reported, there were: ${outcomes}.`);
    return this.attempts[0] as Attempt;
  }
}

/** A check with a server of its own. */
export function llmCheck(
  name: string,
  body: (world: LLMWorld) => Promise<void>,
  options: SimulatedProviderOptions = {},
): LLMCheck {
  return {
    name,
    async run(create) {
      const simulated = await SimulatedProvider.start(options);
      try {
        await body(new LLMWorld(simulated, create));
      } finally {
        await simulated.close();
      }
    },
  };
}

/** What `promise` rejects with. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('It resolved, and was to reject.');
}

/** Everything that came out of a stream. */
export interface ReadStream {
  readonly events: readonly StreamEvent[];
  /** What reading it threw. */
  readonly error: unknown;
}

/** Reads a stream to its end, good or bad. */
export async function readStream(stream: GenerationStream): Promise<ReadStream> {
  const events: StreamEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (error) {
    return { events, error };
  }
  return { events, error: undefined };
}

/** The text of a stream's events. */
export function textOf(events: readonly StreamEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}

/** Resolves to how many milliseconds `promise` took to settle. */
export async function settleMs(promise: PromiseLike<unknown>): Promise<number> {
  const startedMs = performance.now();
  await Promise.resolve(promise).catch(() => {});
  return performance.now() - startedMs;
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const startedMs = performance.now(); !condition(); ) {
    assert.ok(performance.now() - startedMs < 10_000, `It did not happen within 10 s: ${what}.`);
    await pause(2);
  }
}

/** Real time: what is under test talks over real sockets. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Far above what a prompt reaction takes, far below what waiting for a server or a timer of an SDK would. */
export const promptlyMs = 1_500;
