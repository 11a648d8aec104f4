import { calcPrice } from '@pydantic/genai-prices';
import { ConfigError, type Price, type PriceQuery, type TokenCounts } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { PriceBook, type PriceBookOptions } from './price-book.ts';
import { readTable } from './prices/price-table.ts';

const today = Date.UTC(2026, 10, 23, 12);
const clock = { now: () => today };
const book = new PriceBook({ clock });

/** Exact dollars for a million input, cached input and output tokens, each from short prompts. */
function perMillion(price: Price | undefined): (number | undefined)[] {
  const of = (usage: TokenCounts): number | undefined => price && Number(price.costPico(usage)) / 1e9;
  return [
    of({ inputTokens: 1_000, outputTokens: 0 }),
    of({ inputTokens: 1_000, outputTokens: 0, cachedInputTokens: 1_000 }),
    of({ inputTokens: 0, outputTokens: 1_000 }),
  ];
}

const find = (query: PriceQuery | string): Price | undefined =>
  book.find(typeof query === 'string' ? { model: query } : query);
const where = (query: PriceQuery | string): string | undefined => {
  const price = find(query);
  return price && `${price.provider}: ${price.model}`;
};

describe('the models of the tutorial', () => {
  test.each([
    ['llama-3.1-8b-instant', 'groq', 0.05, 0.05, 0.08],
    ['llama-3.3-70b-versatile', 'groq', 0.59, 0.59, 0.79],
    ['gpt-4o', 'openai', 2.5, 1.25, 10],
    ['gpt-4o-mini', 'openai', 0.15, 0.075, 0.6],
  ])('%s', (model, provider, ...dollars) => {
    for (const query of [{ model }, { model, provider }, { model: `${provider}/${model}` }]) {
      expect(perMillion(book.find(query))).toEqual(dollars);
      expect(book.find(query)?.provider).toBe(provider);
    }
  });

  test('exactly, to the pico-dollar, over a million calls', () => {
    const price = find('gpt-4o-mini');
    const one = price?.costPico({ inputTokens: 7, outputTokens: 3 }) ?? 0n;
    expect(one).toBe(2_850_000n);
    expect(one * 1_000_000n).toBe(2_850_000_000_000n);
  });
});

