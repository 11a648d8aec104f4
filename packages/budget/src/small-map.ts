/** A map that mostly has one entry: it takes no room for more until there are. */
export class SmallMap<V> {
  #key: string | undefined;
  #value: V | undefined;
  #others: Map<string, V> | undefined;

  get(key: string): V | undefined {
    return key === this.#key ? this.#value : this.#others?.get(key);
  }

  set(key: string, value: V): void {
    if (this.#key === undefined && this.#others?.has(key) !== true) this.#key = key;
    if (key === this.#key) {
      this.#value = value;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(key, value);
  }

  delete(key: string): void {
    if (key === this.#key) {
      this.#key = undefined;
      this.#value = undefined;
    } else {
      this.#others?.delete(key);
    }
  }
}
