import { IdTable } from './id-table.ts';
import { IdText } from './id-text.ts';

/**
 * A map of ids that forgets: an entry stays for at least `minAgeMs` after it was set, or until at least `minCount` later
 * ones have been set. Two generations take turns, so that memory is bounded.
 */
export class GenerationalMap<V> {
  readonly #minAgeMs: number;
  readonly #minCount: number;
  /** The id that was asked for last: mostly it is set next, or asked for again. */
  readonly #id = new IdText();
  /** Where it is in the recent generation, or would be; -1: not known. */
  #slot = -1;
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

  get(id: string): V | undefined {
    const old = this.#old;
    return this.#recent.at(this.#find(id)) ?? old.at(old.find(this.#id));
  }

  set(id: string, value: V): void {
    const entered = this.#recent.size - this.#carried;
    if (entered >= this.#minCount && entered >= this.#carried) this.#turn(undefined);
    this.#put(id, value);
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
    this.#slot = -1;
    for (const value of this.#kept()) {
      if (!this.#id.take(value.id)) this.#slot = -1;
      if (this.#old.at(this.#old.find(this.#id)) === undefined) this.#put(value.id, value);
    }
    this.#carried = this.#recent.size;
    this.#turnedAtMs = nowMs;
  }

  #put(id: string, value: V): void {
    if (!this.#recent.put(this.#find(id), this.#id, value)) this.#slot = -1;
  }

  #find(id: string): number {
    if (!this.#id.take(id) || this.#slot === -1) this.#slot = this.#recent.find(this.#id);
    return this.#slot;
  }
}
