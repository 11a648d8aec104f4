/** Our table against its source: the same model and the same price, for every model, over time. */
import {
  calcPrice,
  type MatchLogic,
  type PriceCalculation,
  type Provider,
  waitForUpdate,
} from '@pydantic/genai-prices';
import type { TokenCounts } from '@synapsekit/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PriceBook } from '../src/price-book.ts';
import { readTable } from '../src/prices/price-table.ts';
import { anyTime, audioUsage, textUsage } from './usages.ts';

const providers = (await waitForUpdate()) as Provider[];
const book = new PriceBook();
const samples = { numRuns: 10_000, seed: 20_261_123 };
const requests = fc.sample(
  fc.record({ usage: fc.oneof(textUsage, textUsage, audioUsage), atMs: anyTime }),
  samples,
);
let compared = 0;

/** Rows that we have no price for, as `provider/model`. */
const unpriced = new Set(
  readTable().flatMap(([provider, , , , models]) =>
    models.filter((model) => model.length === 3).map(([id]) => `${provider}/${id}`),
  ),
);

describe('every model of genai-prices, by any of its ids', () => {
  test.each(providers.map((provider) => [provider.id, provider] as const))('%s', (providerId, provider) => {
    for (const { id, match } of provider.models) {
      for (const model of new Set([id, id.toUpperCase(), ...examplesOf(match)])) {
        for (let round = 0; round < 3; round++) compare(providerId, model);
      }
    }
  });

  test('in more than ten thousand comparisons', () => {
    expect(compared).toBeGreaterThan(10_000);
  });
});

function compare(provider: string, model: string): void {
  const { usage, atMs } = requests[compared % requests.length] as (typeof requests)[number];
  compared++;
  const expected = theirs(usage, model, provider, atMs);
  const price = book.find({ provider, model, atMs });
  const known = expected !== null && !isUnpriced(expected);
  expect([price?.provider, price?.model], `${provider} ${model}`).toEqual(
    known ? [expected.provider.id, expected.model.id] : [undefined, undefined],
  );
  if (price === undefined || expected === null) return;
  const theirPico = expected.total_price * 1e12;
  const difference = Math.abs(Number(price.costPico(usage)) - theirPico);
  // Ours is rounded up to a whole pico-dollar once, theirs is a sum of floats.
  expect(difference, `${provider} ${model} ${JSON.stringify(usage)}`).toBeLessThanOrEqual(
    1 + theirPico * 1e-9,
  );
}

/** How many of the cached tokens were audio is not told, so theirs is the dearer of the two extremes. */
function theirs(
  usage: TokenCounts,
  model: string,
  providerId: string,
  atMs: number,
): PriceCalculation | null {
  const { inputTokens, cachedInputTokens = 0, inputAudioTokens = 0 } = usage;
  const fewest = Math.max(0, inputAudioTokens - (inputTokens - cachedInputTokens));
  const most = Math.min(cachedInputTokens, inputAudioTokens);
  const [few, many] = [fewest, most].map((cachedAudioTokens) => {
    const counts = {
      input_tokens: inputTokens,
      output_tokens: usage.outputTokens,
      cache_read_tokens: cachedInputTokens,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
      output_reasoning_tokens: usage.reasoningTokens ?? 0,
      input_audio_tokens: inputAudioTokens,
      output_audio_tokens: usage.outputAudioTokens ?? 0,
      cache_audio_read_tokens: cachedAudioTokens,
    };
    return calcPrice(counts, model, { providerId, timestamp: new Date(atMs) });
  });
  return many != null && few != null && many.total_price > few.total_price ? many : (few ?? null);
}

/** Also where another provider serves it by fallback. */
function isUnpriced({ provider, model }: PriceCalculation): boolean {
  const hosts = [provider.id, ...(provider.fallback_model_providers ?? [])];
  return hosts.some((host) => unpriced.has(`${host}/${model.id}`));
}

/** Ids that a rule takes: those it names, and what it begins, ends with or contains, filled up. */
function examplesOf(rule: MatchLogic): string[] {
  if ('or' in rule) return rule.or.flatMap(examplesOf);
  if ('and' in rule) return [];
  if ('equals' in rule) return [rule.equals];
  if ('starts_with' in rule) return [`${rule.starts_with}-x`, `${rule.starts_with}-20260131`];
  if ('ends_with' in rule) return [`x-${rule.ends_with}`];
  if ('contains' in rule) return [`x-${rule.contains}-y`];
  const digits = rule.regex.replaceAll(/\\d\{(\d)\}/g, (_, count) => '20260131'.slice(0, Number(count)));
  return [digits.replaceAll(/[\^$\\]/g, '')];
}

test('ids without a provider go where genai-prices sends them, where it knows', () => {
  for (const { id } of providers.flatMap(({ models }) => models)) {
    const expected = calcPrice({ input_tokens: 1, output_tokens: 1 }, id);
    if (expected === null || isUnpriced(expected) || id.includes('/')) continue;
    const price = book.find({ model: id, atMs: Date.now() });
    expect([price?.provider, price?.model], id).toEqual([expected.provider.id, expected.model.id]);
  }
});

test('what has no price here although the source lists it', () => {
  const byUnit = /whisper|transcribe|ocr|voice|voxtral-mini/; // priced by the hour, the page, the message
  expect([...unpriced].filter((id) => !byUnit.test(id))).toMatchInlineSnapshot(`
    [
      "cerebras/qwen-3-coder-480b",
      "google/gemini-2.5-flash-image",
      "google/gemini-3-pro-image-preview",
      "google/gemini-3.1-flash-image-preview",
      "google/gemini-3.1-flash-lite-image",
      "google/gemini-3.1-flash-live-preview",
      "google/gemini-embedding-2",
      "google/gemini-omni-flash-preview",
      "huggingface_together/ServiceNow-AI/Apriel-1.6-15b-Thinker",
      "openai/gpt-image-1",
      "openai/gpt-image-1-mini",
      "openai/gpt-image-1.5",
      "openai/gpt-image-2",
      "openai/gpt-oss-120b",
      "openai/gpt-oss-20b",
      "openai/gpt-oss-safeguard-20b",
      "openai/gpt-realtime",
      "openai/gpt-realtime-2",
      "openai/gpt-realtime-mini",
      "openai/moderation",
      "openrouter/gemini-2.5-pro-exp-03-25",
      "openrouter/google/gemini-flash-1.5-8b-exp",
      "openrouter/google/lyria-3-clip-preview",
      "openrouter/google/lyria-3-pro-preview",
      "quicksilverpro/gemini-3-pro-image",
    ]
  `);
});
