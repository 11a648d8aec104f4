/** A map that keeps the entries that were touched last, so many of them: memory is bounded whatever comes. */
export class BoundedMap<K, V> {
  readonly #max: number;
  readonly #entries = new Map<K, V>();

  readonly #onEvict: ((value: V) => void) | undefined;

  /** @param onEvict is told of each entry that had to go. */
  constructor(max: number, onEvict?: (value: V) => void) {
    this.#max = max;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value; it counts as touched. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) return;
    for (const [oldest, old] of this.#entries) {
      this.#entries.delete(oldest);
      this.#onEvict?.(old);
      return;
    }
  }

  /** Takes the entry out. */
  take(key: K): V | undefined {
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    return value;
  }
}
