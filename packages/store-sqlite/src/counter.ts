import type { LedgerKey, LedgerWindow } from '@synapsekit/core';

/** What is spent and promised of one key in one window, as one process knows it during a transaction. */
export class Counter implements LedgerKey {
  readonly key: string;
  readonly window: LedgerWindow;
  /** The row it is stored in; undefined as long as there is none. */
  id: bigint | undefined;
  committed = 0n;
  held = 0n;
  /** Live holds on it. A counter with one is never forgotten. */
  holds = 0;
  limit: bigint | undefined;
  /** Which post was told of which mark. */
  told: Map<bigint, string> | undefined;
  /** Of a rolling window: what is committed, by the number of the part. */
  readonly parts: Map<number, bigint> | undefined;
  readonly partMs: number;
  /** The oldest part that may still count. */
  #oldest = Number.NEGATIVE_INFINITY;

  /** Whether its row is behind, and what else is. */
  isDirty = false;
  isToldDirty = false;
  hasAged = false;
  readonly dirtyParts: Set<number> | undefined;

  constructor({ key, window }: LedgerKey) {
    this.key = key;
    this.window = window;
    const isRolling = window.lengthMs !== undefined;
    this.partMs = isRolling ? window.lengthMs / window.slots : 0;
    this.parts = isRolling ? new Map() : undefined;
    this.dirtyParts = isRolling ? new Set() : undefined;
  }

  get oldest(): number {
    return this.#oldest;
  }

  /** Lets go of the parts that are too old by now. The running one and as many as the window has slots count. */
  age(nowMs: number): void {
    const { parts, window } = this;
    if (parts === undefined || window.lengthMs === undefined) return;
    const oldest = Math.floor(nowMs / this.partMs) - window.slots;
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    this.hasAged = true;
    for (const [number, amount] of parts) {
      if (number >= oldest) continue;
      parts.delete(number);
      this.committed -= amount;
    }
    this.rearm();
  }

  /**
   * Commits `amount` as of `timeMs`. Less than nothing takes back, but never more than is there: a reset may have come
   * between. What is too old to count is left out.
   */
  commit(amount: bigint, timeMs: number): void {
    const { parts } = this;
    if (parts === undefined) {
      this.committed = atLeastZero(this.committed + amount);
      return;
    }
    const number = Math.floor(timeMs / this.partMs);
    if (number < this.#oldest) return;
    const before = parts.get(number) ?? 0n;
    const after = atLeastZero(before + amount);
    parts.set(number, after);
    this.dirtyParts?.add(number);
    this.committed += after - before;
  }

  /** In a window that moves, a mark can be crossed anew once less than that is committed. */
  rearm(): void {
    const { told, parts } = this;
    if (told === undefined || parts === undefined) return;
    for (const mark of told.keys()) {
      if (this.committed >= mark) continue;
      told.delete(mark);
      this.isToldDirty = true;
    }
  }

  reset(): void {
    this.committed = 0n;
    this.told = undefined;
    this.isToldDirty = true;
    for (const number of this.parts?.keys() ?? []) this.dirtyParts?.add(number);
    this.parts?.clear();
  }
}

function atLeastZero(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}
