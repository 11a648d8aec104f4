/** A figure with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Draws rows with replacement, so many times: the same draws for every router, so that they can be compared. */
export class Bootstrap {
  readonly #random: () => number;
  readonly #counts: Uint16Array;
  readonly draws: number;

  constructor(
    rows: number,
    { draws = 1_000, random }: { readonly draws?: number; readonly random: () => number },
  ) {
    this.#counts = new Uint16Array(rows);
    this.draws = draws;
    this.#random = random;
  }

  /** Calls `each` with how often each row was drawn; the array is used again for the next draw. */
  *[Symbol.iterator](): Generator<Uint16Array, void, undefined> {
    const rows = this.#counts.length;
    for (let draw = 0; draw < this.draws; draw++) {
      this.#counts.fill(0);
      for (let i = 0; i < rows; i++) {
        const row = Math.floor(this.#random() * rows);
        this.#counts[row] = (this.#counts[row] as number) + 1;
      }
      yield this.#counts;
    }
  }
}

/** The value with the middle 95 % of what the draws gave. */
export function estimate(value: number, draws: readonly number[]): Estimate {
  const sorted = Float64Array.from(draws).sort();
  return { value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** The quantile of sorted numbers, interpolated. NaN of none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (at - below);
}
