import type { Random } from '@synapsekit/core';

/** What a model does when it is asked. */
export type Attempt =
  /** Answers, or streams all of it. */
  | { readonly does: 'answer'; readonly outputTokens: number }
  /** Streams so many tokens, then breaks. Those are billed. */
  | { readonly does: 'break'; readonly outputTokens: number }
  /** Streams on and on: the caller leaves, or aborts, after so many tokens. Those are billed. */
  | { readonly does: 'go-on'; readonly outputTokens: number; readonly caller: 'leaves' | 'aborts' }
  /** Refuses with an error that may be retried, or not. Free. */
  | { readonly does: 'refuse'; readonly retryable: boolean };

/** One call, with all that will become of it: the guard knows nothing of that, the oracle everything. */
export interface PlannedCall {
  readonly id: number;
  readonly userId: string;
  readonly stream: boolean;
  readonly maxTokens: number;
  /** Where the guard sits: around the chain of models, or around each attempt of each model. */
  readonly guardIs: 'outside' | 'inside';
  readonly promptTokens: number;
  /** Of the first model. */
  readonly first: readonly Attempt[];
  /** Of the second, where the call falls over. */
  readonly second: readonly Attempt[];
}

/** The models of the workload, with the published prices of gpt-4o and gpt-4o-mini. */
export const models = {
  first: { model: 'gpt-4o', inputPico: 2_500_000n, outputPico: 10_000_000n },
  second: { model: 'gpt-4o-mini', inputPico: 150_000n, outputPico: 600_000n },
} as const;

/** Which of them. */
export type ModelName = keyof typeof models;

/** What an attempt costs in the end, pico-dollars: what the provider will bill. */
export function attemptPico(call: PlannedCall, name: ModelName, attempt: Attempt): bigint {
  if (attempt.does === 'refuse') return 0n;
  const { inputPico, outputPico } = models[name];
  return BigInt(call.promptTokens) * inputPico + BigInt(attempt.outputTokens) * outputPico;
}

/** What it costs at most, as long as the model keeps to `maxTokens`. */
export function worstPico(call: PlannedCall, name: ModelName): bigint {
  const { inputPico, outputPico } = models[name];
  return BigInt(call.promptTokens) * inputPico + BigInt(call.maxTokens) * outputPico;
}

/** What a call costs in the end with all its attempts, if nobody refuses any. */
export function callPico(call: PlannedCall): bigint {
  const sum = (name: ModelName): bigint =>
    call[name].reduce((all, attempt) => all + attemptPico(call, name, attempt), 0n);
  return sum('first') + sum('second');
}

const users = 200;

/**
 * Calls of 200 users, some of whom ask far more than others. Half of them are plain answers below their hold; the others
 * cost just what was held, or more, are retried, fall over, break, are left or aborted.
 */
export function planCalls(count: number, random: Random): readonly PlannedCall[] {
  const weights = Array.from({ length: users }, (_, rank) => 1 / (rank + 20));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const pickUser = (): string => {
    let at = random() * sum;
    for (const [rank, weight] of weights.entries()) {
      at -= weight;
      if (at < 0) return `user-${rank}`;
    }
    return 'user-0';
  };
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  return Array.from({ length: count }, (_, id) => {
    // One in 500 asks for more than any single request may cost.
    const maxTokens = random() < 0.002 ? between(1_600, 2_000) : between(40, 800);
    const below = (): number => Math.max(1, Math.floor(maxTokens * (0.1 + 0.85 * random())));
    const answer = (outputTokens = below()): Attempt => ({ does: 'answer', outputTokens });
    const refuse = (retryable: boolean): Attempt => ({ does: 'refuse', retryable });
    const base = {
      id,
      userId: pickUser(),
      stream: random() < 0.5,
      maxTokens,
      guardIs: random() < 0.5 ? ('outside' as const) : ('inside' as const),
      promptTokens: between(20, 200),
      second: [] as readonly Attempt[],
    };
    const kind = random();
    if (kind < 0.5) return { ...base, first: [answer()] };
    if (kind < 0.6) return { ...base, first: [answer(maxTokens)] };
    if (kind < 0.64) return { ...base, first: [answer(Math.ceil(maxTokens * (1 + 0.5 * random())))] };
    if (kind < 0.72) return { ...base, first: [refuse(true), answer()] };
    if (kind < 0.8) return { ...base, first: [refuse(true), refuse(true)], second: [answer()] };
    if (kind < 0.85) return { ...base, first: [refuse(false)] };
    if (kind < 0.9) return { ...base, stream: true, first: [{ does: 'break', outputTokens: below() }] };
    const caller = kind < 0.95 ? 'leaves' : 'aborts';
    return { ...base, stream: true, first: [{ does: 'go-on', outputTokens: below(), caller }] };
  });
}
