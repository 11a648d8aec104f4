import type { TripRule } from './trip-rule.ts';

/** The window is this many slices, so it covers between 90 % and 100 % of its length. */
const slices = 10;

/**
 * Opens on a failure that brings the share of failures within the window to a rate, once there were enough calls.
 * Calls count when they end: those in flight, refused or neutral are in neither part. Slices are told by the time
 * that they belong to, so none is stale however long nothing happened.
 */
export class FailureRate implements TripRule {
  readonly kind = 'rate';
  readonly watchesSuccess = true;
  readonly #rate: number;
  readonly #minimumCalls: number;
  readonly #sliceMs: number;
  readonly #now: () => number;
  /** Per slice: which one since the clock's origin, successes, failures. */
  readonly #epochs: number[] = Array(slices).fill(-Infinity);
  readonly #successes: number[] = Array(slices).fill(0);
  readonly #failures: number[] = Array(slices).fill(0);

  constructor(rate: number, minimumCalls: number, windowMs: number, now: () => number) {
    this.#rate = rate;
    this.#minimumCalls = minimumCalls;
    this.#sliceMs = windowMs / slices;
    this.#now = now;
  }

  success(): void {
    this.#add(this.#now(), 1, 0);
  }

  failure(nowMs: number): boolean {
    this.#add(nowMs, 0, 1);
    const oldest = Math.floor(nowMs / this.#sliceMs) - slices;
    let calls = 0;
    let failures = 0;
    for (const [slice, epoch] of this.#epochs.entries()) {
      if (epoch <= oldest) continue;
      const failed = this.#failures[slice] ?? 0;
      failures += failed;
      calls += failed + (this.#successes[slice] ?? 0);
    }
    return calls >= this.#minimumCalls && failures >= this.#rate * calls;
  }

  clear(): void {
    this.#epochs.fill(-Infinity);
    this.#successes.fill(0);
    this.#failures.fill(0);
  }

  save(nowMs: number): number[] {
    const current = Math.floor(nowMs / this.#sliceMs);
    return this.#epochs.flatMap((epoch, slice) =>
      epoch > current - slices
        ? [(current - epoch) * this.#sliceMs, this.#successes[slice] ?? 0, this.#failures[slice] ?? 0]
        : [],
    );
  }

  load(saved: readonly number[], nowMs: number, agedMs: number): void {
    this.clear();
    for (let index = 0; index + 2 < saved.length; index += 3) {
      const [ageMs = 0, successes = 0, failures = 0] = saved.slice(index, index + 3);
      if (ageMs + agedMs < this.#sliceMs * slices) this.#add(nowMs - ageMs - agedMs, successes, failures);
    }
  }

  #add(atMs: number, successes: number, failures: number): void {
    const epoch = Math.floor(atMs / this.#sliceMs);
    const slice = ((epoch % slices) + slices) % slices;
    if (this.#epochs[slice] !== epoch) {
      // A time before the slice's own is older than the window.
      if ((this.#epochs[slice] ?? epoch) > epoch) return;
      this.#epochs[slice] = epoch;
      this.#successes[slice] = 0;
      this.#failures[slice] = 0;
    }
    this.#successes[slice] = (this.#successes[slice] ?? 0) + successes;
    this.#failures[slice] = (this.#failures[slice] ?? 0) + failures;
  }
}
