import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertTokenCounts } from '../usage.ts';
import { readUsage } from './usage.ts';

test('OpenAI counts cached and reasoning tokens within the whole', () => {
  expect(
    readUsage({
      usage: {
        prompt_tokens: 2006,
        completion_tokens: 300,
        total_tokens: 2306,
        prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 192, audio_tokens: 0 },
      },
    }),
  ).toEqual({
    inputTokens: 2006,
    outputTokens: 300,
    cachedInputTokens: 1920,
    reasoningTokens: 192,
    inputAudioTokens: 5,
  });
});

test('Groq tells the same, in streams under x_groq', () => {
  const usage = {
    prompt_tokens: 4641,
    completion_tokens: 10,
    total_tokens: 4651,
    prompt_time: 0.01,
    prompt_tokens_details: { cached_tokens: 4608 },
  };
  const counts = { inputTokens: 4641, outputTokens: 10, cachedInputTokens: 4608 };
  expect(readUsage({ usage })).toEqual(counts);
  expect(readUsage({ x_groq: { id: 'req_1', usage } })).toEqual(counts);
});

test('hosts that keep reasoning out of the completion are brought into the one convention', () => {
  expect(
    readUsage({
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 115,
        completion_tokens_details: { reasoning_tokens: 100 },
      },
    }),
  ).toEqual({ inputTokens: 10, outputTokens: 105, reasoningTokens: 100 });
});

test('DeepSeek names its cached tokens in another place, and cache writes count as input', () => {
  expect(
    readUsage({ usage: { prompt_tokens: 9, completion_tokens: 1, prompt_cache_hit_tokens: 4 } }),
  ).toEqual({
    inputTokens: 9,
    outputTokens: 1,
    cachedInputTokens: 4,
  });
  expect(
    readUsage({
      usage: { prompt_tokens: 9, completion_tokens: 1, prompt_tokens_details: { cache_write_tokens: 7 } },
    }),
  ).toEqual({ inputTokens: 9, outputTokens: 1, cacheWriteTokens: 7 });
});

test('no usage is no usage, not zero', () => {
  for (const body of [
    {},
    { usage: null },
    { usage: {} },
    { usage: { prompt_tokens: 3 } },
    { x_groq: { id: 'r' } },
  ]) {
    expect(readUsage(body)).toBeUndefined();
  }
  expect(readUsage({ usage: { prompt_tokens: -1, completion_tokens: Number.NaN } })).toBeUndefined();
});

test('whatever a host sends, the result is usage that everything downstream accepts', () => {
  const anyCount = fc.oneof(
    fc.nat(5_000),
    fc.double(),
    fc.constantFrom<unknown>(null, undefined, '7', -3, Number.NaN, 1e300, {}),
  );
  const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc.record(model, { noNullPrototype: true });
  const usage = record({
    prompt_tokens: anyCount,
    completion_tokens: anyCount,
    total_tokens: anyCount,
    prompt_cache_hit_tokens: anyCount,
    prompt_tokens_details: fc.option(
      record({ cached_tokens: anyCount, cache_write_tokens: anyCount, audio_tokens: anyCount }),
    ),
    completion_tokens_details: fc.option(record({ reasoning_tokens: anyCount, audio_tokens: anyCount })),
  });
  fc.assert(
    fc.property(usage, (wire) => {
      const counts = readUsage({ usage: wire });
      if (counts !== undefined) assertTokenCounts(counts);
    }),
  );
});
