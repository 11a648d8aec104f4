import { hashId, IdTable } from './id-table.ts';

/**
 * A map of ids that forgets: an entry stays for at least `minAgeMs` after it was set, or until at least `minCount` later
 * ones have been set. Two generations take turns, so that memory is bounded.
 */
export class GenerationalMap<V> {
  readonly #minAgeMs: number;
  readonly #minCount: number;
  #recent = new IdTable<V>();
  #old = new IdTable<V>();
  /** When the recent generation began; not known right after one began because the last was full. */
  #turnedAtMs: number | undefined;

  constructor(minAgeMs: number, minCount: number) {
    this.#minAgeMs = minAgeMs;
    this.#minCount = minCount;
  }

  get(id: string): V | undefined {
    const hash = hashId(id);
    return this.#recent.get(id, hash) ?? this.#old.get(id, hash);
  }

  set(id: string, value: V): void {
    if (this.#recent.size >= this.#minCount) this.#turn(undefined);
    this.#recent.set(id, hashId(id), value);
  }

  /** Forgets what is old enough. `nowMs` is monotonic. */
  age(nowMs: number): void {
    this.#turnedAtMs ??= nowMs;
    if (nowMs - this.#turnedAtMs >= this.#minAgeMs) this.#turn(nowMs);
  }

  get size(): number {
    return this.#recent.size + this.#old.size;
  }

  #turn(nowMs: number | undefined): void {
    this.#old = this.#recent;
    this.#recent = new IdTable(this.#old.size);
    this.#turnedAtMs = nowMs;
  }
}