describe('ids', () => {
  test.each([
    [
      'slashes belong to the model where a provider is given',
      { provider: 'groq', model: 'openai/gpt-oss-20b' },
      'groq: openai/gpt-oss-20b',
    ],
    ['the provider is split off once', 'groq/openai/gpt-oss-20b', 'groq: openai/gpt-oss-20b'],
    [
      'also where it is given as well',
      { provider: 'groq', model: 'groq/openai/gpt-oss-20b' },
      'groq: openai/gpt-oss-20b',
    ],
    [
      'OpenAI does not serve its open models, so a host does',
      'openai/gpt-oss-20b',
      'groq: openai/gpt-oss-20b',
    ],
    ['nor when it is said to', { provider: 'openai', model: 'gpt-oss-20b' }, undefined],
    ['an aggregator keeps the maker in its ids', 'openrouter/openai/gpt-4o', 'openrouter: openai/gpt-4o'],
    ['a snapshot has its own price', 'gpt-4o-2024-05-13', 'openai: gpt-4o-2024-05-13'],
    ['a date may be written without dashes', 'gpt-4o-20240513', 'openai: gpt-4o-2024-05-13'],
    ['a later snapshot has the price of its family', 'gpt-4o-2024-11-20', 'openai: gpt-4o'],
    ['a fine-tune has its own', 'ft:gpt-4o-mini-2024-07-18:org::id', 'openai: ft:gpt-4o-mini'],
    ['case and blanks do not matter', { provider: ' OpenAI ', model: ' GPT-4o ' }, 'openai: gpt-4o'],
    ['a provider may have other names', { provider: 'xai', model: 'grok-4.3' }, 'x-ai: grok-4.3'],
    [
      'a provider may serve what another makes',
      { provider: 'azure', model: 'gpt-4.1-2025-04-14' },
      'azure: gpt-4.1',
    ],
    [
      'LiteLLM is no provider',
      { provider: 'litellm', model: 'groq/llama-3.1-8b-instant' },
      'groq: llama-3.1-8b-instant',
    ],
    ['an empty provider is none', { provider: '', model: 'gpt-4o' }, 'openai: gpt-4o'],
    ['a maker is known by its naming', 'claude-sonnet-4-5', 'anthropic: claude-sonnet-4-5'],
  ] as const)('%s', (_, query, expected) => {
    expect(where(query)).toBe(expected);
  });

  test.each([
    ['an open model that many host', 'gpt-oss-20b'],
    ['a model of another provider', { provider: 'openai', model: 'llama-3.1-8b-instant' }],
    ['a host that is not in the table, also with a known model', { provider: 'my-vllm', model: 'gpt-4o' }],
    ['a model that does not exist', 'gpt-9o'],
    ['an id in the middle of nowhere', 'acme/internal-7b'],
    ['something that is called moderation', 'acme-moderation-1'],
    ['a model priced by the hour', { provider: 'groq', model: 'whisper-large-v3' }],
    ['a model whose pictures have their own price', { provider: 'google', model: 'gemini-2.5-flash-image' }],
  ])('unknown, and not free: %s', (_, query) => {
    expect(find(query)).toBeUndefined();
  });

  test('default hosts are an option', () => {
    const fireworks = new PriceBook({ defaultHosts: ['huggingface_fireworks-ai', 'groq'] });
    expect(fireworks.find({ model: 'openai/gpt-oss-20b' })?.provider).toBe('huggingface_fireworks-ai');
    expect(fireworks.find({ model: 'llama-3.1-8b-instant' })?.provider).toBe('groq');
    expect(new PriceBook({ defaultHosts: [] }).find({ model: 'llama-3.1-8b-instant' })).toBeUndefined();
  });

  test('a model that is said to be free costs zero, which is not unknown', () => {
    const price = find('openrouter/deepseek/deepseek-r1:free');
    expect(price?.costPico({ inputTokens: 1_000_000, outputTokens: 1_000_000 })).toBe(0n);
    expect(price?.maxCostPico({ inputTokens: 1_000_000, outputTokens: 1_000_000 })).toBe(0n);
  });

  test('hostile ids are unknown, and fast', () => {
    const long = 'gpt-4o'.repeat(2_000);
    const dates = `gpt${'-20240101'.repeat(27)}`;
    const hostile = [
      '',
      ' ',
      '__proto__',
      'constructor',
      '/',
      '//',
      'groq/',
      '/gpt-4o',
      long,
      dates,
      '\0',
      '(a+)+$',
    ];
    const startMs = performance.now();
    for (const model of hostile) {
      expect(find(model), model.slice(0, 40)).toBeUndefined();
      expect(find({ model: 'gpt-4o', provider: model })?.model).toBe(
        model.trim() === '' ? 'gpt-4o' : undefined,
      );
      expect(find({ model: 'gpt-4o', serviceTier: model })?.model).toBe(
        model.length > 256 ? undefined : 'gpt-4o',
      );
    }
    for (let index = 0; index < 3_000; index++)
      expect(find(`model-${index}-${'x'.repeat(200)}`)).toBeUndefined();
    expect(performance.now() - startMs).toBeLessThan(5_000);
    expect(find({ model: undefined as unknown as string })).toBeUndefined();
    expect(find({ model: 'gpt-4o', provider: {} as unknown as string })).toBeUndefined();
  });

  test('the same question has the same answer, whatever was asked in between', () => {
    const price = find('gpt-4o');
    for (let index = 0; index < 1_500; index++) find({ model: 'gpt-4o', provider: `host-${index}` });
    expect(perMillion(find('gpt-4o'))).toEqual(perMillion(price));
    expect(find('gpt-4o')).toBe(find('gpt-4o'));
  });
});

