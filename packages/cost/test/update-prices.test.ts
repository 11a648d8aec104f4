import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileProviders, toFraction } from '../scripts/compile-prices.ts';
import { renderModule, renderTable } from '../scripts/update-prices.ts';
import { priceData, priceSource } from '../src/prices/price-data.ts';

test('the table in the tree is what the installed prices compile to: else run `pnpm prices:update`', async () => {
  expect(await renderTable()).toBe(priceData);
  const entry = createRequire(import.meta.url).resolve('@pydantic/genai-prices');
  const { version } = JSON.parse(readFileSync(join(entry, '../../package.json'), 'utf8')) as {
    version: string;
  };
  expect(priceSource).toEqual({
    name: '@pydantic/genai-prices',
    version,
    takenOn: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
  });
  const file = readFileSync(join(import.meta.dirname, '../src/prices/price-data.ts'), 'utf8');
  expect(renderModule(priceData, version, priceSource.takenOn)).toBe(file);
});

test.each([
  [2.5, 5n, 2n],
  [0, 0n, 1n],
  [0.0375, 3n, 80n],
  [150, 150n, 1n],
  [0.08333333333333334, 1n, 12n],
  [0.18000000000000002, 9n, 50n],
  [0.123456789012, 30_864_197_253n, 250_000_000_000n],
])('%d dollars are %d/%d', (value, numerator, denominator) => {
  expect(toFraction(value)).toEqual({ numerator, denominator });
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%d is no price', (value) => {
  expect(() => toFraction(value)).toThrow(/Not a price/);
});

describe('compiled models', () => {
  const compile = (prices: object, model: object = {}) => {
    const provider = {
      id: 'acme',
      name: 'Acme',
      api_pattern: '',
      models: [{ id: 'm', match: { equals: 'M' }, prices: prices as Record<string, number>, ...model }],
    };
    return compileProviders([provider])[0]?.[4][0];
  };
  const tiers = (start: number, base: number, price: number) => ({ base, tiers: [{ start, price }] });

  test('have whole pico-dollars per token, and a rule only where the id is not enough', () => {
    expect(compile({ input_mtok: 0.05, output_mtok: 0.08 })).toEqual(['m', 0, 0, [0, [0, 50_000, 80_000]]]);
    const match = {
      or: [{ starts_with: 'M-' }, { and: [{ contains: 'x' }, { ends_with: 'Y' }] }, { regex: '^m\\d' }],
    };
    expect(compile({ input_mtok: 1 }, { match, context_window: 8 })).toEqual([
      'm',
      ['^m-', { and: ['*x', '$y'] }, '~^m\\d'],
      8,
      [0, [0, 1_000_000]],
    ]);
  });

  test('have one step per prompt length that changes any rate', () => {
    const prices = { input_mtok: tiers(100, 1, 2), output_mtok: tiers(200, 3, 4), cache_read_mtok: 0.5 };
    expect(compile(prices)?.[3]).toEqual([
      0,
      [0, 1_000_000, 3_000_000, 500_000],
      [100, 2_000_000, 3_000_000, 500_000],
      [200, 2_000_000, 4_000_000, 500_000],
    ]);
  });

  test('have periods by date and by time of day', () => {
    const time = { type: 'time_of_date', start_time: '08:30:00+08:00', end_time: '16:30:00Z' };
    const prices = [
      { prices: { input_mtok: 1 } },
      { constraint: { type: 'start_date', start_date: '2026-01-31' }, prices: { input_mtok: 2 } },
      { constraint: time, prices: { input_mtok: 3 } },
    ];
    expect(compile(prices)?.slice(3)).toEqual([
      [0, [0, 1_000_000]],
      ['2026-01-31', [0, 2_000_000]],
      [
        [1_800_000, 59_400_000],
        [0, 3_000_000],
      ],
    ]);
  });

  test('are free only where that is said', () => {
    expect(compile({})?.slice(3)).toEqual([]);
    expect(compile({}, { id: 'm:free' })?.slice(3)).toEqual([[0, [0]]]);
    expect(compile({}, { price_comments: 'Included in the subscription: …' })?.slice(3)).toEqual([[0, [0]]]);
    expect(compile({}, { price_comments: 'Included, but nobody knows at what price' })?.slice(3)).toEqual([]);
  });

  test('have no price where tokens alone do not tell it', () => {
    expect(compile({ audio_hours: 1 })?.slice(3)).toEqual([]);
    expect(compile({ input_mtok: 1, output_mtok: 2, output_image_mtok: 30 })?.slice(3)).toEqual([]);
    expect(compile({ input_mtok: 1, output_mtok: 2, input_image_mtok: 1 })?.slice(3)).toHaveLength(1);
    const gptOss = { id: 'gpt-oss-20b', match: { equals: 'gpt-oss-20b' }, prices: { input_mtok: 1 } };
    const openai = { id: 'openai', name: 'OpenAI', api_pattern: '', models: [gptOss] };
    expect(compileProviders([openai])[0]?.[4]).toEqual([['gpt-oss-20b', 0, 0]]);
  });

  test('refuse what they do not understand', () => {
    expect(() => compile({ input_mtok: 1 }, { match: { sounds_like: 'm' } })).toThrow(/sounds_like/);
    expect(() => compile({ input_mtok: -1 })).toThrow(/Not a price/);
  });
});
