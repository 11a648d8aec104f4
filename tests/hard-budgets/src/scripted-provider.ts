import {
  defineLLM,
  type LLM,
  type Prompt,
  ProviderError,
  type StreamEvent,
  type TokenCounts,
} from '@synapsekit/core';
import type { Gate } from './gate.ts';
import { type Attempt, attemptPico, type ModelName, models, type PlannedCall } from './workload.ts';

/** Is told what happens, as it happens. */
export interface ProviderListener {
  /** A model is asked. */
  asked(call: PlannedCall): void;
  /** Something is billed. */
  billed(call: PlannedCall, name: ModelName, amountPico: bigint): void;
}

/** What a prompt says: which call it is, and as many words as it has tokens. */
export function promptOf(call: PlannedCall): string {
  return `${call.id}:${' word'.repeat(call.promptTokens)}`;
}

/** The piece after which a caller that is to leave leaves. */
export const lastPiece = 'enough ';

/**
 * A provider in this process that does what is planned, and keeps its own bill, token by token. It answers within some
 * milliseconds of real time.
 */
export class ScriptedProvider {
  readonly #calls: ReadonlyMap<number, PlannedCall>;
  readonly #gate: Gate;
  readonly #listener: ProviderListener;
  readonly #asked = new Map<string, number>();
  /** All of it, pico-dollars. */
  billPico = 0n;

  constructor(calls: readonly PlannedCall[], gate: Gate, listener: ProviderListener) {
    this.#calls = new Map(calls.map((call) => [call.id, call]));
    this.#gate = gate;
    this.#listener = listener;
  }

  model(name: ModelName): LLM {
    const { model } = models[name];
    return defineLLM({
      provider: 'openai',
      model,
      generate: async (prompt) => {
        const { call, attempt } = await this.#arrive(name, prompt);
        if (attempt.does !== 'answer') throw refusal(model, attempt);
        this.#bill(call, name, attemptPico(call, name, attempt));
        return { text: 'word', usage: tokens(call, attempt.outputTokens) };
      },
      stream: (prompt) => this.#stream(name, prompt),
    });
  }

  async *#stream(name: ModelName, prompt: Prompt): AsyncGenerator<StreamEvent, undefined, undefined> {
    const { model, inputPico, outputPico } = models[name];
    const { call, attempt } = await this.#arrive(name, prompt);
    if (attempt.does === 'refuse') throw refusal(model, attempt);
    this.#bill(call, name, BigInt(call.promptTokens) * inputPico);
    const { outputTokens } = attempt;
    for (let piece = 0, sent = 0; sent < outputTokens; piece++) {
      const upTo = piece === 3 ? outputTokens : Math.min(outputTokens, sent + Math.ceil(outputTokens / 4));
      this.#bill(call, name, BigInt(upTo - sent) * outputPico);
      sent = upTo;
      yield { type: 'usage', usage: tokens(call, sent) };
      yield { type: 'text', text: sent === outputTokens ? lastPiece : 'word ' };
      await pause(1);
    }
    if (attempt.does === 'break') throw new ProviderError('The line broke.', facts(model, 'connection'));
    if (attempt.does === 'go-on') await new Promise(() => {}); // nothing more comes until the caller goes
    return undefined;
  }

  async #arrive(name: ModelName, prompt: Prompt): Promise<{ call: PlannedCall; attempt: Attempt }> {
    const call = this.#calls.get(Number.parseInt(String(prompt), 10));
    if (call === undefined) throw new Error('A call that nobody planned.');
    this.#listener.asked(call);
    const key = `${name} ${call.id}`;
    const index = this.#asked.get(key) ?? 0;
    this.#asked.set(key, index + 1);
    await this.#gate.pass();
    await pause(call.id % 4);
    const attempt = call[name][index];
    if (attempt === undefined) throw new Error(`Call ${call.id} was to end before it asked ${name} again.`);
    return { call, attempt };
  }

  #bill(call: PlannedCall, name: ModelName, amountPico: bigint): void {
    this.billPico += amountPico;
    this.#listener.billed(call, name, amountPico);
  }
}

function tokens(call: PlannedCall, outputTokens: number): TokenCounts {
  return { inputTokens: call.promptTokens, outputTokens };
}

function refusal(model: string, attempt: Attempt): ProviderError {
  const retryable = attempt.does === 'refuse' && attempt.retryable;
  return retryable
    ? new ProviderError('Overloaded.', { ...facts(model, 'server'), status: 503 })
    : new ProviderError('Not like this.', { ...facts(model, 'bad-request'), status: 400 });
}

function facts<K extends string>(model: string, kind: K) {
  return { kind, provider: 'openai', model } as const;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
