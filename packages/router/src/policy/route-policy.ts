import type { Attempt, CallOptions, Generation, LLM, Prompt } from '@synapsekit/core';
import type { RouteDecision } from './route-decision.ts';

/** A model that a router may choose, with what it expects of it for this call. */
export interface RouteCandidate {
  readonly llm: LLM;
  /** Predicted quality of the answer, 0 to 1; `undefined` when nobody predicts it. */
  readonly quality?: number | undefined;
  /** Expected cost of this call, in dollars; `undefined` when it cannot be told. */
  readonly costUsd?: number | undefined;
  /** Its level where no quality is predicted: larger is stronger. */
  readonly tier?: number | undefined;
  /** True for one that is in the plan only if a policy prefers it, or nobody else is left. @default false */
  readonly reserve?: boolean | undefined;
}

/**
 * A decision in the making. Every call of a method needs a reason, for the record: words that say why, and never a
 * part of the prompt.
 */
export interface RouteDraft {
  /** Id of the decision: what `router.feedback` is told. */
  readonly id: string;
  readonly router: string;
  readonly prompt: Prompt;
  readonly options: CallOptions;
  /** Those that are in, best first as things stand now; deferred ones at the end. */
  readonly candidates: readonly RouteCandidate[];
  /** The price of money as it stands: quality (0 to 1) that a dollar has to buy. 0 where no quality is predicted. */
  readonly qualityPerUsd: number;
  /** True when a policy before this one has deferred the candidate. */
  isDeferred(candidate: RouteCandidate): boolean;
  /** It cannot serve this call: out, whatever becomes of the others. */
  exclude(candidate: RouteCandidate, reason: string): void;
  /** It shall not serve while another one can: asked last, if the others fail. */
  defer(candidate: RouteCandidate, reason: string): void;
  /** It goes first, whatever the figures say, unless somebody defers it. The last word counts. */
  prefer(candidate: RouteCandidate, reason: string): void;
  /** It costs so many dollars more than expected. Below 0: less. */
  charge(candidate: RouteCandidate, costUsd: number, reason: string): void;
  /** Money is dearer: so much quality (0 to 1) more has to be gained per dollar. */
  raisePrice(qualityPerUsd: number, reason: string): void;
}

/** How a call that was decided about has ended. */
export interface RouteEnd {
  readonly decision: RouteDecision;
  readonly prompt: Prompt;
  readonly options: CallOptions;
  /** The models of the plan, in its order. */
  readonly plan: readonly RouteCandidate[];
  /** Everybody who could have served, those of the plan first. */
  readonly candidates: readonly RouteCandidate[];
  /** The answer, whole or cut; absent when the call failed. */
  readonly generation?: Generation | undefined;
  /** What the call cost in all, in dollars; `undefined` when it cannot be told. */
  readonly costUsd?: number | undefined;
  /** Every attempt of all its steps that may have cost something, also of a call that failed. */
  readonly attempts: readonly Attempt[];
  /** Why it failed. */
  readonly error?: unknown;
}

/**
 * A rule round a router's choice: what a budget, a conversation or a cap have to say about it. One list of them fits
 * every router: `new Router({ …, policies: [paceBudget({ budget }), stayInConversation()] })`. They speak in the order
 * of the list; that a model can serve the request at all has been seen to before.
 */
export interface RoutePolicy {
  /** Stands in records and errors. */
  readonly name: string;
  /** Looks at a call before a model is chosen. At once: a routing decision takes microseconds. */
  apply?(draft: RouteDraft): void;
  /** Is told, once, how a call has ended. What it throws becomes a warning of the process. */
  settle?(end: RouteEnd): void;
  /** Takes a score (0 to 1) for an earlier answer. False when it does not know the id (any more). */
  feedback?(decisionId: string, score: number): boolean;
}
