import { ConfigError, isSynapseError, type Price } from '@synapsekit/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyTime, textUsage } from '../../test/usages.ts';
import { PriceBook } from '../price-book.ts';
import { readTable } from './price-table.ts';

const book = new PriceBook({ clock: { now: () => Date.UTC(2026, 10, 23, 12) } });
const find = (model: string): Price | undefined => book.find({ model });

describe('a price', () => {
  test('shows its facts in JSON and cannot be changed', () => {
    const price = find('gpt-4o-mini') as Price;
    expect(JSON.parse(JSON.stringify(price))).toEqual({
      provider: 'openai',
      model: 'gpt-4o-mini',
      source: expect.stringMatching(/^@pydantic\/genai-prices \d+\.\d+\.\d+ of \d{4}-\d\d-\d\d$/),
      contextWindow: 128_000,
      maxOutputTokens: 16_384,
      retirement: { on: '2027-01-14', replacement: 'gpt-6-luna', past: false },
    });
    expect(Object.isFrozen(price)).toBe(true);
    expect(Object.isFrozen(price.retirement)).toBe(true);
  });

  test.each([
    ['more cached than input', { inputTokens: 10, outputTokens: 0, cachedInputTokens: 11 }],
    [
      'parts that add up to more',
      { inputTokens: 10, outputTokens: 0, cachedInputTokens: 6, cacheWriteTokens: 5 },
    ],
    ['more reasoning than output', { inputTokens: 0, outputTokens: 10, reasoningTokens: 11 }],
    ['more audio than input', { inputTokens: 10, outputTokens: 0, inputAudioTokens: 11 }],
    ['more audio than output', { inputTokens: 0, outputTokens: 10, outputAudioTokens: 11 }],
    ['less than nothing', { inputTokens: -1, outputTokens: 0 }],
    ['half a token', { inputTokens: 0.5, outputTokens: 0 }],
    ['no number', { inputTokens: Number.NaN, outputTokens: 0 }],
  ])('refuses usage that contradicts itself: %s', (_, usage) => {
    const thrown = (() => {
      try {
        return find('gpt-4o')?.costPico(usage);
      } catch (error) {
        return error;
      }
    })();
    expect(isSynapseError(thrown, 'config')).toBe(true);
  });

  test('counts the subsets of a whole once', () => {
    const price = find('gpt-4o') as Price;
    const whole = price.costPico({ inputTokens: 1_000, outputTokens: 1_000 });
    expect(price.costPico({ inputTokens: 1_000, outputTokens: 1_000, reasoningTokens: 900 })).toBe(whole);
    expect(price.costPico({ inputTokens: 1_000, outputTokens: 1_000, cacheWriteTokens: 900 })).toBe(whole);
    const half = { inputTokens: 1_000, outputTokens: 0, cachedInputTokens: 500 };
    expect(price.costPico(half)).toBe(500n * 2_500_000n + 500n * 1_250_000n);
  });

  test('steps up as a whole above its prompt length', () => {
    const price = find('gpt-5.5') as Price;
    const cost = (inputTokens: number) => price.costPico({ inputTokens, outputTokens: 1_000 });
    expect(cost(271_999)).toBe(271_999n * 5_000_000n + 1_000n * 30_000_000n);
    expect(cost(272_000)).toBe(272_000n * 10_000_000n + 1_000n * 45_000_000n);
  });

  test('charges what is asked per request', () => {
    const price = find('perplexity/sonar') as Price;
    expect(price.costPico({ inputTokens: 0, outputTokens: 0 })).toBe(12_000_000_000n);
    expect(price.maxCostPico({ inputTokens: 1, outputTokens: 1 })).toBe(12_000_000_000n + 2_000_000n);
  });

  test('is exact beyond what a number can hold, and for thirds of a pico-dollar', () => {
    const thirds = book.find({ provider: 'openrouter', model: 'google/gemini-2.5-flash-lite' }) as Price;
    const written = (tokens: number) =>
      thirds.costPico({ inputTokens: tokens, outputTokens: 0, cacheWriteTokens: tokens });
    expect([1, 2, 3].map(written)).toEqual([83_334n, 166_667n, 250_000n]);
    const many = Number.MAX_SAFE_INTEGER;
    expect(written(many)).toBe((BigInt(many) * 250_000n + 2n) / 3n);
    const plain = find('gpt-4o') as Price;
    expect(plain.costPico({ inputTokens: many, outputTokens: many })).toBe(BigInt(many) * 12_500_000n);
  });
});

describe('the most it can cost', () => {
  const priced = readTable().flatMap(([provider, , , , models]) =>
    models.filter((model) => model.length > 3).map(([model]) => ({ provider, model })),
  );
  const anyPrice = fc
    .record({ query: fc.constantFrom(...priced), atMs: anyTime })
    .map(({ query, atMs }) => book.find({ ...query, atMs }))
    .filter((price) => price !== undefined);

  test('bounds every way to count, of fewer tokens too, and never falls when a count grows', () => {
    fc.assert(
      fc.property(anyPrice, textUsage, fc.nat(400_000), fc.nat(50_000), (price, usage, moreIn, moreOut) => {
        const bound = price.maxCostPico(usage);
        expect(price.costPico(usage)).toBeLessThanOrEqual(bound);
        const larger = {
          inputTokens: usage.inputTokens + moreIn,
          outputTokens: usage.outputTokens + moreOut,
        };
        expect(bound).toBeLessThanOrEqual(price.maxCostPico(larger));
        expect(price.maxCostPico({ ...usage, inputTokens: larger.inputTokens })).toBeGreaterThanOrEqual(
          bound,
        );
        expect(price.maxCostPico({ ...usage, outputTokens: larger.outputTokens })).toBeGreaterThanOrEqual(
          bound,
        );
      }),
      { numRuns: 3_000 },
    );
  });

  test('is tight: some way to count costs that much', () => {
    const claude = find('claude-sonnet-4-5') as Price;
    const tokens = { inputTokens: 250_000, outputTokens: 1_000 };
    expect(claude.maxCostPico(tokens)).toBe(claude.costPico({ ...tokens, cacheWriteTokens: 250_000 }));
    const gpt = find('gpt-4o') as Price;
    expect(gpt.maxCostPico(tokens)).toBe(gpt.costPico(tokens));
  });

  test('wants whole counts', () => {
    expect(() => find('gpt-4o')?.maxCostPico({ inputTokens: Number.NaN, outputTokens: 1 })).toThrow(
      ConfigError,
    );
  });
});
