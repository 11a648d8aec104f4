import { type LedgerKey, largestLedgerAmount, type PostLine } from '@synapsekit/core';
import { conflict } from './ledger-hold.ts';

const maxMarks = 16;

/** @throws LedgerError for an amount that no ledger counts. */
export function checkAmount(amount: bigint, key: string): void {
  if (amount < 0n || amount > largestLedgerAmount) {
    throw conflict(`an amount must be 0 to 2^62 units, got ${amount} for ${key}`);
  }
}

/** @throws LedgerError for a limit that no ledger counts. */
export function checkLimit(limit: bigint, key: string): void {
  if (limit > largestLedgerAmount)
    throw conflict(`a limit must be at most 2^62 units, got ${limit} for ${key}`);
}

/** @throws LedgerError for marks that do not ascend, or too many. */
function checkMarks({ key, marks = [] }: PostLine): void {
  const isAscending = marks.every((mark, index) => index === 0 || mark > (marks[index - 1] ?? mark));
  if (marks.length > maxMarks || !isAscending) {
    throw conflict(`marks must be ascending, and at most ${maxMarks}, got ${marks.join(', ')} for ${key}`);
  }
}

/** True when there are marks among the lines of a post. @throws LedgerError for what no ledger counts. */
export function checkPost(lines: readonly PostLine[]): boolean {
  let hasMarks = false;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined) continue;
    checkAmount(line.amount, line.key);
    if (line.marks === undefined || line.marks.length === 0) continue;
    checkMarks(line);
    hasMarks = true;
  }
  return hasMarks;
}

/** Two lines of one request. */
export function repeatedKey({ key }: LedgerKey): Error {
  return conflict(`${key} stands in two lines of one request`);
}
