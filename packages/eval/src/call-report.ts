import type { Attempt, TokenCounts } from '@synapsekit/core';

/** One call of a model, as reports show it. JSON-safe; it carries no prompt and no answer. */
export interface CallReport {
  /** Name of the model for people: `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`. */
  readonly model: string;
  readonly provider?: string | undefined;
  /** How it ended; absent for a cost that was recorded without a call, `"running"` for one that has not ended. */
  readonly outcome?: Attempt['outcome'] | 'running' | undefined;
  /** Code of the error, if it failed: `"provider"`, `"rate-limited"`. */
  readonly errorCode?: string | undefined;
  /** Milliseconds from the beginning of the case to its start. */
  readonly startMs?: number | undefined;
  readonly latencyMs?: number | undefined;
  /** Milliseconds to the first content. */
  readonly firstTokenMs?: number | undefined;
  readonly usage?: TokenCounts | undefined;
  /** True when the tokens were estimated and not counted by the provider. */
  readonly estimated?: boolean | undefined;
  /** Exact, as a decimal string; absent when nobody knows what it cost. */
  readonly usd?: string | undefined;
  /** Names of the scopes that it was recorded in, outermost first. */
  readonly scopes?: readonly string[] | undefined;
}

/** True for an attempt that reached a provider. */
export function wasSent({ outcome }: CallReport): boolean {
  return outcome !== 'unsent';
}
