import { ConfigError, largestLedgerAmount } from '@synapsekit/core';
import type { Unit } from './spend.ts';

/** A share of a limit was spent. Told once per limit and window, over all processes that share the ledger. */
export interface ThresholdEvent {
  /** Name of the guard. */
  readonly guard: string;
  /** The limit: `"daily"`, `"tokens.hourly"`. */
  readonly limit: string;
  /** The attribute that it is a limit of, and its value. */
  readonly attribute?: string | undefined;
  readonly attributeValue?: string | undefined;
  /** `"2026-11-23"`; absent for `total` and rolling windows. */
  readonly window?: string | undefined;
  /** The share that was reached: 0.8. */
  readonly threshold: number;
  readonly unit: Unit;
  /** The limit, and what is spent of it now: US dollars as exact decimal strings, or tokens. */
  readonly limitAmount: string;
  readonly committedAmount: string;
  /** When the window ends, Unix milliseconds. */
  readonly resetsAtMs?: number | undefined;
}

/** The most thresholds that there may be. */
const most = 16;
/** Thresholds are exact to a millionth. */
const parts = 1_000_000;

/** @throws ConfigError unless they are ascending numbers above 0, at most sixteen. */
export function checkThresholds(thresholds: readonly number[]): readonly number[] {
  const ok =
    Array.isArray(thresholds) &&
    thresholds.length <= most &&
    thresholds.every(
      (share, index) =>
        typeof share === 'number' &&
        share >= 1 / parts &&
        share <= 1_000 &&
        share > (thresholds[index - 1] ?? 0),
    );
  if (ok) return [...thresholds];
  throw new ConfigError(`thresholds must be shares of a limit, ascending, at most ${most}: [0.5, 0.8, 1].`, {
    option: 'thresholds',
  });
}

/** What the shares of a limit come to, in units of the ledger, rounded up: one for each threshold. */
export function marksOf(thresholds: readonly number[], limitUnits: bigint): readonly bigint[] {
  return thresholds.map((share) => {
    const scaled = limitUnits * BigInt(Math.round(share * parts));
    const mark = (scaled + BigInt(parts) - 1n) / BigInt(parts);
    return mark > 0n ? mark : 1n; // a limit of nothing is reached by the first spend, not before
  });
}

/**
 * The marks as a ledger takes them: ascending, each once (the shares of a small limit come to the same), and none beyond
 * what a ledger counts.
 */
export function askedMarks(marks: readonly bigint[]): readonly bigint[] {
  return marks.filter((mark, index) => mark !== marks[index - 1] && mark <= largestLedgerAmount);
}
