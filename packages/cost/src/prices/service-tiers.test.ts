import { ConfigError, type Price, type TokenCounts } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { PriceBook } from '../price-book.ts';
import type { TierRule } from './service-tiers.ts';

const book = new PriceBook({ clock: { now: () => Date.UTC(2026, 10, 23) } });

/** Dollars per million: input, cached input, output. */
function perMillion(price: Price | undefined): (number | undefined)[] {
  const of = (usage: TokenCounts): number | undefined => price && Number(price.costPico(usage)) / 1e9;
  return [
    of({ inputTokens: 1_000, outputTokens: 0 }),
    of({ inputTokens: 1_000, outputTokens: 0, cachedInputTokens: 1_000 }),
    of({ inputTokens: 0, outputTokens: 1_000 }),
  ];
}

const at = (moment: string): number => Date.parse(moment);

describe('priority, as OpenAI published it', () => {
  test.each([
    ['gpt-4o', 4.25, 2.125, 17],
    ['gpt-4o-2024-11-20', 4.25, 2.125, 17],
    ['gpt-4o-2024-05-13', 8.75, 8.75, 26.25],
    ['gpt-4o-mini', 0.25, 0.125, 1],
    ['gpt-4.1', 3.5, 0.875, 14],
    ['gpt-4.1-mini', 0.7, 0.175, 2.8],
    ['gpt-4.1-nano', 0.2, 0.05, 0.8],
    ['o3', 3.5, 0.875, 14],
    ['o4-mini', 2, 0.5, 8],
    ['gpt-5', 2.5, 0.25, 20],
    ['gpt-5-mini', 0.45, 0.045, 3.6],
    ['gpt-5.1', 2.5, 0.25, 20],
    ['gpt-5.2', 3.5, 0.35, 28],
    ['gpt-5.4', 5, 0.5, 30],
    ['gpt-5.4-mini', 1.5, 0.15, 9],
    ['gpt-5.5', 12.5, 1.25, 75],
    ['gpt-5.6-terra', 4, 0.4, 24],
    ['gpt-5.6-luna', 0.4, 0.04, 2.4],
    ['gpt-6-astra', 20, 2, 100],
  ])('%s', (model, ...dollars) => {
    expect(perMillion(book.find({ model, serviceTier: 'priority' }))).toEqual(dollars);
    expect(perMillion(book.find({ model, serviceTier: 'Fast' }))).toEqual(dollars);
  });

  test('gpt-5.6-sol, before and after its price cut', () => {
    const fast = { model: 'gpt-5.6-sol', serviceTier: 'fast' };
    expect(perMillion(book.find({ ...fast, atMs: at('2026-08-01') }))).toEqual([10, 1, 60]);
    expect(perMillion(book.find({ ...fast, atMs: at('2026-08-22') }))).toEqual([8, 0.8, 40]);
  });

  test('unknown where nothing was published: never the standard price', () => {
    for (const model of [
      'gpt-6-luna',
      'o1',
      'ft:gpt-4o-2024-08-06:org',
      'llama-3.1-8b-instant',
      'claude-sonnet-4-5',
    ]) {
      expect(book.find({ model }), model).toBeDefined();
      expect(book.find({ model, serviceTier: 'priority' }), model).toBeUndefined();
    }
  });
});

describe('the cheaper tiers', () => {
  test.each([
    ['batch', 'gpt-4o', 1.25, 0.625, 5],
    ['flex', 'gpt-4o-mini', 0.075, 0.0375, 0.3],
    ['flex', 'o3', 1, 0.25, 4],
    ['batch', 'claude-sonnet-4-5', 1.5, 0.15, 7.5],
    ['batch', 'groq/llama-3.1-8b-instant', 0.025, 0.025, 0.04],
    ['flex', 'groq/llama-3.1-8b-instant', 0.05, 0.05, 0.08],
  ])('%s of %s', (serviceTier, model, ...dollars) => {
    expect(perMillion(book.find({ model, serviceTier }))).toEqual(dollars);
  });

  test('halve the long-context price as well, reasoning included', () => {
    const usage = {
      inputTokens: 300_000,
      outputTokens: 1_000,
      reasoningTokens: 800,
      cachedInputTokens: 100_000,
    };
    const standard = book.find({ model: 'gpt-5.5' })?.costPico(usage) ?? 0n;
    expect(book.find({ model: 'gpt-5.5', serviceTier: 'batch' })?.costPico(usage)).toBe(standard / 2n);
  });

  test('unknown at providers of which nothing is known', () => {
    const query = { provider: 'google', model: 'gemini-2.5-pro' };
    expect(book.find(query)).toBeDefined();
    expect(book.find({ ...query, serviceTier: 'batch' })).toBeUndefined();
  });
});

test.each(['default', 'auto', 'standard', 'on_demand', 'performance', 'scale', '', 'whatever comes next'])(
  'every other name is the standard price: %j',
  (serviceTier) => {
    expect(perMillion(book.find({ model: 'gpt-4o', serviceTier }))).toEqual([2.5, 1.25, 10]);
  },
);

test('a price says which tier it is', () => {
  expect(book.find({ model: 'gpt-4o', serviceTier: 'flex' })?.source).toMatch(/, OpenAI flex prices$/);
});

describe('rules of your own', () => {
  const custom = new PriceBook({
    tiers: [
      { provider: 'mistral', tier: 'batch', factor: 0.5 },
      { provider: 'openai', tier: 'priority', models: ['gpt-6-*'], factor: '2' },
      { provider: 'openai', tier: 'priority', models: ['gpt-4o'], factor: 3 },
      { provider: 'groq', tier: 'performance', factor: 1.25 },
    ],
  });

  test('come first, for providers, models and tiers of any name', () => {
    const input = (model: string, serviceTier: string) => perMillion(custom.find({ model, serviceTier }))[0];
    expect(input('mistral-large-latest', 'batch')).toBe(
      (perMillion(book.find({ model: 'mistral-large-latest' }))[0] ?? 0) / 2,
    );
    expect(input('gpt-6-luna', 'fast')).toBe(0.2);
    expect(input('gpt-4o', 'priority')).toBe(7.5);
    expect(input('gpt-4o-mini', 'priority')).toBe(0.25);
    expect(input('llama-3.1-8b-instant', 'performance')).toBe(0.0625);
    expect(input('gpt-4o', 'performance')).toBeUndefined();
  });

  test.each([
    [{ provider: 'openai', tier: 'batch', factor: -1 }, /tiers\[0\]\.factor must not be negative/],
    [{ provider: 'openai', tier: 'batch', factor: Number.NaN }, /factor/],
    [{ provider: '', tier: 'batch', factor: 1 }, /provider must be a text/],
    [{ provider: 'openai', factor: 1 }, /tier must be a text/],
    [{ provider: 'openai', tier: 'batch', model: 'gpt-4o', factor: 1 }, /no option "model"/],
    [{ provider: 'openai', tier: 'batch', models: 'gpt-4o', factor: 1 }, /models must be a list/],
  ])('are checked: %j', (rule, message) => {
    const build = () => new PriceBook({ tiers: [rule as unknown as TierRule] });
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(message);
  });
});
