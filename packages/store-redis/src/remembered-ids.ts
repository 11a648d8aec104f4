import { hashOf } from './id-hash.ts';

const noKeys: readonly string[] = [];

/**
 * The ids that came last: at least so many of them, and at most twice as many. They are let go a generation at a time,
 * since taking single ones out of the front of a large `Set` costs more the more were taken out before.
 *
 * The same id may stand for several things, told apart by the keys that are given with it, in their order. Who asks
 * several times for one id can give its hash, so that it is not made each time.
 */
export class RememberedIds {
  readonly #count: number;
  #recent = new Generation();
  #old = new Generation();

  constructor(count: number) {
    this.#count = count;
  }

  has(id: string, keys: readonly string[] = noKeys, hash?: number): boolean {
    if (this.#recent.size === 0 && this.#old.size === 0) return false;
    const known = hash ?? hashOf(id);
    return this.#recent.has(id, known, keys) || this.#old.has(id, known, keys);
  }

  /** Adds an id if it is not there. */
  note(id: string): void {
    if (!this.has(id)) this.add(id);
  }

  /** Adds an id that is not there. The keys are kept as they are, so that many ids can share one list of them. */
  add(id: string, keys: readonly string[] = noKeys, hash: number = hashOf(id)): void {
    if (this.#recent.size >= this.#count) {
      const forgotten = this.#old;
      forgotten.clear();
      this.#old = this.#recent;
      this.#recent = forgotten;
    }
    this.#recent.add(id, hash, keys);
  }
}

/**
 * A hash table that answers for an id that is not there, the usual question, out of a few bytes: a `Set` has to look at
 * a string somewhere in the heap for each entry that it passes. The ids lie in one array, letter after letter: as strings
 * they would outlive every young generation of the heap, and be most of what the garbage collector has to move.
 */
class Generation {
  #size = 0;
  #letters = new Uint16Array(1_024);
  /** Where each id ends. */
  #ends = new Float64Array(64);
  #hashes = new Int32Array(64);
  #keys: (readonly string[])[] = [];
  /** Open addressing: the position of an id plus one; 0 is free. Half of it at least is free. */
  #slots = new Int32Array(128);

  get size(): number {
    return this.#size;
  }

  has(id: string, hash: number, keys: readonly string[]): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const position = slots[slot] ?? 0;
      if (position === 0) return false;
      if (this.#hashes[position - 1] === hash && this.#is(position - 1, id, keys)) return true;
    }
  }

  add(id: string, hash: number, keys: readonly string[]): void {
    if (this.#size === this.#hashes.length) this.#grow();
    const start = this.#startOf(this.#size);
    const end = start + id.length;
    while (end > this.#letters.length) this.#letters = enlarged(this.#letters, Uint16Array);
    const letters = this.#letters;
    for (let index = 0; index < id.length; index++) letters[start + index] = id.charCodeAt(index);
    this.#ends[this.#size] = end;
    this.#hashes[this.#size] = hash;
    this.#keys[this.#size] = keys;
    this.#size += 1;
    this.#place(hash, this.#size);
  }

  /** Forgets everything, and keeps its room. */
  clear(): void {
    this.#size = 0;
    this.#keys = [];
    this.#slots.fill(0);
  }

  #is(index: number, id: string, keys: readonly string[]): boolean {
    const start = this.#startOf(index);
    if ((this.#ends[index] ?? 0) - start !== id.length) return false;
    for (let at = 0; at < id.length; at++) {
      if (this.#letters[start + at] !== id.charCodeAt(at)) return false;
    }
    return isEqual(this.#keys[index] ?? noKeys, keys);
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  #place(hash: number, position: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = position;
  }

  #grow(): void {
    this.#hashes = enlarged(this.#hashes, Int32Array);
    this.#ends = enlarged(this.#ends, Float64Array);
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let index = 0; index < this.#size; index++) this.#place(this.#hashes[index] ?? 0, index + 1);
  }
}

function enlarged<A extends Uint16Array | Int32Array | Float64Array>(
  from: A,
  Type: new (length: number) => A,
): A {
  const larger = new Type(2 * from.length);
  larger.set(from);
  return larger;
}

function isEqual(some: readonly string[], others: readonly string[]): boolean {
  if (some === others) return true;
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}
