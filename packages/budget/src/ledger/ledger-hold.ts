import {
  LedgerError,
  type LedgerKey,
  type LedgerStatus,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';
import type { Counter } from './counter.ts';
import type { CounterTable } from './counter-table.ts';
import type { Figures } from './figures.ts';
import type { Leased } from './lease-heap.ts';

/** A hold of the in-memory ledger: live, or ended by its lease and booked. */
export interface LedgerHold extends Leased {
  readonly id: string;
  /** Its lines: on what, */
  readonly counters: readonly Counter[];
  /** how much was asked for in all, */
  total: readonly bigint[];
  /**
   * and what is still held; after an expiry that books, what it booked and no post has drawn down yet. The same list as
   * `total` until something is drawn.
   */
  left: bigint[];
  readonly onExpiry: ReserveRequest['onExpiry'];
  readonly admittedAtMs: number;
}

/** What is known of an id: its hold, or when the hold that is closed was admitted. */
export type HoldEntry = LedgerHold | number;

/** In place of a time: closed before it was ever seen. */
export const neverAdmitted: number = Number.NEGATIVE_INFINITY;

export const admitted: ReserveResult = Object.freeze({ admitted: true });

/** True when a hold has exactly these lines, in this order. */
export function isOn(hold: LedgerHold, lines: readonly LedgerKey[]): boolean {
  const { counters } = hold;
  if (counters.length !== lines.length) return false;
  for (let index = 0; index < lines.length; index++) {
    const counter = counters[index];
    const line = lines[index];
    if (counter?.key !== line?.key || counter?.windowId !== line?.window.id) return false;
  }
  return true;
}

/** Raises a hold to larger amounts, on all lines or on none. */
export function raiseHold(hold: LedgerHold, lines: readonly ReserveLine[], figures: Figures): ReserveResult {
  const { counters, total, left } = hold;
  const more = lines.map(({ amount }, i) => (amount > (total[i] ?? 0n) ? amount - (total[i] ?? 0n) : 0n));
  for (const [i, line] of lines.entries()) {
    const counter = counters[i];
    const by = more[i] ?? 0n;
    if (counter !== undefined && by > 0n && !figures.fits(counter.cell, by, line.limit)) {
      return refusal(line, counter, figures);
    }
  }
  for (const [i, { cell }] of counters.entries()) figures.changeHeld(cell, more[i] ?? 0n);
  hold.total = total.map((amount, i) => amount + (more[i] ?? 0n));
  hold.left = left.map((amount, i) => amount + (more[i] ?? 0n));
  return admitted;
}

/** Takes up to `wanted` of what a hold still holds on a counter. */
export function drawDown(hold: LedgerHold, counter: Counter, wanted: bigint, figures: Figures): bigint {
  const index = wanted > 0n ? hold.counters.indexOf(counter) : -1;
  const left = hold.left[index] ?? 0n;
  if (left === 0n) return 0n;
  const drawn = left < wanted ? left : wanted;
  if (hold.left === hold.total) hold.left = [...hold.left];
  hold.left[index] = left - drawn;
  if (hold.live) figures.changeHeld(counter.cell, -drawn);
  return drawn;
}

/** What a hold held is free again, or taken back where its expiry had booked it. */
export function endHold(hold: LedgerHold, counters: CounterTable, nowMs: () => number): void {
  for (let index = 0; index < hold.counters.length; index++) {
    const counter = hold.counters[index];
    const left = hold.left[index];
    if (counter === undefined || left === undefined) continue;
    if (hold.live) counters.figures.end(counter.cell, left);
    else if (left > 0n) counters.commit(counter, -left, hold.admittedAtMs, nowMs());
  }
}

/** The answer to a reservation that does not fit. */
export function refusal(line: ReserveLine, { cell }: Counter, figures: Figures): ReserveResult {
  const { key, window, limit, amount } = line;
  const state: LedgerStatus = { key, window, committed: figures.committed(cell), held: figures.held(cell) };
  return { admitted: false, refused: { ...state, limit, amount } };
}

/** The same id for different things, or a request that makes no sense. Asking again does not help. */
export function conflict(what: string): LedgerError {
  return new LedgerError(`The ledger refused the request: ${what}.`, { transient: false });
}
