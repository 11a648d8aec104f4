import { modelId, type Price, type PriceLookup, type Retirement } from '@synapsekit/core';

/** A model of a small price list: pico-dollars per token. */
export interface FlatPrice {
  readonly provider: string;
  readonly model: string;
  readonly input: bigint;
  readonly output: bigint;
  readonly cached?: bigint;
  readonly retirement?: Retirement;
}

/** The prices of the founding tutorial, March 2026, without anything else. */
export const tutorialPrices: readonly FlatPrice[] = [
  { provider: 'groq', model: 'llama-3.1-8b-instant', input: 50_000n, output: 80_000n },
  { provider: 'groq', model: 'llama-3.3-70b-versatile', input: 590_000n, output: 790_000n },
  { provider: 'openai', model: 'gpt-4o-mini', input: 150_000n, output: 600_000n, cached: 75_000n },
  { provider: 'openai', model: 'gpt-4o', input: 2_500_000n, output: 10_000_000n, cached: 1_250_000n },
];

/** A lookup over a few flat prices; the tier `"flex"` costs half. */
export function flatPrices(models: readonly FlatPrice[] = tutorialPrices): PriceLookup {
  const standard = models.map((model) => priceOf(model, 1n));
  const flex = models.map((model) => priceOf(model, 2n));
  return {
    find(query) {
      const prices = query.serviceTier === 'flex' ? flex : standard;
      return prices.find(({ provider, model }) =>
        query.provider === undefined
          ? [model, modelId(provider, model), `${provider}/${model}`].includes(query.model)
          : provider === query.provider && model === query.model,
      );
    },
  };
}

function priceOf(
  { provider, model, input, output, cached = input, retirement }: FlatPrice,
  share: bigint,
): Price {
  return {
    provider,
    model,
    source: 'test',
    retirement,
    costPico: ({ inputTokens, outputTokens, cachedInputTokens = 0 }) =>
      (BigInt(inputTokens - cachedInputTokens) * input +
        BigInt(cachedInputTokens) * cached +
        BigInt(outputTokens) * output) /
      share,
    maxCostPico: ({ inputTokens, outputTokens }) =>
      BigInt(inputTokens) * input + BigInt(outputTokens) * output,
  };
}
