/** What one policy did to a candidate, and why. */
export interface CandidateNote {
  /** `"capabilities"`, or the name of the policy. */
  readonly policy: string;
  readonly action: 'excluded' | 'deferred' | 'preferred' | 'charged';
  readonly reason: string;
  /** Dollars of a charge. */
  readonly costUsd?: number | undefined;
}

/** One model in a decision. */
export interface DecidedCandidate {
  /** `LLM.id`. */
  readonly id: string;
  /** Its place in the plan, from 1; absent when it is not in it. */
  readonly place?: number | undefined;
  /** Predicted quality, 0 to 1, where the router predicts it. */
  readonly quality?: number | undefined;
  /** Expected cost in dollars, charges included, where it is known. */
  readonly costUsd?: number | undefined;
  /** Why it stands where it stands, beside its figures. */
  readonly notes: readonly CandidateNote[];
}

/** Why a call goes where it goes. JSON-safe, and without a word of the prompt. */
export interface RouteDecision {
  /** Version of this shape. */
  readonly version: 1;
  /** What `router.feedback` is told, and the id of the call's row in an outcomes file. */
  readonly id: string;
  /** `LLM.id` of the router. */
  readonly router: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** Price of money: quality (0 to 1) that a dollar has to buy. Absent where no quality is predicted. */
  readonly qualityPerUsd?: number | undefined;
  /** Who made money dearer, and why. */
  readonly priceNotes: readonly {
    readonly policy: string;
    readonly qualityPerUsd: number;
    readonly reason: string;
  }[];
  /** Ids of the plan, in its order. */
  readonly planned: readonly string[];
  /** Every candidate, those of the plan first. */
  readonly candidates: readonly DecidedCandidate[];
}
