import { hashId, IdTable } from './id-table.ts';

/**
 * A map of ids that forgets: an entry stays for at least `minAgeMs` after it was set, or until at least `minCount` later
 * ones have been set. Two generations take turns, so that memory is bounded. Hashes of ids are those of `hashId`; who
 * asks more than once counts one only once.
 */
export class GenerationalMap<V> {
  readonly #minAgeMs: number;
  readonly #minCount: number;
  readonly #kept: () => Iterable<V & { readonly id: string }>;
  #recent = new IdTable<V>();
  #old = new IdTable<V>();
  /** How many entries the recent generation began with: those that cannot be forgotten yet. */
  #carried = 0;
  /** When the recent generation began; not known right after one began because the last was full. */
  #turnedAtMs: number | undefined;

  /** @param kept tells what must not be forgotten yet. */
  constructor(
    minAgeMs: number,
    minCount: number,
    kept: () => Iterable<V & { readonly id: string }> = () => [],
  ) {
    this.#minAgeMs = minAgeMs;
    this.#minCount = minCount;
    this.#kept = kept;
  }

  get(id: string, hash: number = hashId(id)): V | undefined {
    return this.#recent.get(id, hash) ?? this.#old.get(id, hash);
  }

  set(id: string, value: V, hash: number = hashId(id)): void {
    const entered = this.#recent.size - this.#carried;
    if (entered >= this.#minCount && entered >= this.#carried) this.#turn(undefined);
    this.#recent.set(id, hash, value);
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
    const forgotten = this.#old;
    this.#old = this.#recent;
    forgotten.clear();
    this.#recent = forgotten;
    for (const value of this.#kept()) {
      const hash = hashId(value.id);
      if (this.#old.get(value.id, hash) === undefined) this.#recent.set(value.id, hash, value);
    }
    this.#carried = this.#recent.size;
    this.#turnedAtMs = nowMs;
  }
}
