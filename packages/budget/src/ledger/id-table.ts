import type { IdText } from './id-text.ts';

/**
 * A hash table for ids, made for remembering very many for a while and for asking after ids that are not there. A `Map`
 * of strings keeps every string alive, which the garbage collector copies twice before it lets it rest, and has to look
 * at one in the heap for every entry that it passes. Here the characters of all ids lie in one array, and what is passed
 * is told apart by one byte of its hash: for 20,000 ids, 64 KB that a processor has at hand. What else there is of an
 * entry is looked at only where it is nearly certain to be the one.
 */
export class IdTable<V> {
  #size = 0;
  readonly #values: V[] = [];
  #hashes: Int32Array<ArrayBuffer>;
  /** The characters of all ids, one id after the other. */
  #characters: Uint16Array<ArrayBuffer>;
  /** Where the characters of an entry begin, which is where those of the one before end. */
  #starts: Int32Array<ArrayBuffer>;
  /** Open addressing: a byte of the hash of what is there, 0 where nothing is. Half of it at least is free. */
  #tags: Uint8Array<ArrayBuffer>;
  /** Which entry is there. */
  #entries: Int32Array<ArrayBuffer>;

  constructor() {
    const room = 32;
    this.#hashes = new Int32Array(room);
    this.#starts = new Int32Array(room + 1);
    this.#tags = new Uint8Array(2 * room);
    this.#entries = new Int32Array(2 * room);
    this.#characters = new Uint16Array(32 * room);
  }

  get size(): number {
    return this.#size;
  }

  /** Where an id is, or would be. */
  find(id: IdText): number {
    const tags = this.#tags;
    const mask = tags.length - 1;
    const { hash } = id;
    const tag = tagOf(hash);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = tags[slot];
      if (found === 0 || (found === tag && this.#isAt(this.#entries[slot] ?? 0, id))) return slot;
    }
  }

  /** What is there. */
  at(slot: number): V | undefined {
    return this.#tags[slot] === 0 ? undefined : this.#values[this.#entries[slot] ?? 0];
  }

  /** Sets the value of an id at the place that was found for it. False where that is another one now. */
  put(slot: number, id: IdText, value: V): boolean {
    if (this.#tags[slot] !== 0) {
      this.#values[this.#entries[slot] ?? 0] = value;
      return true;
    }
    const entry = this.#size;
    this.#tags[slot] = tagOf(id.hash);
    this.#entries[slot] = entry;
    this.#hashes[entry] = id.hash;
    this.#values.push(value);
    this.#write(entry, id);
    this.#size = entry + 1;
    if (this.#size < this.#hashes.length) return true;
    this.#grow();
    return false;
  }

  /** Forgets everything, and keeps its room. */
  clear(): void {
    this.#size = 0;
    this.#values.length = 0;
    this.#tags.fill(0);
  }

  #isAt(entry: number, { characters: asked, length }: IdText): boolean {
    const start = this.#starts[entry] ?? 0;
    if ((this.#starts[entry + 1] ?? 0) - start !== length) return false;
    const characters = this.#characters;
    for (let index = 0; index < length; index++) {
      if (characters[start + index] !== asked[index]) return false;
    }
    return true;
  }

  #write(entry: number, { characters: from, length }: IdText): void {
    const start = this.#starts[entry] ?? 0;
    const end = start + length;
    if (end > this.#characters.length) {
      const characters = new Uint16Array(Math.max(2 * this.#characters.length, end));
      characters.set(this.#characters);
      this.#characters = characters;
    }
    const characters = this.#characters;
    for (let index = 0; index < length; index++) characters[start + index] = from[index] ?? 0;
    this.#starts[entry + 1] = end;
  }

  #grow(): void {
    const room = this.#hashes.length * 2;
    const hashes = new Int32Array(room);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const starts = new Int32Array(room + 1);
    starts.set(this.#starts);
    this.#starts = starts;
    const tags = new Uint8Array(2 * room);
    const entries = new Int32Array(2 * room);
    const mask = tags.length - 1;
    for (let entry = 0; entry < this.#size; entry++) {
      const hash = hashes[entry] ?? 0;
      let slot = hash & mask;
      while (tags[slot] !== 0) slot = (slot + 1) & mask;
      tags[slot] = tagOf(hash);
      entries[slot] = entry;
    }
    this.#tags = tags;
    this.#entries = entries;
  }
}

/** The bits of a hash that do not say where it belongs, and one more: never 0. */
function tagOf(hash: number): number {
  return (hash >>> 24) | 0x80;
}
