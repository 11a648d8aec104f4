import type { CallOptions, Generation, LLM, Prompt } from '@synapsekit/core';
import type { Complexity } from './complexity.ts';

/** What a classifier found. */
export interface Classification {
  readonly complexity: Complexity;
  /** `"model"`: a model said so. `"local"`: no model was needed, or none could be asked. @default "local" */
  readonly source?: 'model' | 'local' | undefined;
  /** The model's answer, with its usage: what the classification cost. */
  readonly generation?: Generation | undefined;
  /** Why the classifier's first way did not work, where it did not: an outage, a refusing budget. */
  readonly error?: unknown;
}

/** What a classifier is told about the call. Hand all of it to the model that it asks: budgets count on it. */
export type ClassifyOptions = Pick<CallOptions, 'signal' | 'onAttemptStart' | 'onAttempt' | 'attributes'>;

/** Tells how complex a query is. */
export interface ComplexityClassifier {
  /** The model that it asks, if it asks one: a budget around a router holds for it too. */
  readonly llm?: LLM | undefined;
  /**
   * Classifies a prompt. Only an abort should make it reject: a query that cannot be classified is still to be
   * answered. A router goes by the length of the query after anything else, and says so.
   *
   * @throws `signal.reason` when the caller's signal aborts.
   */
  classify(prompt: Prompt, options?: ClassifyOptions): Promise<Classification>;
}
