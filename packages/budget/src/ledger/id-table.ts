/**
 * A hash table for ids, made for asking after ids that are not there. `Map` has to look at a string in the heap for every
 * entry that it passes, which costs a cache miss each; this one compares 32-bit hashes that lie side by side, and looks
 * at a string only when the whole hash is the same.
 */
export class IdTable<V> {
  readonly #keys: string[] = [];
  readonly #values: V[] = [];
  #hashes: Int32Array<ArrayBuffer>;
  /** Open addressing: position of an entry plus one; 0 is free. Half of it at least is free. */
  #slots: Int32Array<ArrayBuffer>;

  /** @param capacity how many entries are expected, about. */
  constructor(capacity = 32) {
    const room = 2 ** Math.ceil(Math.log2(Math.max(32, capacity)));
    this.#hashes = new Int32Array(room);
    this.#slots = new Int32Array(2 * room);
  }

  get size(): number {
    return this.#keys.length;
  }

  get(key: string, hash: number): V | undefined {
    const position = this.#slots[this.#slotOf(key, hash)] ?? 0;
    return position === 0 ? undefined : this.#values[position - 1];
  }

  set(key: string, hash: number, value: V): void {
    const slot = this.#slotOf(key, hash);
    const position = this.#slots[slot] ?? 0;
    if (position !== 0) {
      this.#values[position - 1] = value;
      return;
    }
    this.#hashes[this.#keys.length] = hash;
    this.#keys.push(key);
    this.#values.push(value);
    this.#slots[slot] = this.#keys.length;
    if (this.#keys.length === this.#hashes.length) this.#grow();
  }

  *entries(): Generator<readonly [key: string, hash: number, value: V]> {
    for (const [index, key] of this.#keys.entries()) {
      yield [key, this.#hashes[index] ?? 0, this.#values[index] as V];
    }
  }

  #slotOf(key: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const position = slots[slot] ?? 0;
      if (position === 0) return slot;
      if (this.#hashes[position - 1] === hash && this.#keys[position - 1] === key) return slot;
    }
  }

  #grow(): void {
    const hashes = new Int32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#keys.length; index++) {
      let slot = (hashes[index] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

/** A 32-bit hash of an id (FNV-1a, mixed once more so that the low bits are as good as the high ones). */
export function hashId(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return hash ^ (hash >>> 16);
}
