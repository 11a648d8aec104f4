import { type Price, type PriceLookup, parseUsd, type TokenCounts } from '@synapsekit/core';
import { defaultModels, type SimulatedModel } from '@synapsekit/testing';

/** The prices that the simulated provider bills by, as a price list. */
export function simulatedPrices(more: readonly SimulatedModel[] = []): PriceLookup {
  const models = [...more, ...defaultModels];
  return {
    find({ model, provider, serviceTier }) {
      const known = models.find(
        (each) =>
          (each.id === model || each.servedAs === model) &&
          (provider === undefined || each.provider === provider),
      );
      if (known === undefined) return undefined;
      return priceOf(known, known.tiers?.[serviceTier ?? ''] ?? known);
    },
  };
}

function priceOf(
  { provider, id, contextWindow = 128_000, maxOutputTokens = 16_384 }: SimulatedModel,
  rates: Pick<SimulatedModel, 'inputUsdPerMillion' | 'outputUsdPerMillion' | 'cachedInputUsdPerMillion'>,
): Price {
  const input = parseUsd(rates.inputUsdPerMillion) / 1_000_000n;
  const cached = parseUsd(rates.cachedInputUsdPerMillion ?? rates.inputUsdPerMillion) / 1_000_000n;
  const output = parseUsd(rates.outputUsdPerMillion) / 1_000_000n;
  return {
    provider,
    model: id,
    source: 'the simulated provider',
    contextWindow,
    maxOutputTokens,
    costPico({ inputTokens, outputTokens, cachedInputTokens = 0 }: TokenCounts) {
      const fresh = BigInt(inputTokens - cachedInputTokens);
      return fresh * input + BigInt(cachedInputTokens) * cached + BigInt(outputTokens) * output;
    },
    maxCostPico: ({ inputTokens, outputTokens }) =>
      BigInt(inputTokens) * input + BigInt(outputTokens) * output,
  };
}
