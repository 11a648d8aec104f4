import type { LedgerWindow } from '@synapsekit/core';

/** What `node:sqlite` reads with `setReadBigInts(true)` from the columns that we have. */
export type Cell = bigint | number | string | null;

/** A row as an array. */
export type Row = readonly Cell[];

const largest = 2n ** 63n - 1n;

/** An amount as it is stored: an integer of SQLite where it fits into one, its digits otherwise. */
export function toCell(amount: bigint): bigint | string {
  return amount <= largest && amount >= -largest ? amount : String(amount);
}

export function toAmount(cell: Cell | undefined): bigint {
  return typeof cell === 'bigint' ? cell : BigInt(cell ?? 0);
}

/** The window of columns `window, ends_at_ms, length_ms, slots`. */
export function toWindow(id: Cell, endsAtMs: Cell, lengthMs: Cell, slots: Cell): LedgerWindow {
  if (lengthMs !== null) return { id: String(id), lengthMs: Number(lengthMs), slots: Number(slots) };
  return endsAtMs === null ? { id: String(id) } : { id: String(id), endsAtMs: Number(endsAtMs) };
}

/** One line of a hold, as it is stored. */
export interface StoredLine {
  readonly counter: bigint;
  readonly total: bigint;
  readonly left: bigint;
}

/** `counter:total:left`, comma-separated. */
export function linesOf(text: string): StoredLine[] {
  if (text === '') return [];
  return text.split(',').map((line) => {
    const [counter = '0', total = '0', left = '0'] = line.split(':');
    return { counter: BigInt(counter), total: BigInt(total), left: BigInt(left) };
  });
}
