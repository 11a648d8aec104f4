import { type CallOptions, type LLM, type PriceLookup, type Prompt, usdNumber } from '@synapsekit/core';
import { roughPromptTokens } from './rough-tokens.ts';

/** What an answer is expected to have where nobody says better. */
const usualOutputTokens = 256;

/**
 * What a call is expected to cost, in dollars: the prompt by a rough count, and `outputTokens` of answer, or what
 * `maxTokens` leaves of it. A model that chooses among others costs what the first of them does. `undefined` without
 * a price.
 */
export function expectedCostUsd(
  llm: LLM,
  prompt: Prompt,
  options: CallOptions,
  prices: PriceLookup | undefined,
  outputTokens: number = usualOutputTokens,
): number | undefined {
  if (prices === undefined) return undefined;
  const leaf = llm.candidates?.()[0] ?? llm;
  const { provider, model } = leaf;
  const price = prices.find({ provider, model, serviceTier: options.serviceTier });
  if (price === undefined) return undefined;
  const most = options.maxTokens ?? leaf.defaults?.maxTokens ?? outputTokens;
  return usdNumber(
    price.costPico({
      inputTokens: roughPromptTokens(prompt, options),
      outputTokens: Math.min(outputTokens, most),
    }),
  );
}
