import { expect, test } from 'vitest';
import { assertTokenCounts } from './usage.ts';

test('whole counts with parts inside their whole pass', () => {
  assertTokenCounts({
    inputTokens: 10,
    outputTokens: 5,
    cachedInputTokens: 4,
    cacheWriteTokens: 6,
    reasoningTokens: 5,
  });
});

test.each([
  [{ inputTokens: -1, outputTokens: 0 }, 'inputTokens must be a whole number >= 0, got -1.'],
  [{ inputTokens: 1.5, outputTokens: 0 }, 'inputTokens'],
  [{ inputTokens: 0, outputTokens: Number.NaN }, 'outputTokens'],
  [{ outputTokens: 0 }, 'inputTokens must be a whole number >= 0, got undefined.'],
  [{ inputTokens: 9, outputTokens: 0, cachedInputTokens: 10 }, 'exceed inputTokens (9)'],
  [
    { inputTokens: 9, outputTokens: 0, cachedInputTokens: 5, cacheWriteTokens: 5 },
    'inputTokens includes both',
  ],
  [{ inputTokens: 0, outputTokens: 3, reasoningTokens: 4 }, 'exceed outputTokens (3)'],
  [{ inputTokens: 3, outputTokens: 3, inputAudioTokens: 4 }, 'Audio tokens (4 in'],
])('refuses %o', (usage, message) => {
  expect(() => assertTokenCounts(usage as never)).toThrow(message);
});
