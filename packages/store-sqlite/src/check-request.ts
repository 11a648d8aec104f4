import {
  LedgerError,
  type LedgerKey,
  largestLedgerAmount,
  type PostLine,
  type ReserveLine,
  type ReserveRequest,
} from '@synapsekit/core';

const mostMarks = 16;
const mostSlots = 360;

/** The same id for different things, or a request that makes no sense. Asking again does not help. */
export function conflict(what: string): LedgerError {
  return new LedgerError(`The ledger refused the request: ${what}.`, { transient: false });
}

export function checkReserve({ lines, leaseMs }: ReserveRequest): void {
  checkLines(lines);
  for (const { key, limit } of lines) {
    if (limit > largestLedgerAmount) throw conflict(`a limit must be at most 2^62, got ${limit} for ${key}`);
  }
  if (!(leaseMs > 0)) throw conflict(`leaseMs must be > 0, got ${leaseMs}`);
}

export function checkLines(lines: readonly (ReserveLine | PostLine)[]): void {
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as ReserveLine | PostLine;
    const { key, amount } = line;
    if (amount < 0n || amount > largestLedgerAmount)
      throw conflict(`an amount must be 0 to 2^62, got ${amount} for ${key}`);
    checkKey(line);
    if ('marks' in line && line.marks !== undefined) checkMarks(line.marks);
    for (let other = 0; other < index; other++) {
      if (lines[other]?.key === key) throw conflict(`${key} stands in two lines of one request`);
    }
  }
}

export function checkKey({ key, window }: LedgerKey): void {
  // SQLite stores UTF-8, in which half a character cannot be written: two keys would become one.
  if (!key.isWellFormed() || !window.id.isWellFormed()) throw conflict('a key holds half a character');
  const { lengthMs } = window;
  if (lengthMs === undefined) return;
  const { slots } = window;
  const isFit =
    Number.isInteger(slots) && slots >= 1 && slots <= mostSlots && lengthMs > 0 && lengthMs % slots === 0;
  if (!isFit) {
    throw conflict(
      `a rolling window has 1 to ${mostSlots} slots and a multiple of them as its length, got ${slots} and ${lengthMs} ms`,
    );
  }
}

function checkMarks(marks: readonly bigint[]): void {
  const isAscending = marks.every((mark, index) => index === 0 || mark > (marks[index - 1] ?? mark));
  if (marks.length > mostMarks || !isAscending) {
    throw conflict(`marks must be ascending and at most ${mostMarks}`);
  }
}
