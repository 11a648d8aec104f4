import { largestLedgerAmount } from '@synapsekit/core';

/** Where a counter's figures lie in its cell. */
const committedAt = 0;
const heldAt = 1;
const limitAt = 2;
const holdsAt = 3;
const cellLength = 4;

const largest = 2n ** 63n - 1n;
/** Limits are at least this: it stands for one that nobody named yet. */
const noLimit = -(2n ** 63n);

/** The cell of all counters that were forgotten: whoever still has one of them in hand changes nothing else. */
export const forgottenCell = 0;

/**
 * What is committed and held on every counter, in a cell each. The cells lie side by side in 64-bit integers: exact, and
 * the compiler adds them without making an object of every sum, as it does for a `bigint` in a field.
 */
export class Figures {
  #values = new BigInt64Array(64 * cellLength);
  #cells = 1;
  readonly #free: number[] = [];

  /** An empty cell. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if ((this.#cells + 1) * cellLength > this.#values.length) {
      const values = new BigInt64Array(this.#values.length * 2);
      values.set(this.#values);
      this.#values = values;
    }
    const start = this.#cells * cellLength;
    this.#cells += 1;
    this.#values[start + limitAt] = noLimit;
    return start;
  }

  /** Gives a cell back. */
  give(cell: number): void {
    this.#values.fill(0n, cell, cell + cellLength);
    this.#values[cell + limitAt] = noLimit;
    this.#free.push(cell);
  }

  committed(cell: number): bigint {
    return this.#values[cell + committedAt] ?? 0n;
  }

  held(cell: number): bigint {
    return this.#values[cell + heldAt] ?? 0n;
  }

  /** The limit that was last named, if one was. */
  limit(cell: number): bigint | undefined {
    const limit = this.#values[cell + limitAt];
    return limit === noLimit ? undefined : limit;
  }

  setLimit(cell: number, limit: bigint): void {
    // As good as none.
    if (limit >= largestLedgerAmount) this.#values[cell + limitAt] = noLimit;
    else this.#values[cell + limitAt] = limit > noLimit ? limit : noLimit + 1n;
  }

  /** Live holds. A counter with one is never forgotten. */
  hasHolds(cell: number): boolean {
    return this.#values[cell + holdsAt] !== 0n;
  }

  fits(cell: number, amount: bigint, limit: bigint): boolean {
    const values = this.#values;
    return amount <= limit - (values[cell + committedAt] ?? 0n) - (values[cell + heldAt] ?? 0n);
  }

  /** A hold begins. */
  hold(cell: number, amount: bigint): void {
    const values = this.#values;
    values[cell + heldAt] = (values[cell + heldAt] ?? 0n) + amount;
    values[cell + holdsAt] = (values[cell + holdsAt] ?? 0n) + 1n;
  }

  /** A hold ends that still held so much. */
  end(cell: number, left: bigint): void {
    const values = this.#values;
    values[cell + heldAt] = (values[cell + heldAt] ?? 0n) - left;
    values[cell + holdsAt] = (values[cell + holdsAt] ?? 0n) - 1n;
  }

  /** A hold holds more, or less (below 0). */
  changeHeld(cell: number, by: bigint): void {
    this.#values[cell + heldAt] = (this.#values[cell + heldAt] ?? 0n) + by;
  }

  /** Commits an amount. Stays at 2^63 - 1 units where it would go beyond, and at 0 where a reset came between. */
  commit(cell: number, amount: bigint): void {
    const sum = (this.#values[cell + committedAt] ?? 0n) + amount;
    this.#values[cell + committedAt] = sum > largest ? largest : sum < 0n ? 0n : sum;
  }

  setCommitted(cell: number, amount: bigint): void {
    this.#values[cell + committedAt] = amount;
  }
}
