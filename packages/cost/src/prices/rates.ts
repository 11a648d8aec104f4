import type { TokenCounts } from '@synapsekit/core';
import { type Fraction, leastCommonMultiple, zero } from './fraction.ts';

/** What can have a price of its own, in the order in which the table and every list of rates keeps it. */
export const rateNames = [
  'input',
  'output',
  'cachedInput',
  'cacheWrite',
  'inputAudio',
  'outputAudio',
  'cachedInputAudio',
  'reasoning',
  'request',
] as const;

/** One thing that has a price. */
export type RateName = (typeof rateNames)[number];

/** The prices that are known, in pico-dollars per token (`request`: per request). */
export type KnownRates = { readonly [name in RateName]?: Fraction | undefined };

/** The price of everything, in the order of `rateNames`, ready to be multiplied. */
export interface Rates {
  readonly fractions: readonly Fraction[];
  /** The fractions times `per`: whole numbers. */
  readonly scaled: readonly bigint[];
  readonly per: bigint;
  /** The same as numbers, where all of them are exact. */
  readonly fast: { readonly scaled: readonly number[]; readonly per: number } | undefined;
}

/**
 * Fills the gaps: what has no price of its own costs what the whole it is part of costs. So a cached token without
 * a cache price costs a full input token, and reasoning costs what output costs. No input or output price at all
 * is free: embeddings have no output.
 */
export function fillRates(known: KnownRates): Rates {
  const { input = zero, output = zero, cachedInput = input, inputAudio = input } = known;
  return ratesFrom([
    input,
    output,
    cachedInput,
    known.cacheWrite ?? input,
    inputAudio,
    known.outputAudio ?? output,
    known.cachedInputAudio ?? (known.inputAudio === undefined ? cachedInput : inputAudio),
    known.reasoning ?? output,
    known.request ?? zero,
  ]);
}

/** Prepares a full list of prices. */
export function ratesFrom(fractions: readonly Fraction[]): Rates {
  const per = leastCommonMultiple(fractions.map(({ denominator }) => denominator));
  const scaled = fractions.map(({ numerator, denominator }) => numerator * (per / denominator));
  const numbers = { scaled: scaled.map(Number), per: Number(per) };
  const exact = [...numbers.scaled, numbers.per].every(Number.isSafeInteger);
  return { fractions, scaled, per, fast: exact ? numbers : undefined };
}

/**
 * What these counts cost in whole pico-dollars: exact up to one rounding at the end, up.
 *
 * @param counts how many of each, in the order of `rateNames`.
 */
export function totalPico(counts: readonly number[], { scaled, per, fast }: Rates): bigint {
  if (fast !== undefined) {
    let sum = 0;
    for (let index = 0; index < counts.length; index++) {
      sum += (counts[index] as number) * (fast.scaled[index] as number);
    }
    // A sum of whole numbers that ends below 2^53 was exact all the way.
    if (sum <= Number.MAX_SAFE_INTEGER) {
      const rest = sum % fast.per;
      return BigInt(rest === 0 ? sum / fast.per : (sum - rest) / fast.per + 1);
    }
  }
  const sum = counts.reduce((total, count, index) => total + BigInt(count) * (scaled[index] as bigint), 0n);
  return (sum + per - 1n) / per;
}

/**
 * Splits token counts into disjoint parts, in the order of `rateNames`. Usage does not tell which of the cached
 * tokens were audio: the reading that costs more counts.
 */
export function splitCounts(usage: TokenCounts, rates: Rates): number[] {
  const { inputTokens, outputTokens, inputAudioTokens: heard = 0, outputAudioTokens: spoken = 0 } = usage;
  const {
    cachedInputTokens: cached = 0,
    cacheWriteTokens: written = 0,
    reasoningTokens: reasoned = 0,
  } = usage;
  if (heard > 0 || spoken > 0) return splitAudio(usage, rates);
  return [inputTokens - cached - written, outputTokens - reasoned, cached, written, 0, 0, 0, reasoned, 1];
}

function splitAudio(usage: TokenCounts, { scaled }: Rates): number[] {
  const [input, output, cachedText, write, audio, speech, cachedAudio, thought] = scaled as NineRates;
  const { inputTokens, outputTokens, cachedInputTokens: cached = 0 } = usage;
  // What has no price of its own stays in its whole: there it cannot be counted twice.
  const own = (differs: boolean, count = 0): number => (differs ? count : 0);
  const written = own(write !== input, usage.cacheWriteTokens);
  const reasoned = own(thought !== output, usage.reasoningTokens);
  const heard = own(audio !== input || cachedAudio !== cachedText, usage.inputAudioTokens);
  const spoken = own(speech !== output, usage.outputAudioTokens);
  const cachedHeard =
    input + cachedAudio > audio + cachedText
      ? Math.min(cached, heard)
      : Math.max(0, heard - (inputTokens - cached));
  const freshHeard = heard - cachedHeard;
  return [
    Math.max(0, inputTokens - cached - written - freshHeard),
    Math.max(0, outputTokens - reasoned - spoken),
    cached - cachedHeard,
    written,
    freshHeard,
    spoken,
    cachedHeard,
    reasoned,
    1,
  ];
}

type NineRates = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
