import type { RollingWindow } from '@synapsekit/core';

/**
 * What was committed in each part of a rolling window: the part that is running and the `slots` before it, in a ring.
 * Of a constant size: 8 bytes for each part.
 */
export class Ring {
  readonly #partMs: number;
  readonly #parts: BigInt64Array<ArrayBuffer>;
  #newest: number;
  /** The newest part that anything was added to, nothing included. */
  #lastAdded: number;

  constructor({ lengthMs, slots }: RollingWindow, nowMs: number) {
    this.#partMs = lengthMs / slots;
    this.#parts = new BigInt64Array(slots + 1);
    this.#newest = Math.floor(nowMs / this.#partMs);
    this.#lastAdded = this.#newest;
  }

  /** True when everything that was ever booked has left the window: no estimate in it can be replaced any more. */
  get isOver(): boolean {
    return this.#lastAdded <= this.#newest - this.#parts.length;
  }

  /** Moves to the part that is running, and tells how much went out of the window. */
  advance(nowMs: number): bigint {
    const parts = this.#parts;
    const newest = Math.floor(nowMs / this.#partMs);
    if (newest <= this.#newest) return 0n;
    let gone = 0n;
    for (let part = Math.max(this.#newest + 1, newest - parts.length + 1); part <= newest; part++) {
      const place = part % parts.length;
      gone += parts[place] ?? 0n;
      parts[place] = 0n;
    }
    this.#newest = newest;
    return gone;
  }

  /** Adds to the part of a time. Answers with what came in: nothing for a time too long ago, no less than was there. */
  add(timeMs: number, amount: bigint): bigint {
    const parts = this.#parts;
    const part = Math.floor(timeMs / this.#partMs);
    if (part > this.#newest || part <= this.#newest - parts.length) return 0n;
    this.#lastAdded = Math.max(this.#lastAdded, part);
    const place = part % parts.length;
    const before = parts[place] ?? 0n;
    const after = before + amount;
    parts[place] = after < 0n ? 0n : after;
    return after < 0n ? -before : amount;
  }

  clear(): void {
    this.#parts.fill(0n);
  }
}
