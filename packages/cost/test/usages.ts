import type { TokenCounts } from '@synapsekit/core';
import fc from 'fast-check';

/** Some share of a whole, often none of it. */
const share = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true }));

/** Token counts without audio whose parts fit into their wholes: short, long and very long requests. */
export const textUsage: fc.Arbitrary<TokenCounts> = fc
  .record({
    inputTokens: fc.oneof(fc.nat(20), fc.nat(4_000), fc.nat(300_000), fc.nat(1_500_000)),
    outputTokens: fc.oneof(fc.nat(20), fc.nat(4_000), fc.nat(100_000)),
    cached: share,
    written: share,
    reasoned: share,
  })
  .map(({ inputTokens, outputTokens, cached, written, reasoned }) => {
    const cachedInputTokens = Math.floor(inputTokens * cached);
    const cacheWriteTokens = Math.floor((inputTokens - cachedInputTokens) * written);
    const reasoningTokens = Math.floor(outputTokens * reasoned);
    return { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens };
  });

/** The same with audio among them. */
export const audioUsage: fc.Arbitrary<TokenCounts> = fc
  .record({ usage: textUsage, heard: share, spoken: share })
  .map(({ usage, heard, spoken }) => ({
    ...usage,
    inputAudioTokens: Math.floor(usage.inputTokens * heard),
    outputAudioTokens: Math.floor((usage.outputTokens - (usage.reasoningTokens ?? 0)) * spoken),
  }));

/** Unix milliseconds over all the time that prices changed in. */
export const anyTime: fc.Arbitrary<number> = fc.integer({
  min: Date.UTC(2024, 0, 1),
  max: Date.UTC(2027, 5, 1),
});
