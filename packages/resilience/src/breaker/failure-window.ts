import type { TripRule } from './trip-rule.ts';

/**
 * Opens on the N-th failure within a window, exactly: a ring of the last N failure times. Successes do not reset
 * it and cost nothing, not even a look at the clock. Failures exactly one window apart are not within it.
 */
export class FailureWindow implements TripRule {
  readonly kind = 'failures';
  readonly watchesSuccess = false;
  readonly #windowMs: number;
  readonly #timesMs: Float64Array;
  /** Where the next failure goes, which is where the oldest stands once the ring is full. */
  #next = 0;
  #count = 0;

  constructor(threshold: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#timesMs = new Float64Array(threshold);
  }

  success(): void {}

  failure(nowMs: number): boolean {
    const times = this.#timesMs;
    times[this.#next] = nowMs;
    this.#next = (this.#next + 1) % times.length;
    if (this.#count < times.length) this.#count++;
    if (this.#count < times.length) return false;
    return nowMs - (times[this.#next] ?? nowMs) < this.#windowMs;
  }

  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }

  save(nowMs: number): number[] {
    const size = this.#timesMs.length;
    const ages: number[] = [];
    for (let back = this.#count; back > 0; back--) {
      const age = nowMs - (this.#timesMs[(this.#next - back + size) % size] ?? nowMs);
      if (age < this.#windowMs) ages.push(age);
    }
    return ages;
  }

  load(saved: readonly number[], nowMs: number, agedMs: number): void {
    this.clear();
    const oldestFirst = saved.toSorted((a, b) => b - a);
    for (const age of oldestFirst) {
      // What it answers does not matter here: a memory never opens the circuit by itself.
      if (age + agedMs < this.#windowMs) this.failure(nowMs - age - agedMs);
    }
  }
}
