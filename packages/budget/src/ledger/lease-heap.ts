/** Something that ends at a time unless its lease is renewed. */
export interface Leased {
  /** When its lease ends, monotonic milliseconds. Renewing moves it forward. */
  leaseEndsAtMs: number;
  /** Where the heap has filed it: the lease's end at that time. */
  filedAtMs: number;
  /** False once it ended. */
  live: boolean;
}

/** Which lease ends first: a binary heap in which renewed leases are filed again, and ended ones dropped, lazily. */
export class LeaseHeap<T extends Leased> {
  #items: T[] = [];
  #ended = 0;

  /** How many are live. */
  get size(): number {
    return this.#items.length - this.#ended;
  }

  /** All that are live, in no order. */
  live(): T[] {
    return this.#items.filter(({ live }) => live);
  }

  add(item: T): void {
    item.filedAtMs = item.leaseEndsAtMs;
    this.#items.push(item);
    this.#rise(this.#items.length - 1);
  }

  /** Ends an item before its lease does. Keeps memory proportional to what is live. */
  end(item: T): void {
    item.live = false;
    this.#ended += 1;
    if (this.#ended < 64 || this.#ended * 2 < this.#items.length) return;
    this.#items = this.#items.filter(({ live }) => live);
    for (let index = (this.#items.length >> 1) - 1; index >= 0; index--) this.#sink(index);
    this.#ended = 0;
  }

  /** Takes out the next item whose lease is over, and ends it. */
  takeDue(nowMs: number): T | undefined {
    for (;;) {
      const first = this.#items[0];
      if (first === undefined || first.filedAtMs > nowMs) return undefined;
      const last = this.#items.pop();
      if (last !== undefined && last !== first) {
        this.#items[0] = last;
        this.#sink(0);
      }
      if (!first.live) this.#ended -= 1;
      else if (first.leaseEndsAtMs > nowMs) this.add(first);
      else {
        first.live = false;
        return first;
      }
    }
  }

  #rise(from: number): void {
    const items = this.#items;
    const item = items[from];
    if (item === undefined) return;
    let index = from;
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = items[up];
      if (parent === undefined || parent.filedAtMs <= item.filedAtMs) break;
      items[index] = parent;
      index = up;
    }
    items[index] = item;
  }

  #sink(from: number): void {
    const items = this.#items;
    const item = items[from];
    if (item === undefined) return;
    let index = from;
    for (;;) {
      let down = 2 * index + 1;
      let child = items[down];
      const right = items[down + 1];
      if (child === undefined) break;
      if (right !== undefined && right.filedAtMs < child.filedAtMs) {
        down += 1;
        child = right;
      }
      if (child.filedAtMs >= item.filedAtMs) break;
      items[index] = child;
      index = down;
    }
    items[index] = item;
  }
}
