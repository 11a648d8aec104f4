import type { Counter } from './counter.ts';

/** What an attempt was estimated to cost on one counter, until the actual cost is known. */
interface OpenLine {
  readonly counter: Counter;
  readonly amount: bigint;
  /** Into which part of a rolling window it was booked. */
  readonly bookedAtMs: number;
}

/** What was booked for an attempt. Shared between attempts where nothing can change any more. */
export interface Booking {
  /** Where the actual cost is booked. */
  readonly settled: readonly Counter[];
  readonly open: readonly OpenLine[];
}

const noOpenLines: Booking['open'] = [];
/** Of an attempt that nobody posted. */
export const nothingBooked: Booking = { settled: [], open: noOpenLines };

/** What was booked for good on these counters. */
export function bookingOn(counters: readonly Counter[]): Booking {
  const last = counters[counters.length - 1];
  if (last === undefined) return nothingBooked;
  const shared = last.lastBooking;
  if (shared !== undefined && isEqual(shared.settled, counters)) return shared;
  const booking = { settled: counters, open: noOpenLines };
  last.lastBooking = booking;
  return booking;
}

function isEqual(some: readonly Counter[], others: readonly Counter[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}
