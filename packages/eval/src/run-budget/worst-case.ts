import type { PicoUsd, Price } from '@synapsekit/core';
import type { ModelCall } from '../traffic/model-call.ts';

/** The most that a call can cost, or why that cannot be told. */
export type WorstCase = { readonly pico: PicoUsd; readonly unlimited: boolean } | { readonly why: string };

/**
 * The most that a call can cost: its prompt at one token per byte, its answers at the limit that the request names, or
 * at the longest that the model can give.
 */
export function worstCase(call: ModelCall, price: Price): WorstCase {
  const { model, unbounded, answers } = call;
  if (unbounded !== undefined) return { why: unbounded };
  const { contextWindow, maxOutputTokens: longest = contextWindow } = price;
  const inputTokens = call.inputTokens ?? contextWindow;
  if (inputTokens === undefined) {
    return {
      why: `it refers to content whose length is not known, and neither is the context window of ${model}`,
    };
  }
  const outputTokens = call.outputTokens ?? longest;
  if (outputTokens === undefined) {
    return {
      why: `it sets no limit for its answer, and the longest answer of ${model} is not known; set max_tokens`,
    };
  }
  const pico = price.maxCostPico({ inputTokens, outputTokens: outputTokens * answers });
  return { pico, unlimited: call.outputTokens === undefined };
}
