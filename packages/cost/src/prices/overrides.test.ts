import { ConfigError, type Price, type PriceQuery, type TokenCounts } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { PriceBook } from '../price-book.ts';
import type { PriceOverride } from '../price-override.ts';

const clock = { now: () => Date.UTC(2026, 10, 23) };
const withOverrides = (...overrides: PriceOverride[]): PriceBook => new PriceBook({ overrides, clock });
const dollars = (inputUsdPerMillion: number | string, outputUsdPerMillion: number | string) => ({
  inputUsdPerMillion,
  outputUsdPerMillion,
});

/** Pico-dollars of a thousand input tokens. */
function inputPico(book: PriceBook, query: PriceQuery | string): bigint | undefined {
  const price = book.find(typeof query === 'string' ? { model: query } : query);
  return price?.costPico({ inputTokens: 1_000, outputTokens: 0 });
}

describe('an override', () => {
  test('replaces the price of the table as a whole, and keeps what else the table knows', () => {
    const book = withOverrides({ provider: 'openai', model: 'gpt-4o', ...dollars(2, 8) });
    const price = book.find({ model: 'gpt-4o' }) as Price;
    const usage: TokenCounts = {
      inputTokens: 100,
      outputTokens: 10,
      cachedInputTokens: 50,
      reasoningTokens: 5,
    };
    expect(price.costPico(usage)).toBe(100n * 2_000_000n + 10n * 8_000_000n);
    expect(price).toMatchObject({
      provider: 'openai',
      model: 'gpt-4o',
      source: 'your override',
      contextWindow: 128_000,
      maxOutputTokens: 16_384,
      retirement: { on: '2027-01-14', past: false },
    });
  });

  test('prices every part that it names', () => {
    const book = withOverrides({
      model: 'own',
      ...dollars(1, '10'),
      cachedInputUsdPerMillion: 0.1,
      cacheWriteUsdPerMillion: 1.25,
      reasoningUsdPerMillion: 20,
      inputAudioUsdPerMillion: 5,
      outputAudioUsdPerMillion: 50,
    });
    const price = book.find({ model: 'own' }) as Price;
    const usage = {
      inputTokens: 100,
      cachedInputTokens: 10,
      cacheWriteTokens: 20,
      inputAudioTokens: 30,
      outputTokens: 100,
      reasoningTokens: 40,
      outputAudioTokens: 50,
    };
    // Audio has no cached price: cached tokens that were audio cost the most, so that is how they are read.
    const input = 50n * 1_000_000n + 20n * 1_250_000n + 30n * 5_000_000n;
    const output = 10n * 10_000_000n + 40n * 20_000_000n + 50n * 50_000_000n;
    expect(price.costPico(usage)).toBe(input + output);
    const tokens = { inputTokens: 100, outputTokens: 100 };
    expect(price.maxCostPico(tokens)).toBe(100n * 1_250_000n + 100n * 20_000_000n);
  });

  test.each([
    ['exact id', 'gpt-4o', 'gpt-4o', true],
    ['exact id of another case', 'GPT-4o', ' gpt-4O', true],
    ['exact id, to a snapshot of the same price', 'gpt-4o', 'gpt-4o-2024-11-20', true],
    ['exact id is no prefix', 'gpt-4o', 'gpt-4o-audio-preview', false],
    ['prefix', 'gpt-4o*', 'gpt-4o-2024-11-20', true],
    ['prefix of another name', 'gpt-4o-mini*', 'gpt-4o', false],
    ['everything', '*', 'gpt-4o', true],
  ])('applies by %s', (_, model, asked, applies) => {
    const book = withOverrides({ model, ...dollars(7, 7) });
    expect(inputPico(book, asked)).toBe(applies ? 7_000_000_000n : 2_500_000_000n);
  });

  test.each([
    ['own provider, stated', { model: 'llama', provider: 'acme' }, true],
    ['own provider, in any case', { model: 'Llama', provider: 'ACME' }, true],
    ['own provider, as a prefix', { model: 'acme/llama' }, true],
    ['own provider, twice', { model: 'acme/llama', provider: 'acme' }, true],
    ['id alone, of which the table knows nothing', { model: 'llama' }, true],
    ['another provider', { model: 'llama', provider: 'other' }, false],
  ])('of one provider answers for: %s', (_, query, answers) => {
    const book = withOverrides({ provider: 'acme', model: 'llama', ...dollars(1, 1) });
    expect(book.find(query)?.provider).toBe(answers ? 'acme' : undefined);
  });

  test('of one provider leaves the others alone', () => {
    const book = withOverrides({ provider: 'azure', model: 'gpt-4o', ...dollars(1, 1) });
    expect(inputPico(book, 'gpt-4o')).toBe(2_500_000_000n);
    expect(inputPico(book, { provider: 'azure', model: 'gpt-4o' })).toBe(1_000_000_000n);
  });

  test('two hosts of an id that the table does not know are ambiguous', () => {
    const hosts = ['acme', 'other'].map((provider) => ({ provider, model: 'llama', ...dollars(1, 1) }));
    expect(withOverrides(...hosts).find({ model: 'llama' })).toBeUndefined();
  });

  test('the id alone is enough where the table tells the provider', () => {
    const book = withOverrides({ provider: 'groq', model: 'llama-3.1-8b-instant', ...dollars(1, 1) });
    expect(inputPico(book, 'llama-3.1-8b-instant')).toBe(1_000_000_000n);
  });

  test('of several that fit, the first counts', () => {
    const book = withOverrides({ model: 'gpt-4o', ...dollars(1, 1) }, { model: 'gpt-*', ...dollars(2, 2) });
    expect([inputPico(book, 'gpt-4o'), inputPico(book, 'gpt-5')]).toEqual([1_000_000_000n, 2_000_000_000n]);
  });

  test('for the very id counts before one for its family', () => {
    const family = { model: 'gpt-4o', ...dollars(1, 1) };
    const book = withOverrides(family, { model: 'gpt-4o-2024-11-20', ...dollars(2, 2) });
    expect(inputPico(book, 'gpt-4o-2024-11-20')).toBe(2_000_000_000n);
    expect(inputPico(book, 'gpt-4o-2024-08-06')).toBe(1_000_000_000n);
    expect(inputPico(book, { provider: 'openai', model: 'gpt-4o-2024-08-06' })).toBe(1_000_000_000n);
    expect(inputPico(book, 'gpt-4o-2024-05-13')).toBe(5_000_000_000n);
  });

  test('holds from its first moment to before its last, then the table does', () => {
    const book = withOverrides(
      { model: 'gpt-4o', ...dollars(1, 1), validFrom: '2026-03-01', validUntil: '2026-04-01' },
      { model: 'gpt-4o', ...dollars(3, 3), validFrom: '2026-04-01T00:00:00+02:00', validUntil: '2026-05-01' },
    );
    const at = (moment: string) => inputPico(book, { model: 'gpt-4o', atMs: Date.parse(moment) });
    expect(at('2026-02-28T23:59:59.999Z')).toBe(2_500_000_000n);
    expect(at('2026-03-01')).toBe(1_000_000_000n);
    expect(at('2026-03-31T23:59:59.999Z')).toBe(1_000_000_000n);
    expect(at('2026-04-01')).toBe(3_000_000_000n);
    expect(at('2026-05-01')).toBe(2_500_000_000n);
  });

  test('steps up for long prompts', () => {
    const longContext = { aboveInputTokens: 1_000, ...dollars(2, 20) };
    const book = withOverrides({ model: 'own', ...dollars(1, 10), longContext });
    const price = book.find({ model: 'own' }) as Price;
    expect(price.costPico({ inputTokens: 1_000, outputTokens: 1 })).toBe(1_010_000_000n);
    expect(price.costPico({ inputTokens: 1_001, outputTokens: 1 })).toBe(2_022_000_000n);
    expect(price.maxCostPico({ inputTokens: 1_001, outputTokens: 1 })).toBe(2_022_000_000n);
  });

  test('a cheaper price for long prompts does not lower the bound', () => {
    const longContext = { aboveInputTokens: 1_000, ...dollars(0.1, 1) };
    const price = withOverrides({ model: 'own', ...dollars(1, 10), longContext }).find({
      model: 'own',
    }) as Price;
    const bound = price.maxCostPico({ inputTokens: 1_001, outputTokens: 1 });
    expect(bound).toBeGreaterThanOrEqual(price.costPico({ inputTokens: 1_000, outputTokens: 1 }));
  });

  test('is free only where it says so, and then in every tier', () => {
    const book = withOverrides({ provider: 'ollama', model: '*', free: true, contextWindow: 8_192 });
    for (const serviceTier of [undefined, 'batch', 'priority']) {
      const price = book.find({ provider: 'ollama', model: 'llama3.2:3b', serviceTier }) as Price;
      expect(price.costPico({ inputTokens: 1_000, outputTokens: 1_000 })).toBe(0n);
      expect(price.contextWindow).toBe(8_192);
    }
  });

  test('has its own tiers, else the factor of the provider, else none', () => {
    const tiers = { batch: dollars(0.25, 2), Fast: dollars(9, 90), turbo: dollars(30, 300) };
    const book = withOverrides(
      { provider: 'openai', model: 'gpt-4o', ...dollars(1, 10), tiers },
      { provider: 'openai', model: 'gpt-4o-mini', ...dollars(1, 10) },
      { provider: 'acme', model: 'llama', ...dollars(1, 10) },
    );
    const tier = (model: string, serviceTier: string) => inputPico(book, { model, serviceTier });
    expect(tier('gpt-4o', 'batch')).toBe(250_000_000n);
    expect(tier('gpt-4o', 'priority')).toBe(9_000_000_000n);
    expect(tier('gpt-4o', 'turbo')).toBe(30_000_000_000n);
    expect(tier('gpt-4o', 'flex')).toBe(500_000_000n);
    expect(tier('gpt-4o-mini', 'priority')).toBe(1_666_666_667n);
    expect(tier('acme/llama', 'flex')).toBeUndefined();
    expect(tier('acme/llama', 'default')).toBe(1_000_000_000n);
  });

  test('is exact to a millionth of a pico-dollar per token', () => {
    const book = withOverrides({ model: 'own', ...dollars('0.000000000001', 0.1 + 0.2) });
    const price = book.find({ model: 'own' }) as Price;
    expect(price.costPico({ inputTokens: 1_000_000, outputTokens: 0 })).toBe(1n);
    expect(price.costPico({ inputTokens: 1_000_001, outputTokens: 0 })).toBe(2n);
  });
});

