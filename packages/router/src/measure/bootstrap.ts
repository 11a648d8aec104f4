import type { TextGroups } from './same-text.ts';

/** A figure with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Draws rows with replacement, so many times: the same draws for every router, so that they can be compared. With `texts`,
 * all rows of a text are drawn together: repeats of a query are no further evidence, and make no interval narrower.
 */
export class Bootstrap {
  readonly #random: () => number;
  readonly #texts: TextGroups | undefined;
  readonly #counts: Uint16Array;
  readonly draws: number;

  constructor(
    rows: number,
    {
      draws = 1_000,
      random,
      texts,
    }: { readonly draws?: number; readonly random: () => number; readonly texts?: TextGroups },
  ) {
    this.#counts = new Uint16Array(rows);
    this.draws = draws;
    this.#random = random;
    this.#texts = texts !== undefined && texts.count < rows ? texts : undefined;
  }

  /** Calls `each` with how often each row was drawn; the array is used again for the next draw. */
  *[Symbol.iterator](): Generator<Uint16Array, void, undefined> {
    const texts = this.#texts;
    const drawn = texts === undefined ? this.#counts : new Uint16Array(texts.count);
    for (let draw = 0; draw < this.draws; draw++) {
      drawn.fill(0);
      for (let i = 0; i < drawn.length; i++) {
        const one = Math.floor(this.#random() * drawn.length);
        drawn[one] = (drawn[one] as number) + 1;
      }
      if (texts !== undefined) {
        for (const [row, text] of texts.of.entries()) this.#counts[row] = drawn[text] as number;
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
