/**
 * The ids that came last: at least so many of them, and at most twice as many. They are let go a generation at a time,
 * since taking single ones out of the front of a large `Set` costs more the more were taken out before.
 */
export class RememberedIds {
  readonly #count: number;
  #recent = new Generation();
  #old = new Generation();

  constructor(count: number) {
    this.#count = count;
  }

  has(id: string): boolean {
    const hash = hashOf(id);
    return this.#recent.has(id, hash) || this.#old.has(id, hash);
  }

  /** Adds an id if it is not there. */
  note(id: string): void {
    if (!this.has(id)) this.add(id);
  }

  /** Adds an id that is not there. */
  add(id: string): void {
    if (this.#recent.size >= this.#count) {
      const forgotten = this.#old;
      forgotten.clear();
      this.#old = this.#recent;
      this.#recent = forgotten;
    }
    this.#recent.add(id, hashOf(id));
  }
}

/**
 * A hash table that answers for an id that is not there, the usual question, out of a few bytes: a `Set` has to look at
 * a string somewhere in the heap for each entry that it passes.
 */
class Generation {
  #ids: string[] = [];
  #hashes = new Int32Array(64);
  /** Open addressing: the position of an id plus one; 0 is free. Half of it at least is free. */
  #slots = new Int32Array(128);

  get size(): number {
    return this.#ids.length;
  }

  has(id: string, hash: number): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const position = slots[slot] ?? 0;
      if (position === 0) return false;
      if (this.#hashes[position - 1] === hash && this.#ids[position - 1] === id) return true;
    }
  }

  add(id: string, hash: number): void {
    if (this.#ids.length === this.#hashes.length) this.#grow();
    this.#hashes[this.#ids.length] = hash;
    this.#ids.push(id);
    this.#place(hash, this.#ids.length);
  }

  /** Forgets everything, and keeps its room. */
  clear(): void {
    this.#ids = [];
    this.#slots.fill(0);
  }

  #place(hash: number, position: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = position;
  }

  #grow(): void {
    const hashes = this.#hashes;
    this.#hashes = new Int32Array(2 * hashes.length);
    this.#hashes.set(hashes);
    this.#slots = new Int32Array(4 * hashes.length);
    for (let index = 0; index < hashes.length; index++) this.#place(hashes[index] ?? 0, index + 1);
  }
}

/** FNV-1a, mixed once more so that the low bits are as good as the high ones. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return hash ^ (hash >>> 16);
}
