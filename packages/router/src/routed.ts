import type { Attempt, Generation, ProviderFailure } from '@synapsekit/core';
import type { Complexity } from './complexity.ts';
import type { RouteDecision } from './policy/route-decision.ts';

/**
 * The steps of a routed call: finding out what it needs, answering it, and in a cascade looking at the answer and
 * asking a stronger model.
 */
export type RouteStep = 'classify' | 'answer' | 'verify' | 'escalate';

/** What one attempt of a routed call cost. */
export interface RouteCost {
  readonly step: RouteStep;
  readonly attempt: Attempt;
  /** Dollars, for display; `undefined` when the router was given no prices, or they cannot tell. */
  readonly costUsd: number | undefined;
  /** Dollars, exact, as a decimal string; `undefined` like `costUsd`. */
  readonly costUsdExact: string | undefined;
}

/** What every router tells of a call. */
export interface RouteBase {
  /** Why the call went where it went. Its `id` is what `router.feedback` is told. */
  readonly decision: RouteDecision;
  /** Ids of the models that were to be asked, in their order. */
  readonly planned: readonly string[];
  /** `LLM.id` of the model that served. */
  readonly servedBy: string;
  /** Who was passed over before it, and why: open circuits, refusals, failures. */
  readonly failures: readonly ProviderFailure[];
  /** Every attempt that may have cost anything, of all steps, failed ones included. */
  readonly costs: readonly RouteCost[];
  /** Sum of `costs`, in dollars; `undefined` as soon as one of them is. */
  readonly costUsd: number | undefined;
}

/** How a call was routed by its complexity. */
export interface Route extends RouteBase {
  readonly complexity: Complexity;
  /** Who said so: the classifier's model, or a local rule. */
  readonly classifiedBy: 'model' | 'local';
  /** Why the classifier, or its model, was not heard, where it was not. */
  readonly classifierError?: unknown;
}

/** An answer that says how it was routed. */
export interface RoutedGeneration<R extends RouteBase = Route> extends Generation {
  readonly route: R;
}
