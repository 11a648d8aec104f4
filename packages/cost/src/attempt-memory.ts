/**
 * Remembers what belongs to the last attempts: at least `capacity` of them, at most twice as many. Two generations
 * instead of a queue, so that forgetting costs nothing.
 */
export class AttemptMemory<T> {
  readonly #capacity: number;
  #young = new Generation<T>();
  #old = new Generation<T>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(attemptId: string): T | undefined {
    if (this.#young.size === 0 && this.#old.size === 0) return undefined; // estimates are rare
    return this.#young.get(attemptId) ?? this.#old.get(attemptId);
  }

  /** Remembers an attempt, in place of what was known of it. */
  set(attemptId: string, value: T): void {
    this.#young.set(attemptId, value);
    this.#age();
  }

  /** Remembers an attempt whose id was minted just now. */
  setMinted(attemptId: string, value: T): void {
    this.#young.setLater(attemptId, value);
    this.#age();
  }

  delete(attemptId: string): void {
    this.#young.delete(attemptId);
    this.#old.delete(attemptId);
  }

  #age(): void {
    if (this.#young.size < this.#capacity) return;
    this.#old = this.#young;
    this.#young = new Generation();
  }
}

/**
 * A map that finds places for minted ids when it is asked for one, not before: finding one for a random id takes as
 * long as all the rest of recording, and where ids are never handed back, nobody asks.
 */
class Generation<T> {
  readonly #map = new Map<string, T>();
  /** Not in the map yet. */
  #ids: string[] = [];
  #values: T[] = [];

  get size(): number {
    return this.#map.size + this.#ids.length;
  }

  get(attemptId: string): T | undefined {
    this.#findPlaces();
    return this.#map.get(attemptId);
  }

  /** @param attemptId one that is not there yet */
  setLater(attemptId: string, value: T): void {
    this.#ids.push(attemptId);
    this.#values.push(value);
  }

  set(attemptId: string, value: T): void {
    this.#findPlaces();
    this.#map.set(attemptId, value);
  }

  delete(attemptId: string): void {
    this.#findPlaces();
    this.#map.delete(attemptId);
  }

  #findPlaces(): void {
    if (this.#ids.length === 0) return;
    for (let i = 0; i < this.#ids.length; i++) this.#map.set(this.#ids[i] as string, this.#values[i] as T);
    this.#ids = [];
    this.#values = [];
  }
}
