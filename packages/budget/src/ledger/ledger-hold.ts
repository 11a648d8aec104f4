import {
  LedgerError,
  type LedgerStatus,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';
import type { Counter } from './counter.ts';
import type { Leased } from './lease-heap.ts';

/** One line of a hold. */
export interface HeldLine {
  readonly counter: Counter;
  /** What was asked for in all. */
  total: bigint;
  /** What is still held; after an expiry that books, what it booked and no post has drawn down yet. */
  left: bigint;
}

/** A hold of the in-memory ledger. */
export interface LedgerHold extends Leased {
  readonly id: string;
  readonly lines: readonly HeldLine[];
  readonly onExpiry: ReserveRequest['onExpiry'];
}

/** Stands for every hold that is closed. */
export const closedHold: LedgerHold = {
  id: '',
  lines: [],
  onExpiry: 'release',
  leaseEndsAtMs: 0,
  filedAtMs: 0,
  live: false,
};

export const admitted: ReserveResult = Object.freeze({ admitted: true });

/** Raises a hold to larger amounts, on all lines or on none. */
export function raiseHold(hold: LedgerHold, holdId: string, lines: readonly ReserveLine[]): ReserveResult {
  if (!hold.live) throw conflict(`hold ${holdId} is closed or has expired`);
  const raises: [held: HeldLine, more: bigint][] = [];
  if (lines.length !== hold.lines.length) throw otherLines(holdId);
  for (const [index, held] of hold.lines.entries()) {
    const line = lines[index];
    const { counter } = held;
    if (line?.key !== counter.key || line.window.id !== counter.windowId) throw otherLines(holdId);
    const more = line.amount - held.total;
    if (more <= 0n) continue;
    if (counter.used + more > line.limit) return refused(line, counter);
    raises.push([held, more]);
  }
  for (const [held, more] of raises) {
    held.total += more;
    held.left += more;
    held.counter.used += more;
  }
  return admitted;
}

/** Books money on a counter; what a hold promised for it there is drawn down first. */
export function book(counter: Counter, delta: bigint, hold: LedgerHold | undefined): void {
  const held = hold === undefined || delta <= 0n ? undefined : heldOn(hold.lines, counter);
  if (hold === undefined || held === undefined || held.left === 0n) {
    counter.committed += delta;
    counter.used += delta;
    return;
  }
  const drawn = held.left < delta ? held.left : delta;
  held.left -= drawn;
  // A hold that was booked by its expiry is committed already: drawing it down moves nothing.
  counter.committed += hold.live ? delta : delta - drawn;
  if (drawn !== delta) counter.used += delta - drawn;
}

function heldOn(lines: readonly HeldLine[], counter: Counter): HeldLine | undefined {
  for (const line of lines) if (line.counter === counter) return line;
  return undefined;
}

/** The answer to a reservation that does not fit. */
export function refused(line: ReserveLine, counter: Counter): ReserveResult {
  const { key, window, limit, amount } = line;
  const state: LedgerStatus = {
    key,
    window,
    committed: counter.committed,
    held: counter.used - counter.committed,
  };
  return { admitted: false, refused: { ...state, limit, amount } };
}

/** The same id for different things, or a request that makes no sense. Asking again does not help. */
export function conflict(what: string): LedgerError {
  return new LedgerError(`The ledger refused the request: ${what}.`, { transient: false });
}

function otherLines(holdId: string): LedgerError {
  return conflict(`hold ${holdId} was placed on other keys or windows`);
}
