import { type BudgetRemaining, type LedgerStatus, usdDecimal, usdNumber } from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import type { Limit } from './budget-limit.ts';
import type { LimitLine, Selection } from './limit-lines.ts';

/** A budget, now. JSON-safe. */
export interface BudgetStatus {
  /** Name of the guard. */
  readonly guard: string;
  /** Every limit of money, `perRequest` first, then from the shortest window to the longest, then those by attribute. */
  readonly limits: readonly BudgetLimitStatus[];
  /** Every limit of tokens, in the same order. */
  readonly tokenLimits: readonly TokenLimitStatus[];
  /** Holds of this process that are open. */
  readonly holds: number;
  /** Calls of this process that wait for room (`onExceeded: "queue"`). */
  readonly queued: number;
  /** Bookings of this process that have not reached the ledger. */
  readonly pendingPosts: number;
  /** Bookings of this process that the ledger refused for good. They go on counting here. */
  readonly failedPosts: number;
  /** Records of this process without a known price: they count against no limit of money. */
  readonly unpriced: number;
  /** Records of this process that lacked an attribute that a limit needs: they count as `unattributed`. */
  readonly unattributed: number;
}

/** What is the same for every limit. */
export interface LimitState {
  /** `"2026-11-23"`; absent for `perRequest`, `total` and rolling windows. */
  readonly window?: string | undefined;
  /**
   * How often this limit refused, in this process; one by attribute, for this value of it. Of many values, those that
   * refused last are remembered, at least 5,000: 0 for one that was forgotten.
   */
  readonly refusals: number;
  /** Spent, as a share of the limit: 1 is all of it. */
  readonly utilisation: number;
}

/** One limit of money, now. The `…UsdExact` are decimal strings, the numbers are for display. */
export interface BudgetLimitStatus extends BudgetRemaining, LimitState {
  /** Spent. */
  readonly committedUsd: number;
  readonly committedUsdExact: string;
  /** Held by calls in flight. */
  readonly heldUsd: number;
  readonly heldUsdExact: string;
  readonly leftUsdExact: string;
}

/** One limit of tokens, now. */
export interface TokenLimitStatus extends LimitState {
  /** `"tokens.daily"`. */
  readonly limit: string;
  readonly attribute?: string | undefined;
  readonly attributeValue?: string | undefined;
  readonly limitTokens: number;
  readonly committedTokens: number;
  readonly heldTokens: number;
  readonly leftTokens: number;
  readonly resetsAtMs?: number | undefined;
}

/** The state of every limit from what the ledger says. */
export function limitStatuses(
  engine: BudgetEngine,
  { perRequest, lines }: Selection,
  counters: readonly LedgerStatus[],
): { readonly limits: readonly BudgetLimitStatus[]; readonly tokenLimits: readonly TokenLimitStatus[] } {
  const limits: BudgetLimitStatus[] = [];
  const tokenLimits: TokenLimitStatus[] = [];
  const add = (line: StatusLine, committed: bigint, held: bigint): void => {
    if (line.limit.unit === 'usd') limits.push(moneyStatus(engine, line, committed, held));
    else tokenLimits.push(tokenStatus(engine, line, committed, held));
  };
  for (const line of perRequest.filter(({ limit }) => limit.attribute === undefined)) add(line, 0n, 0n);
  for (const [line, counter] of inOrder(lines, counters)) {
    const { committed = 0n, held = 0n } = counter ?? {};
    add(line, engine.units.toAmount(line.limit, committed), engine.units.toAmount(line.limit, held));
  }
  for (const line of perRequest.filter(({ limit }) => limit.attribute !== undefined)) add(line, 0n, 0n);
  return { limits, tokenLimits };
}

type StatusLine = { readonly limit: Limit; readonly value: string | undefined } & Partial<
  Pick<LimitLine, 'window' | 'windowName'>
>;

/** Those of everybody first, the shortest window first; then those by attribute. */
function inOrder(
  lines: readonly LimitLine[],
  counters: readonly LedgerStatus[],
): readonly (readonly [LimitLine, LedgerStatus | undefined])[] {
  const pairs = lines.map((line, index) => [line, counters[index]] as const);
  const own = pairs.filter(([{ limit }]) => limit.attribute === undefined);
  const by = Map.groupBy(
    pairs.filter(([{ limit }]) => limit.attribute !== undefined),
    ([{ limit }]) => limit.attribute,
  );
  return [...own.reverse(), ...[...by.values()].flatMap((group) => group.reverse())];
}

function stateOf(engine: BudgetEngine, { limit, value, windowName, window }: StatusLine, committed: bigint) {
  const resetsAtMs = window?.endsAtMs;
  return {
    ...(windowName !== undefined && { window: windowName }),
    ...(resetsAtMs !== undefined && { resetsAtMs }),
    refusals: engine.refusals.countOf(limit, value),
    utilisation: limit.amount === 0n ? 1 : Number(committed) / Number(limit.amount),
  };
}

function whose({ limit, value }: StatusLine) {
  return {
    limit: limit.name,
    ...(limit.attribute !== undefined && { attribute: limit.attribute, attributeValue: value }),
  };
}

function leftOf({ amount }: Limit, committed: bigint, held: bigint): bigint {
  const used = committed + held;
  return used < amount ? amount - used : 0n;
}

function moneyStatus(
  engine: BudgetEngine,
  line: StatusLine,
  committed: bigint,
  held: bigint,
): BudgetLimitStatus {
  const left = leftOf(line.limit, committed, held);
  return {
    ...whose(line),
    limitUsd: usdNumber(line.limit.amount),
    committedUsd: usdNumber(committed),
    committedUsdExact: usdDecimal(committed),
    heldUsd: usdNumber(held),
    heldUsdExact: usdDecimal(held),
    leftUsd: usdNumber(left),
    leftUsdExact: usdDecimal(left),
    ...stateOf(engine, line, committed),
  };
}

function tokenStatus(
  engine: BudgetEngine,
  line: StatusLine,
  committed: bigint,
  held: bigint,
): TokenLimitStatus {
  return {
    ...whose(line),
    limitTokens: Number(line.limit.amount),
    committedTokens: Number(committed),
    heldTokens: Number(held),
    leftTokens: Number(leftOf(line.limit, committed, held)),
    ...stateOf(engine, line, committed),
  };
}
