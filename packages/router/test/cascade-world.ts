import {
  BudgetExceededError,
  defineLLM,
  type LLM,
  type PriceLookup,
  ProviderError,
  type TokenCounts,
} from '@synapsekit/core';
import type { CascadeRouterOptions, GainEstimator } from '../src/cascade/cascade-options.ts';
import { CascadeRouter } from '../src/cascade/cascade-router.ts';
import { passes } from '../src/verify/passes.ts';
import type { Verifier } from '../src/verify/verifier.ts';

export const usage: TokenCounts = { inputTokens: 10, outputTokens: 5 };
export const model = (name: string, text: string = name): LLM =>
  defineLLM({
    provider: 'test',
    model: name,
    generate: () => ({ text, usage }),
    stream: async function* () {
      for (const piece of text.match(/.{1,3}/gsu) ?? []) yield piece;
      return { usage };
    },
  });
export const failing = (name: string, error: unknown): LLM =>
  defineLLM({ provider: 'test', model: name, generate: () => Promise.reject(error) });
export const stuck = (name: string): LLM =>
  defineLLM({ provider: 'test', model: name, generate: () => new Promise(() => {}) });
export const outage: ProviderError = new ProviderError('down', {
  kind: 'server',
  provider: 'test',
  model: 'm',
});
export const refusal: BudgetExceededError = new BudgetExceededError('no money', {
  guard: 'g',
  limit: 'daily',
  limitUsd: '1',
  committedUsd: '1',
  heldUsd: '0',
  neededUsd: '0.5',
  fits: 'window',
});

export const prices: PriceLookup = {
  find: ({ model: id }) => ({
    provider: 'test',
    model: id,
    source: 'test',
    costPico: ({ inputTokens, outputTokens }) => BigInt(inputTokens + outputTokens),
    maxCostPico: ({ inputTokens, outputTokens }) => BigInt(inputTokens + outputTokens),
  }),
};

export const cascadeOf = (options: Partial<CascadeRouterOptions> = {}): CascadeRouter =>
  new CascadeRouter({
    tiers: [model('cheap'), model('strong')],
    verify: [passes(({ text }) => text !== 'bad')],
    prices,
    ...options,
  });
export const doubt: Verifier = {
  name: 'doubt',
  failure: 'doubtful',
  verify: () => ({ pass: false, reason: 'no' }),
};
export const shrug: Verifier = { name: 'shrug', verify: () => ({ pass: undefined, reason: 'who knows' }) };
export const gainOf = (gain: number): { readonly model: GainEstimator } => ({ model: { gain: () => gain } });
