import type { PicoUsd } from '@synapsekit/core';

/**
 * What something costs, or may cost: both in one, since a limit is of either. A call does a dozen sums, most of them with
 * nothing: those make no new one.
 */
export interface Spend {
  readonly pico: PicoUsd;
  /** Of prompt and answer together. */
  readonly tokens: bigint;
}

/** What a limit counts. */
export type Unit = 'usd' | 'tokens';

export const nothing: Spend = Object.freeze({ pico: 0n, tokens: 0n });

export function plus(a: Spend, b: Spend): Spend {
  if (a === nothing) return b;
  if (b === nothing) return a;
  return { pico: a.pico + b.pico, tokens: a.tokens + b.tokens };
}

/** May be negative. */
export function minus(a: Spend, b: Spend): Spend {
  if (b === nothing) return a;
  return { pico: a.pico - b.pico, tokens: a.tokens - b.tokens };
}

/** The smaller of each. */
export function lesser(a: Spend, b: Spend): Spend {
  if (covers(a, b)) return b;
  if (covers(b, a)) return a;
  return { pico: smaller(a.pico, b.pico), tokens: smaller(a.tokens, b.tokens) };
}

/** Nothing in place of what is negative. */
export function atLeastZero(spend: Spend): Spend {
  const { pico, tokens } = spend;
  if (pico >= 0n && tokens >= 0n) return spend;
  return { pico: pico > 0n ? pico : 0n, tokens: tokens > 0n ? tokens : 0n };
}

/** The larger of each. */
export function greater(a: Spend, b: Spend): Spend {
  if (covers(a, b)) return a;
  if (covers(b, a)) return b;
  return { pico: larger(a.pico, b.pico), tokens: larger(a.tokens, b.tokens) };
}

/** True where `a` is enough for `b`. */
export function covers(a: Spend, b: Spend): boolean {
  return a.pico >= b.pico && a.tokens >= b.tokens;
}

/** The part of it that a limit counts. */
export function inUnit(spend: Spend, unit: Unit): bigint {
  return unit === 'usd' ? spend.pico : spend.tokens;
}

/** Tokens of prompt and answer; none where the counts are none. */
export function tokensOf({
  inputTokens,
  outputTokens,
}: {
  readonly inputTokens: number;
  readonly outputTokens: number;
}): bigint {
  const tokens = inputTokens + outputTokens;
  return Number.isSafeInteger(tokens) && tokens > 0 ? BigInt(tokens) : 0n;
}

/** `Math.min` takes no bigints. */
function smaller(a: bigint, b: bigint): bigint {
  if (b < a) return b;
  return a;
}

function larger(a: bigint, b: bigint): bigint {
  if (b > a) return b;
  return a;
}
