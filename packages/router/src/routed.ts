import type { Attempt, Generation, ProviderFailure } from '@synapsekit/core';
import type { Complexity } from './complexity.ts';

/** The two steps of a routed call. */
export type RouteStep = 'classify' | 'answer';

/** What one attempt of a routed call cost. */
export interface RouteCost {
  readonly step: RouteStep;
  readonly attempt: Attempt;
  /** Dollars, for display; `undefined` when the router was given no prices, or they cannot tell. */
  readonly costUsd: number | undefined;
  /** Dollars, exact, as a decimal string; `undefined` like `costUsd`. */
  readonly costUsdExact: string | undefined;
}

/** How a call was routed. */
export interface Route {
  readonly complexity: Complexity;
  /** Who said so: the classifier's model, or a local rule. */
  readonly classifiedBy: 'model' | 'local';
  /** Why the classifier, or its model, was not heard, where it was not. */
  readonly classifierError?: unknown;
  /** Ids of the models of this route, in the order in which they are asked. */
  readonly planned: readonly string[];
  /** `LLM.id` of the model that served. */
  readonly servedBy: string;
  /** Who was passed over before it, and why: open circuits, refusals, failures. */
  readonly failures: readonly ProviderFailure[];
  /** Every attempt that may have cost anything, of both steps, failed ones included. */
  readonly costs: readonly RouteCost[];
  /** Sum of `costs`, in dollars; `undefined` as soon as one of them is. */
  readonly costUsd: number | undefined;
}

/** An answer that says how it was routed. */
export interface RoutedGeneration extends Generation {
  readonly route: Route;
}
