import {
  type BudgetRemaining,
  type LedgerStatus,
  type PicoUsd,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import type { LimitLine } from './hold-account.ts';

/** A budget, now. JSON-safe. */
export interface BudgetStatus {
  /** Name of the guard. */
  readonly guard: string;
  /** Every limit, `perRequest` first, then from the shortest window to the longest. */
  readonly limits: readonly BudgetLimitStatus[];
  /** Holds of this process that are open. */
  readonly holds: number;
  /** Bookings of this process that have not reached the ledger. */
  readonly pendingPosts: number;
  /** Bookings of this process that the ledger refused for good. They go on counting here. */
  readonly failedPosts: number;
  /** Records of this process without a known price: they count against no limit. */
  readonly unpriced: number;
}

/** One limit, now. The `…UsdExact` are decimal strings, the numbers are for display. */
export interface BudgetLimitStatus extends BudgetRemaining {
  /** `"2026-11-23"`; absent for `perRequest` and `total`. */
  readonly window?: string | undefined;
  /** Spent. */
  readonly committedUsd: number;
  readonly committedUsdExact: string;
  /** Held by calls in flight. */
  readonly heldUsd: number;
  readonly heldUsdExact: string;
  readonly leftUsdExact: string;
  /** How often this limit refused, in this process. */
  readonly refusals: number;
  /** Spent, as a share of the limit: 1 is all of it. */
  readonly utilisation: number;
}

/** The state of every limit from what the ledger says. */
export function limitStatuses(
  engine: BudgetEngine,
  lines: readonly LimitLine[],
  counters: readonly LedgerStatus[],
): readonly BudgetLimitStatus[] {
  const { perRequest } = engine.limits;
  const statuses = lines.map((line, index) => {
    const { committed = 0n, held = 0n } = counters[index] ?? {};
    return statusOf(engine, line, engine.toPico(committed), engine.toPico(held));
  });
  if (perRequest !== undefined)
    statuses.push(statusOf(engine, { limit: { name: 'perRequest', pico: perRequest } }, 0n, 0n));
  return statuses.reverse();
}

function statusOf(
  engine: BudgetEngine,
  {
    limit,
    budgetWindow,
  }: { readonly limit: { readonly name: string; readonly pico: PicoUsd } } & Partial<
    Pick<LimitLine, 'budgetWindow'>
  >,
  committedPico: PicoUsd,
  heldPico: PicoUsd,
): BudgetLimitStatus {
  const used = committedPico + heldPico;
  const leftPico = used < limit.pico ? limit.pico - used : 0n;
  const resetsAtMs = budgetWindow?.ledger.endsAtMs;
  return {
    limit: limit.name,
    ...(budgetWindow?.name !== undefined && { window: budgetWindow.name }),
    limitUsd: usdNumber(limit.pico),
    committedUsd: usdNumber(committedPico),
    committedUsdExact: usdDecimal(committedPico),
    heldUsd: usdNumber(heldPico),
    heldUsdExact: usdDecimal(heldPico),
    leftUsd: usdNumber(leftPico),
    leftUsdExact: usdDecimal(leftPico),
    ...(resetsAtMs !== undefined && { resetsAtMs }),
    refusals: engine.refusals.get(limit.name) ?? 0,
    utilisation: limit.pico === 0n ? 1 : usdNumber(committedPico) / usdNumber(limit.pico),
  };
}
