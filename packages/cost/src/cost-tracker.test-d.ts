import type { CostRecord, LLM, LLMMiddleware, PriceLookup, SpendSource } from '@synapsekit/core';
import { assertType, expectTypeOf, test } from 'vitest';
import { CostTracker, type CostTrackerOptions, PriceBook, type Scope, trackCost } from './index.ts';

const tracker = new CostTracker();

test('a scope gives back what its function gives: a promise only where that is one', () => {
  expectTypeOf(tracker.scope('pipeline', () => 5)).toBeNumber();
  expectTypeOf(tracker.scope('pipeline', async () => 'text')).toEqualTypeOf<Promise<string>>();
  tracker.scope('pipeline', { attributes: { userId: 'u1', retries: 2, beta: true } }, (scope) => {
    expectTypeOf(scope).toEqualTypeOf<Scope>();
    expectTypeOf(scope.costUsd).toBeNumber();
    expectTypeOf(scope.costUsdExact).toBeString();
  });
  // @ts-expect-error Attributes are flat.
  tracker.scope('pipeline', { attributes: { user: { id: 'u1' } } }, () => {});
  // @ts-expect-error Run what?
  tracker.scope('pipeline');
});

test('a model is an id, provider and model, or an LLM', () => {
  const usage = { inputTokens: 1, outputTokens: 1 };
  expectTypeOf(tracker.record('gpt-4o', usage)).toEqualTypeOf<CostRecord>();
  tracker.record({ provider: 'groq', model: 'llama-3.1-8b-instant' }, usage);
  tracker.record({} as LLM, usage);
  // @ts-expect-error Whose model?
  tracker.record({ model: 'gpt-4o' }, usage);
  // @ts-expect-error It is called outputTokens.
  tracker.record('gpt-4o', { inputTokens: 1, completionTokens: 1 });
});

test('every option may be undefined, and none may be misspelt', () => {
  assertType<CostTrackerOptions>({ prices: undefined, onUnknownPrice: undefined, maxRecent: undefined });
  // @ts-expect-error There is no such policy.
  assertType<CostTrackerOptions>({ onUnknownPrice: 'ignore' });
  // @ts-expect-error It is called onUnknownPrice.
  assertType<CostTrackerOptions>({ unknownPrice: 'zero' });
});

test('a tracker is where budgets learn spend, a price book where prices come from', () => {
  expectTypeOf(CostTracker).instance.toMatchTypeOf<SpendSource>();
  expectTypeOf(PriceBook).instance.toMatchTypeOf<PriceLookup>();
  expectTypeOf(trackCost(tracker)).toEqualTypeOf<LLMMiddleware>();
  expectTypeOf<CostRecord['unpriced']>().toBeBoolean();
});
