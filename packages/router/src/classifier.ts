import type { CallOptions, Generation, LLM, Prompt } from '@synapsekit/core';
import type { Complexity } from './complexity.ts';

/** What a classifier found. */
export interface Classification {
  readonly complexity: Complexity;
  /** `"model"`: a model said so. `"local"`: no model was needed, or none could be asked. */
  readonly source: 'model' | 'local';
  /** The model's answer, with its usage: what the classification cost. */
  readonly generation?: Generation | undefined;
  /** Why the classifier's first way did not work, where it did not: an outage, a refusing budget. */
  readonly error?: unknown;
}

/** Tells how complex a query is. */
export interface ComplexityClassifier {
  /** The model that it asks, if it asks one: a budget around a router holds for it too. */
  readonly llm?: LLM | undefined;
  /**
   * Classifies a prompt. Only an abort makes it reject: a query that cannot be classified is still to be answered.
   *
   * @throws `signal.reason` when the caller's signal aborts.
   */
  classify(
    prompt: Prompt,
    options?: Pick<CallOptions, 'signal' | 'onAttempt' | 'attributes'>,
  ): Promise<Classification>;
}
