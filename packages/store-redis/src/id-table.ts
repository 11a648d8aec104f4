import { hashOf } from './id-hash.ts';

interface Entry<T> {
  readonly id: string;
  readonly hash: number;
  readonly value: T;
}

/**
 * Values by id, for entries that come and go all the time. A `Map` makes itself a new table each time as many were taken
 * out as it has room for, and every old table keeps the next one: once one of them has grown old, so do all that follow,
 * with everything that ever was in them, until the whole heap is collected. This one is always the same table.
 *
 * Who asks several times for one id can give its hash, so that it is not made each time.
 */
export class IdTable<T> {
  /** Open addressing: half of it at least is free. */
  #slots: (Entry<T> | undefined)[] = new Array(128).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: string, hash: number = hashOf(id)): T | undefined {
    return this.#slots[this.#find(id, hash)]?.value;
  }

  /** Adds a value, or puts it in the place of another. */
  set(id: string, value: T, hash: number = hashOf(id)): void {
    const slot = this.#find(id, hash);
    if (this.#slots[slot] === undefined) this.#size += 1;
    this.#slots[slot] = { id, hash, value };
    if (2 * this.#size > this.#slots.length) this.#grow();
  }

  delete(id: string, hash: number = hashOf(id)): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let free = this.#find(id, hash);
    if (slots[free] === undefined) return;
    this.#size -= 1;
    // What was put further back because this place was taken moves up.
    for (let slot = (free + 1) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (entry === undefined) break;
      if (((slot - entry.hash) & mask) < ((slot - free) & mask)) continue;
      slots[free] = entry;
      free = slot;
    }
    slots[free] = undefined;
  }

  /** All that there are at the moment, so that some can be taken out meanwhile. */
  entries(): [id: string, value: T][] {
    const all: [string, T][] = [];
    for (const entry of this.#slots) if (entry !== undefined) all.push([entry.id, entry.value]);
    return all;
  }

  /** Where an id is, or would be. */
  #find(id: string, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot];
      if (entry === undefined || (entry.hash === hash && entry.id === id)) return slot;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Array(2 * old.length).fill(undefined);
    for (const entry of old) if (entry !== undefined) this.#slots[this.#find(entry.id, entry.hash)] = entry;
  }
}
