import type { LedgerKey, LedgerWindow } from '@synapsekit/core';
import type { Counter } from './counter.ts';
import { Figures, forgottenCell } from './figures.ts';
import { conflict } from './ledger-hold.ts';
import { Ring } from './ring.ts';

/** All counters of one window that can be forgotten. */
interface WindowGroup {
  /** When it is over; for a rolling window, how long nothing stays in it. */
  endsAtMs: number | undefined;
  readonly counters: Counter[];
  /** Monotonic time at which its end was first seen to be past. */
  pastSinceMs: number | undefined;
}

/** How many counters are looked at in one go when a window is forgotten: bounds the pause. */
const forgetAtOnce = 256;

/** The counters of all keys, by key and window. Forgets a window some time after its end. */
export class CounterTable {
  readonly figures: Figures = new Figures();
  /** The counter that was last made for each key, nearly always the one that is asked for; it knows the older ones. */
  readonly #latest = new Map<string, Counter>();
  readonly #windows = new Map<string, WindowGroup>();
  readonly #graceMs: number;
  #keys = 0;
  #size = 0;

  /** @param graceMs how long (monotonic) a window's end must have been past, without a break, before it is forgotten. */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  find(key: string, windowId: string): Counter | undefined {
    let counter = this.#latest.get(key);
    while (counter !== undefined && counter.windowId !== windowId) counter = counter.older;
    return counter;
  }

  /** @throws LedgerError for a rolling window that makes no sense. */
  findOrAdd({ key, window }: LedgerKey, nowMs: number): Counter {
    return this.find(key, window.id) ?? this.#add(key, window, nowMs);
  }

  /** Lets go what has left a rolling window by now. */
  roll(counter: Counter, nowMs: number): void {
    const gone = counter.ring?.advance(nowMs) ?? 0n;
    if (gone > 0n) this.#decrease(counter, gone);
  }

  /** Commits an amount to what a counter is at `nowMs`; in a rolling window, to the part of `bookedAtMs`. */
  commit(counter: Counter, amount: bigint, bookedAtMs: number, nowMs: number): void {
    const { ring } = counter;
    if (ring === undefined) {
      this.figures.commit(counter.cell, amount);
      return;
    }
    this.roll(counter, nowMs);
    const added = ring.add(bookedAtMs, amount);
    if (added < 0n) this.#decrease(counter, -added);
    else this.figures.commit(counter.cell, added);
  }

  /** Nothing is committed any more, and no mark was told. */
  reset(counter: Counter): void {
    this.figures.setCommitted(counter.cell, 0n);
    counter.ring?.clear();
    counter.told = undefined;
  }

  get size(): number {
    return this.#size;
  }

  /** Those whose key begins with `prefix`, by key and then window. */
  list(prefix: string): Counter[] {
    const counters: Counter[] = [];
    for (const [key, latest] of this.#latest) {
      if (!key.startsWith(prefix)) continue;
      for (let each: Counter | undefined = latest; each !== undefined; each = each.older) counters.push(each);
    }
    return counters.sort((a, b) => compare(a.key, b.key) || compare(a.windowId, b.windowId));
  }

  /**
   * Forgets what is past. A window counts as past only after `graceMs` of monotonic time during which the wall clock
   * never said otherwise: a clock that jumps ahead and comes back takes no spend with it. A counter of a rolling window
   * is forgotten when nothing is left in it.
   */
  forget(wallMs: number, monotonicMs: number): void {
    for (const [id, group] of this.#windows) {
      if (group.endsAtMs === undefined) this.#forgetSome(group.counters, monotonicMs);
      else if (wallMs < group.endsAtMs) group.pastSinceMs = undefined;
      else if (group.pastSinceMs === undefined) group.pastSinceMs = monotonicMs;
      else if (monotonicMs - group.pastSinceMs >= this.#graceMs) this.#forgetSome(group.counters, undefined);
      if (group.counters.length === 0) this.#windows.delete(id);
    }
  }

  /** In a window that moves, a mark can be crossed anew once less than it is committed. */
  #decrease({ cell, told }: Counter, amount: bigint): void {
    this.figures.commit(cell, -amount);
    if (told === undefined) return;
    const committed = this.figures.committed(cell);
    for (const mark of told.keys()) if (committed < mark) told.delete(mark);
  }

  #add(key: string, window: LedgerWindow, nowMs: number): Counter {
    const older = this.#latest.get(key);
    const counter: Counter = {
      key: older?.key ?? key,
      keyId: older?.keyId ?? this.#keys++,
      windowId: window.id,
      window: copyOf(window),
      cell: forgottenCell,
      ring: window.lengthMs === undefined ? undefined : new Ring(window, nowMs),
      older,
      told: undefined,
      lastBooking: undefined,
    };
    counter.cell = this.figures.take();
    this.#latest.set(counter.key, counter);
    this.#size += 1;
    if (window.lengthMs !== undefined || window.endsAtMs !== undefined) this.#file(counter, window.endsAtMs);
    return counter;
  }

  #file(counter: Counter, endsAtMs: number | undefined): void {
    const group = this.#windows.get(counter.windowId);
    if (group === undefined) {
      this.#windows.set(counter.windowId, { endsAtMs, counters: [counter], pastSinceMs: undefined });
    } else {
      if (endsAtMs !== undefined) group.endsAtMs = Math.max(group.endsAtMs ?? 0, endsAtMs);
      group.counters.push(counter);
    }
  }

  /** @param overAtMs forget only those whose rolling window everything has left by then. */
  #forgetSome(counters: Counter[], overAtMs: number | undefined): void {
    const kept: Counter[] = [];
    for (let count = 0; count < forgetAtOnce; count++) {
      const counter = counters.pop();
      if (counter === undefined) break;
      const isOver = overAtMs === undefined || this.#isOver(counter, overAtMs);
      if (this.figures.hasHolds(counter.cell) || !isOver) kept.push(counter);
      else this.#forgetOne(counter);
    }
    if (kept.length > 0) counters.unshift(...kept);
  }

  #isOver(counter: Counter, nowMs: number): boolean {
    this.roll(counter, nowMs);
    return counter.ring?.isOver === true;
  }

  #forgetOne(counter: Counter): void {
    const latest = this.#latest.get(counter.key);
    if (latest === counter) {
      if (counter.older === undefined) this.#latest.delete(counter.key);
      else this.#latest.set(counter.key, counter.older);
    } else {
      let newer = latest;
      while (newer !== undefined && newer.older !== counter) newer = newer.older;
      if (newer !== undefined) newer.older = counter.older;
    }
    this.figures.give(counter.cell);
    counter.cell = forgottenCell;
    counter.older = undefined;
    this.#size -= 1;
  }
}

function copyOf(window: LedgerWindow): LedgerWindow {
  if (window.lengthMs === undefined) {
    const { id, endsAtMs } = window;
    return endsAtMs === undefined ? { id } : { id, endsAtMs };
  }
  const { id, lengthMs, slots } = window;
  if (!(Number.isInteger(slots) && slots >= 1 && slots <= 360 && lengthMs > 0 && lengthMs % slots === 0)) {
    throw conflict(
      `a rolling window has 1 to 360 slots and a multiple of them as its length, got ${slots} slots and ${lengthMs} ms`,
    );
  }
  return { id, lengthMs, slots };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
