import type { CostRecord } from '@synapsekit/core';

/** The last records, in a ring. */
export class RecentRecords {
  readonly #size: number;
  #ring: CostRecord[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  push(record: CostRecord): void {
    if (this.#size > 0) this.#ring[this.#next % this.#size] = record;
    this.#next++;
  }

  /** Puts `next` where `previous` stands, if it is still there. */
  replace(previous: CostRecord, next: CostRecord): void {
    const place = this.#ring.lastIndexOf(previous);
    if (place !== -1) this.#ring[place] = next;
  }

  clear(): void {
    this.#ring = [];
    this.#next = 0;
  }

  /** A copy, oldest first. */
  toArray(): readonly CostRecord[] {
    if (this.#next <= this.#size) return [...this.#ring];
    const oldest = this.#next % this.#size;
    return [...this.#ring.slice(oldest), ...this.#ring.slice(0, oldest)];
  }
}
