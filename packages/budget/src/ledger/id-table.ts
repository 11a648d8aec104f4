/**
 * A hash table for ids, made for remembering very many for a while and for asking after ids that are not there. A `Map`
 * of strings keeps every string alive, which the garbage collector copies twice before it lets it rest, and has to look
 * at one in the heap for every entry that it passes. Here the characters of all ids lie in one array, and what is passed
 * is compared by 32-bit hashes that lie side by side.
 */
export class IdTable<V> {
  #size = 0;
  readonly #values: V[] = [];
  #hashes: Int32Array<ArrayBuffer>;
  /** The characters of all ids, one id after the other. */
  #characters: Uint16Array<ArrayBuffer>;
  /** Where the characters of an entry end, which is where those of the next begin. */
  #ends: Int32Array<ArrayBuffer>;
  /** Open addressing: position of an entry plus one; 0 is free. Half of it at least is free. */
  #slots: Int32Array<ArrayBuffer>;

  constructor() {
    const room = 32;
    this.#hashes = new Int32Array(room);
    this.#ends = new Int32Array(room);
    this.#slots = new Int32Array(2 * room);
    this.#characters = new Uint16Array(32 * room);
  }

  get size(): number {
    return this.#size;
  }

  get(key: string, hash: number): V | undefined {
    const position = this.#slots[this.#slotOf(key, hash)] ?? 0;
    return position === 0 ? undefined : this.#values[position - 1];
  }

  set(key: string, hash: number, value: V): void {
    const slot = this.#slotOf(key, hash);
    const known = this.#slots[slot] ?? 0;
    if (known !== 0) {
      this.#values[known - 1] = value;
      return;
    }
    const position = this.#size;
    this.#hashes[position] = hash;
    this.#values.push(value);
    this.#write(position, key);
    this.#size = position + 1;
    this.#slots[slot] = this.#size;
    if (this.#size === this.#hashes.length) this.#grow();
  }

  /** Forgets everything, and keeps its room. */
  clear(): void {
    this.#size = 0;
    this.#values.length = 0;
    this.#slots.fill(0);
  }

  #slotOf(key: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const position = slots[slot] ?? 0;
      if (position === 0) return slot;
      if (this.#hashes[position - 1] === hash && this.#isAt(position - 1, key)) return slot;
    }
  }

  #isAt(position: number, key: string): boolean {
    const start = position === 0 ? 0 : (this.#ends[position - 1] ?? 0);
    if ((this.#ends[position] ?? 0) - start !== key.length) return false;
    const characters = this.#characters;
    for (let index = 0; index < key.length; index++) {
      if (characters[start + index] !== key.charCodeAt(index)) return false;
    }
    return true;
  }

  #write(position: number, key: string): void {
    const start = position === 0 ? 0 : (this.#ends[position - 1] ?? 0);
    const end = start + key.length;
    if (end > this.#characters.length) {
      const characters = new Uint16Array(Math.max(2 * this.#characters.length, end));
      characters.set(this.#characters);
      this.#characters = characters;
    }
    const characters = this.#characters;
    for (let index = 0; index < key.length; index++) characters[start + index] = key.charCodeAt(index);
    this.#ends[position] = end;
  }

  #grow(): void {
    const room = this.#hashes.length * 2;
    const hashes = new Int32Array(room);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const ends = new Int32Array(room);
    ends.set(this.#ends);
    this.#ends = ends;
    const slots = new Int32Array(2 * room);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
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
