import { PICO_PER_USD, type Price, type PriceLookup, type PriceQuery } from '@synapsekit/core';

/** Dollars for a million tokens. */
interface FlatRate {
  readonly input: number;
  readonly output: number;
  readonly maxOutputTokens?: number;
  readonly contextWindow?: number;
}

/** A price list with one rate for each model. Keys are `provider/model`. */
function flatPrices(rates: Readonly<Record<string, FlatRate>>): PriceLookup {
  return {
    find({ model, provider }: PriceQuery): Price | undefined {
      const key = provider === undefined ? model : `${provider}/${model}`;
      const rate = rates[key];
      if (rate === undefined) return undefined;
      const [found = ''] = key.split('/');
      const perToken = (usd: number): bigint => BigInt(Math.round(usd * 1e6)) * (PICO_PER_USD / 10n ** 12n);
      const cost = (inputTokens: number, outputTokens: number): bigint =>
        BigInt(inputTokens) * perToken(rate.input) + BigInt(outputTokens) * perToken(rate.output);
      return {
        provider: found,
        model: key.slice(found.length + 1),
        source: 'test',
        ...(rate.maxOutputTokens !== undefined && { maxOutputTokens: rate.maxOutputTokens }),
        ...(rate.contextWindow !== undefined && { contextWindow: rate.contextWindow }),
        costPico: ({ inputTokens, outputTokens }) => cost(inputTokens, outputTokens),
        maxCostPico: ({ inputTokens, outputTokens }) => cost(inputTokens, outputTokens),
      };
    },
  };
}

/** The tutorial's prices. */
export const prices: PriceLookup = flatPrices({
  'openai/gpt-4o': { input: 2.5, output: 10, maxOutputTokens: 16_384 },
  'openai/gpt-4o-mini': { input: 0.15, output: 0.6 },
  'groq/llama-3.1-8b-instant': { input: 0.05, output: 0.08 },
  'local/free': { input: 0, output: 0 },
  'test/dime': { input: 0, output: 1_000 }, // $0.001 a token: 100 tokens are a dime
});