const priced = { model: 'own', ...dollars(1, 1) };

test.each([
  ['no object', null, /overrides\[0\] must be an object/],
  ['a misspelt key', { ...priced, inputUsd: 1 }, /no option "inputUsd"/],
  ['no model', dollars(1, 1), /overrides\[0\]\.model must be a text/],
  ['an empty provider', { ...priced, provider: ' ' }, /provider must be a text/],
  ['half a price', { model: 'own', inputUsdPerMillion: 1 }, /outputUsdPerMillion is missing/],
  ['no price', { model: 'own' }, /inputUsdPerMillion is missing/],
  ['NaN', { ...priced, inputUsdPerMillion: Number.NaN }, /inputUsdPerMillion must be a finite amount/],
  ['a negative price', { ...priced, cachedInputUsdPerMillion: -0.1 }, /must not be negative/],
  ['a price that is no amount', { ...priced, outputUsdPerMillion: '1,5' }, /outputUsdPerMillion/],
  ['a bigint', { ...priced, outputUsdPerMillion: 1n }, /dollars per million tokens/],
  ['zero by accident', { model: 'own', ...dollars(0, 0) }, /write "free: true"/],
  ['free and priced', { ...priced, free: true }, /which is free, has no option "inputUsdPerMillion"/],
  ['a context window of nothing', { ...priced, contextWindow: 0 }, /contextWindow must be a whole number/],
  ['half a token', { ...priced, maxOutputTokens: 0.5 }, /maxOutputTokens must be a whole number/],
  ['a day that does not exist', { ...priced, validFrom: '2026-02-30' }, /validFrom must be a day/],
  ['a time without a zone', { ...priced, validFrom: '2026-02-03T00:00' }, /validFrom must be a day/],
  ['a date object', { ...priced, validUntil: new Date() }, /validUntil must be a day/],
  [
    'an end before its start',
    { ...priced, validFrom: '2026-02-03', validUntil: '2026-02-03' },
    /later than validFrom/,
  ],
  ['a step without a length', { ...priced, longContext: dollars(1, 1) }, /longContext\.aboveInputTokens/],
  [
    'a step in a step',
    { ...priced, longContext: { ...dollars(1, 1), aboveInputTokens: 1, longContext: {} } },
    /no option/,
  ],
  [
    'a tier without a price',
    { ...priced, tiers: { batch: {} } },
    /tiers\.batch\.inputUsdPerMillion is missing/,
  ],
  ['tiers that are none', { ...priced, tiers: [] }, /tiers must be an object/],
])('%s is refused', (_, override, message) => {
  const build = () => withOverrides(override as unknown as PriceOverride);
  expect(build).toThrow(ConfigError);
  expect(build).toThrow(message);
});