describe('time', () => {
  test.each([
    ['before the price cut', '2025-06-09T23:59:59.999Z', 10, 40],
    ['after it', '2025-06-10T00:00:00Z', 2, 8],
    ['now', new Date(today).toISOString(), 2, 8],
  ])('o3 %s', (_, at, input, output) => {
    const price = book.find({ model: 'o3', atMs: Date.parse(at) });
    expect(perMillion(price)).toEqual([input, 0.5, output]);
  });

  test.each(['00:29:59.999', '00:30', '16:29:59.999', '16:30', '23:59'])(
    'deepseek-chat by the hour: %s',
    (time) => {
      const atMs = Date.parse(`2025-05-01T${time}Z`);
      const usage = { input_tokens: 1_000, output_tokens: 0 };
      const expected = calcPrice(usage, 'deepseek-chat', { timestamp: new Date(atMs) });
      const [input] = perMillion(book.find({ model: 'deepseek-chat', atMs }));
      expect(input).toBeCloseTo((expected?.total_price ?? 0) * 1_000, 12);
    },
  );

  test('the clock tells now, and moves prices that were asked before', () => {
    let nowMs = Date.parse('2025-06-09');
    const moving = new PriceBook({ clock: { now: () => nowMs } });
    expect(perMillion(moving.find({ model: 'o3' }))[0]).toBe(10);
    nowMs = Date.parse('2025-06-10');
    expect(perMillion(moving.find({ model: 'o3' }))[0]).toBe(2);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a time that is none is refused: %s', (atMs) => {
    expect(() => book.find({ model: 'gpt-4o', atMs })).toThrow(ConfigError);
  });
});

describe('the end of a model', () => {
  test.each([
    ['llama-3.1-8b-instant', '2026-08-16', 'openai/gpt-oss-20b', true],
    ['llama-3.3-70b-versatile', '2026-08-16', 'openai/gpt-oss-120b', true],
    ['gpt-4o', '2027-01-14', undefined, false],
    ['gpt-4o-mini', '2027-01-14', 'gpt-6-luna', false],
    ['gpt-4o-2024-05-13', '2026-10-23', 'gpt-5.6-sol', true],
    ['o3', '2026-12-11', undefined, false],
  ])('%s', (model, on, replacement, past) => {
    expect(find(model)?.retirement).toEqual({ on, ...(replacement && { replacement }), past });
  });

  test('passes at the end of its day, and the price stays', () => {
    const at = (moment: string) => book.find({ model: 'llama-3.1-8b-instant', atMs: Date.parse(moment) });
    expect(at('2026-08-16T23:59:59.999Z')?.retirement?.past).toBe(false);
    expect(at('2026-08-17')?.retirement?.past).toBe(true);
    expect(perMillion(at('2026-08-17'))).toEqual([0.05, 0.05, 0.08]);
  });

  test('every replacement has a price itself', () => {
    for (const provider of ['groq', 'openai']) {
      const models = readTable().find(([id]) => id === provider)?.[4] ?? [];
      for (const [model] of models) {
        const replacement = book.find({ provider, model })?.retirement?.replacement;
        if (replacement !== undefined) expect(where({ provider, model: replacement })).toBeDefined();
      }
    }
  });

  test('is of the provider that ends it', () => {
    expect(find('openrouter/openai/gpt-4o')?.retirement).toBeUndefined();
    expect(find({ provider: 'azure', model: 'gpt-4o' })?.retirement).toBeUndefined();
  });
});

test.each([
  [{ override: [] }, /no option "override"/],
  [{ overrides: {} }, /overrides must be a list/],
  [{ tiers: {} }, /tiers must be a list/],
  [{ defaultHosts: [''] }, /defaultHosts\[0\]/],
])('wrong options are refused: %j', (options, message) => {
  expect(() => new PriceBook(options as unknown as PriceBookOptions)).toThrow(message);
});
