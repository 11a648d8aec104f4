import type { RouteBase } from '../routed.ts';
import type { Verdict } from '../verify/verifier.ts';

/** What a verifier of a cascade said. */
export interface NamedVerdict extends Verdict {
  /** `Verifier.name`. */
  readonly verifier: string;
}

/**
 * How a cascade came to its answer.
 * - `"accepted"`: the verifiers let the answer of a cheaper tier pass.
 * - `"escalated"`: they did not, or the cheaper tier was down; a stronger one answered.
 * - `"direct"`: nobody cheaper was asked.
 * - `"vetoed"`: they had doubts, but the gain model sees nothing to gain.
 * - `"deferred"`: they had doubts, but a policy (a budget, a cap) keeps the stronger models back.
 * - `"unreachable"`: they had doubts, and the stronger models could not be asked: see `escalationError`.
 */
export type CascadeOutcome = 'accepted' | 'escalated' | 'direct' | 'vetoed' | 'deferred' | 'unreachable';

/** One tier that was asked. */
export interface CascadeTry {
  /** Index in `tiers`. */
  readonly tier: number;
  /** `LLM.id` of the model that answered; absent when none of the tier could. */
  readonly servedBy?: string | undefined;
  /** What was said of the answer, in the order of the verifiers, up to the first that failed it. */
  readonly verdicts: readonly NamedVerdict[];
}

/** How a call went through a cascade. */
export interface CascadeRoute extends RouteBase {
  readonly outcome: CascadeOutcome;
  /** Index of the tier that served. */
  readonly tier: number;
  readonly tries: readonly CascadeTry[];
  /** What the gain model foresaw, where it was asked. */
  readonly predictedGain?: number | undefined;
  /** Why the stronger models could not be asked. */
  readonly escalationError?: unknown;
}
