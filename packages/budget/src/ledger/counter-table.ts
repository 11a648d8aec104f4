import type { LedgerKey } from '@synapsekit/core';
import type { Counter } from './counter.ts';

/** All counters of one window. */
interface WindowGroup {
  endsAtMs: number;
  readonly counters: Counter[];
  /** Monotonic time at which its end was first seen to be past. */
  pastSinceMs: number | undefined;
}

/** How many counters are looked at in one go when a window is forgotten: bounds the pause. */
const forgetAtOnce = 256;

/** The counters of all keys, by key and window. Forgets a window some time after its end. */
export class CounterTable {
  /** The counter that was last made for each key: nearly always the one that is asked for. */
  readonly #latest = new Map<string, Counter>();
  readonly #others = new Map<string, Counter>();
  readonly #windows = new Map<string, WindowGroup>();
  readonly #graceMs: number;

  /** @param graceMs how long (monotonic) a window's end must have been past, without a break, before it is forgotten. */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  find(key: string, windowId: string): Counter | undefined {
    const latest = this.#latest.get(key);
    if (latest !== undefined && latest.windowId === windowId) return latest;
    return this.#others.size === 0 ? undefined : this.#others.get(otherKey(key, windowId));
  }

  findOrAdd({ key, window }: LedgerKey): Counter {
    return this.find(key, window.id) ?? this.#add(key, window.id, window.endsAtMs);
  }

  get size(): number {
    return this.#latest.size + this.#others.size;
  }

  /**
   * Forgets what is past. A window counts as past only after `graceMs` of monotonic time during which the wall clock
   * never said otherwise: a clock that jumps ahead and comes back takes no spend with it.
   */
  forget(wallMs: number, monotonicMs: number): void {
    for (const [id, group] of this.#windows) {
      if (wallMs < group.endsAtMs) group.pastSinceMs = undefined;
      else if (group.pastSinceMs === undefined) group.pastSinceMs = monotonicMs;
      else if (monotonicMs - group.pastSinceMs >= this.#graceMs) {
        this.#forgetSome(group.counters);
        if (group.counters.length === 0) this.#windows.delete(id);
      }
    }
  }

  #add(key: string, windowId: string, endsAtMs: number | undefined): Counter {
    const counter: Counter = { key, windowId, committed: 0n, used: 0n, holds: 0, lastBooking: undefined };
    const older = this.#latest.get(key);
    if (older !== undefined) this.#others.set(otherKey(key, older.windowId), older);
    this.#latest.set(key, counter);
    if (endsAtMs !== undefined) this.#file(counter, endsAtMs);
    return counter;
  }

  #file(counter: Counter, endsAtMs: number): void {
    const group = this.#windows.get(counter.windowId);
    if (group === undefined) {
      this.#windows.set(counter.windowId, { endsAtMs, counters: [counter], pastSinceMs: undefined });
    } else {
      group.endsAtMs = Math.max(group.endsAtMs, endsAtMs);
      group.counters.push(counter);
    }
  }

  #forgetSome(counters: Counter[]): void {
    const held: Counter[] = [];
    for (let count = 0; count < forgetAtOnce; count++) {
      const counter = counters.pop();
      if (counter === undefined) break;
      if (counter.holds > 0) held.push(counter);
      else if (this.#latest.get(counter.key) === counter) this.#latest.delete(counter.key);
      else this.#others.delete(otherKey(counter.key, counter.windowId));
    }
    counters.unshift(...held);
  }
}

function otherKey(key: string, windowId: string): string {
  return `${windowId}\n${key}`;
}
