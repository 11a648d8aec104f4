import type { Prompt } from '@synapsekit/core';

/** How one model did on one query. */
export interface Outcome {
  /** How good the answer was, from 0 (wrong) to 1 (right). */
  readonly score: number;
  /** What the call cost, in dollars. */
  readonly costUsd?: number | undefined;
  /** How long the call took, in milliseconds. */
  readonly latencyMs?: number | undefined;
  /** What the model answered. A verifier learns from it. */
  readonly response?: string | undefined;
}

/** One query and how each model did on it: a line of an outcomes file. */
export interface OutcomeRow {
  readonly id: string;
  /** A kind of query: a feature, a customer, a benchmark. Whole groups are left out to see what travels. */
  readonly group?: string | undefined;
  readonly prompt: Prompt;
  /** By the name of the model. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}
