import {
  type CrossedMark,
  type LedgerKey,
  largestLedgerAmount,
  type PostLine,
  type PostRequest,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';
import type { Booking, OpenLine } from './booking.ts';
import { conflict } from './check-request.ts';
import type { Counter } from './counter.ts';
import { type HeldLine, type Hold, heldOn } from './hold.ts';
import type { Records } from './records.ts';

/*
 * What a ledger does, on the records of one transaction. Each operation looks first and changes then, so that one that
 * throws or refuses has changed nothing and the others of the transaction can stand.
 */

export const admitted: ReserveResult = Object.freeze({ admitted: true });

export function reserve(records: Records, request: ReserveRequest): ReserveResult {
  const { holdId, lines, leaseMs, onExpiry } = request;
  const known = findHold(records, holdId);
  if (known !== undefined) return raise(records, known, lines);
  const held: HeldLine[] = [];
  let refusal: ReserveResult | undefined;
  for (const line of lines) {
    const counter = records.findCounter(line);
    nameLimit(records, counter, line.limit);
    if (!fits(counter, line.amount, line.limit)) refusal ??= refused(line, counter);
    held.push({ counter, total: line.amount, left: line.amount });
  }
  if (refusal !== undefined) return refusal;
  for (const { counter, total } of held) {
    counter.held += total;
    counter.holds += 1;
    records.touchCounter(counter);
  }
  for (const [index, { counter }] of held.entries())
    counter.limit = remembered(lines[index]?.limit ?? largestLedgerAmount);
  const { nowMs } = records;
  records.addHold({
    id: holdId,
    onExpiry,
    admittedAtMs: nowMs,
    lines: held,
    endsAtMs: Math.ceil(nowMs + leaseMs),
    state: 'live',
    row: 'none',
    isDirty: false,
  });
  return admitted;
}

/** Whether a reservation only repeats one that was admitted, and would change nothing. */
export function isRepeated(records: Records, { holdId, lines }: ReserveRequest): boolean {
  const hold = records.knownHold(holdId);
  return (
    hold !== undefined &&
    hold.lines.length === lines.length &&
    hold.lines.every(({ counter, total }, index) => {
      const { key, window, amount, limit } = lines[index] as ReserveLine;
      return (
        counter.key === key &&
        counter.window.id === window.id &&
        amount <= total &&
        counter.limit === remembered(limit)
      );
    })
  );
}

export function post(records: Records, request: PostRequest): readonly CrossedMark[] {
  const { attemptId, holdId, lines, kind, close: closes = false } = request;
  const hold = holdId === undefined ? undefined : findHold(records, holdId);
  const known = records.findBooking(attemptId);
  const booking = known ?? { attemptId, settled: [], open: [], generation: undefined, isDirty: false };
  let changes = false;
  for (const line of lines) if (bookLine(records, booking, line, kind, hold)) changes = true;
  if (changes) records.putBooking(booking);
  if (closes && holdId !== undefined) close(records, holdId);
  return crossed(records, lines, `${kind} ${attemptId}`);
}

export function close(records: Records, holdId: string): void {
  const hold = findHold(records, holdId);
  if (hold === undefined) {
    records.addHold({
      id: holdId,
      onExpiry: 'release',
      admittedAtMs: undefined,
      lines: [],
      endsAtMs: Number.POSITIVE_INFINITY,
      state: 'closed',
      row: 'none',
      isDirty: false,
    });
    return;
  }
  if (hold.state === 'closed') return;
  for (const { counter, left } of hold.lines) {
    if (hold.state === 'live') {
      counter.held -= left;
      counter.holds -= 1;
    } else {
      counter.commit(-left, hold.admittedAtMs ?? 0);
      counter.rearm();
    }
    records.touchCounter(counter);
  }
  end(records, hold, 'closed');
}

export function renew(records: Records, holdId: string, leaseMs: number): boolean {
  const hold = findHold(records, holdId);
  if (hold?.state !== 'live') return false;
  const endsAtMs = Math.ceil(records.nowMs + leaseMs);
  if (endsAtMs > hold.endsAtMs) {
    hold.endsAtMs = endsAtMs;
    records.touchHold(hold);
  }
  return true;
}

export function reset(records: Records, key: LedgerKey): void {
  const counter = records.findCounter(key);
  if (counter.id === undefined && !counter.isDirty) return;
  counter.reset();
  records.touchCounter(counter);
}

/** Ends holds whose leases are over, at most `maxCount`. True when there are more. */
export function sweep(records: Records, maxCount: number): boolean {
  const due = records.dueHolds(maxCount);
  for (const id of due) findHold(records, id);
  return due.length === maxCount;
}

/** A hold as it stands now: one whose lease is over has ended, whether or not it was swept yet. */
function findHold(records: Records, holdId: string): Hold | undefined {
  const hold = records.findHold(holdId);
  if (hold?.state === 'live' && hold.endsAtMs <= records.nowMs) expire(records, hold);
  return hold;
}

function expire(records: Records, hold: Hold): void {
  const books = hold.onExpiry === 'book';
  for (const { counter, left } of hold.lines) {
    counter.held -= left;
    counter.holds -= 1;
    if (books) counter.commit(left, hold.admittedAtMs ?? 0);
    records.touchCounter(counter);
  }
  end(records, hold, books ? 'booked' : 'closed');
}

function end(records: Records, hold: Hold, state: 'booked' | 'closed'): void {
  hold.state = state;
  if (state === 'closed') hold.lines = [];
  records.touchHold(hold);
}

/** Raises a hold to larger amounts, on all lines or on none. */
function raise(records: Records, hold: Hold, lines: readonly ReserveLine[]): ReserveResult {
  if (hold.state !== 'live') throw conflict(`hold ${hold.id} is closed or has expired`);
  const isSame =
    lines.length === hold.lines.length &&
    hold.lines.every(({ counter: { key, window } }, index) => {
      return lines[index]?.key === key && lines[index]?.window.id === window.id;
    });
  if (!isSame) throw conflict(`hold ${hold.id} was placed on other keys or windows`);
  const raises: [held: HeldLine, amount: bigint][] = [];
  let refusal: ReserveResult | undefined;
  for (const [index, held] of hold.lines.entries()) {
    const line = lines[index] as ReserveLine;
    nameLimit(records, held.counter, line.limit);
    if (line.amount <= held.total) continue;
    if (!fits(held.counter, line.amount - held.total, line.limit)) refusal ??= refused(line, held.counter);
    raises.push([held, line.amount]);
  }
  if (refusal !== undefined) return refusal;
  for (const [held, amount] of raises) {
    const more = amount - held.total;
    held.total = amount;
    held.left += more;
    held.counter.held += more;
    records.touchCounter(held.counter);
    records.touchHold(hold);
  }
  return admitted;
}

/** Also a reservation that is refused names the limit of a counter that there is. */
function nameLimit(records: Records, counter: Counter, limit: bigint): void {
  const named = remembered(limit);
  if (counter.limit === named || (counter.id === undefined && !counter.isDirty)) return;
  counter.limit = named;
  records.touchCounter(counter);
}

function remembered(limit: bigint): bigint | undefined {
  // As good as none.
  return limit >= largestLedgerAmount ? undefined : limit;
}

function fits({ committed, held }: Counter, more: bigint, limit: bigint): boolean {
  return more === 0n || committed + held + more <= limit;
}

function refused({ key, window, limit, amount }: ReserveLine, { committed, held }: Counter): ReserveResult {
  return { admitted: false, refused: { key, window, committed, held, limit, amount } };
}

/** Upserts one line of a booking. True when that changed anything. */
function bookLine(
  records: Records,
  booking: Booking,
  line: PostLine,
  kind: PostRequest['kind'],
  hold: Hold | undefined,
): boolean {
  const { key, amount } = line;
  const { settled, open } = booking;
  if (settled.length > 0 && settled.includes(key)) return false;
  const index = open.length === 0 ? -1 : open.findIndex((each) => each.key === key);
  const earlier = open[index];
  const more = amount - (earlier?.amount ?? 0n);
  if (kind === 'estimated' && earlier !== undefined && more <= 0n) return false;
  const bookedAtMs = earlier?.bookedAtMs ?? hold?.admittedAtMs ?? records.nowMs;
  const counter = earlier === undefined ? records.findCounter(line) : earlier.counter;
  if (kind === 'actual') {
    settled.push(key);
    if (earlier !== undefined) open.splice(index, 1);
  } else {
    const estimate: OpenLine = { key, counter, amount, bookedAtMs };
    if (earlier === undefined) open.push(estimate);
    else open[index] = estimate;
  }
  if (counter !== undefined) bookOn(records, counter, more, bookedAtMs, hold);
  return true;
}

/** Books money on a counter; what a hold promised for it there is drawn down first. */
function bookOn(
  records: Records,
  counter: Counter,
  more: bigint,
  bookedAtMs: number,
  hold: Hold | undefined,
): void {
  records.touchCounter(counter);
  const held = hold === undefined || more <= 0n ? undefined : heldOn(hold, counter);
  let drawn = 0n;
  if (hold !== undefined && held !== undefined && held.left > 0n) {
    drawn = held.left < more ? held.left : more;
    held.left -= drawn;
    records.touchHold(hold);
    if (hold.state === 'live') counter.held -= drawn;
  }
  // What the expiry of the hold has booked is there already.
  counter.commit(hold?.state === 'booked' ? more - drawn : more, bookedAtMs);
  if (more < 0n) counter.rearm();
}

/** The marks that are told to this post: for the first time, or again because it is repeated. */
function crossed(records: Records, lines: readonly PostLine[], postId: string): readonly CrossedMark[] {
  let crossings: CrossedMark[] | undefined;
  for (const line of lines) {
    const { key, window, marks } = line;
    if (marks === undefined || marks.length === 0) continue;
    const counter = records.findCounter(line);
    const { committed } = counter;
    for (const mark of marks) {
      const told = counter.told?.get(mark);
      if (told === undefined ? committed < mark : told !== postId) continue;
      crossings ??= [];
      crossings.push({ key, window, mark, committed });
      if (told !== undefined) continue;
      counter.told ??= new Map();
      counter.told.set(mark, postId);
      counter.isToldDirty = true;
      records.touchCounter(counter);
    }
  }
  return crossings ?? none;
}

const none: readonly CrossedMark[] = Object.freeze([]);
