import { ConfigError } from '@synapsekit/core';

/** Scores of a router, and how the two models did, row by row. */
export interface PairScores {
  /** The higher, the sooner a query goes to the strong model. */
  readonly scores: ArrayLike<number>;
  /** What the weak model scored, 0 to 1. */
  readonly weak: ArrayLike<number>;
  /** What the strong model scored, 0 to 1. */
  readonly strong: ArrayLike<number>;
}

/** What a router is worth between two models. */
export interface GapMetrics {
  /**
   * Average share of the gap in quality between the two models that is recovered, over all shares of strong calls
   * (RouteLLM's metric: cut at deciles, trapezoid). Random is 0.5; more than 1 is possible where the weak model is right
   * on queries that the strong one fails.
   */
  readonly apgr: number;
  /** Percent of calls to the strong model that recover half of the gap. */
  readonly cpt50: number;
  /** Percent of calls to the strong model that recover 80 % of the gap. */
  readonly cpt80: number;
}

const cuts = 10;

/**
 * Rows in the order in which a router hands them to the strong model, made once and then weighed as often as one likes:
 * a bootstrap is a pass over the rows, not a sort. Ties count as the average over all their orders.
 */
export class GapCurve {
  /** How many rows there are. */
  readonly rows: number;
  readonly #order: Int32Array;
  /** Where each run of equal scores begins, and where the last one ends. */
  readonly #ties: Int32Array;
  readonly #gain: Float64Array;
  readonly #gap: Float64Array = new Float64Array(cuts + 1);

  constructor({ scores, weak, strong }: PairScores) {
    const { length } = scores;
    if (weak.length !== length || strong.length !== length || length === 0) {
      throw new ConfigError('scores, weak and strong must be as long as each other, and not empty.', {
        option: 'scores',
      });
    }
    const values = Float64Array.from(scores);
    if (values.some((score) => Number.isNaN(score))) {
      throw new ConfigError('A router scored a query NaN.', { option: 'scores' });
    }
    this.rows = length;
    this.#order = Int32Array.from({ length }, (_, row) => row).sort(
      (a, b) => (values[b] as number) - (values[a] as number) || a - b,
    );
    const ties: number[] = [];
    for (let i = 0; i < length; i++) {
      if (i === 0 || values[this.#order[i] as number] !== values[this.#order[i - 1] as number]) ties.push(i);
    }
    ties.push(length);
    this.#ties = Int32Array.from(ties);
    this.#gain = Float64Array.from({ length }, (_, i) => {
      const row = this.#order[i] as number;
      return (strong[row] as number) - (weak[row] as number);
    });
  }

  /** The metrics, each row counting as often as `counts` says. `undefined` when the models do equally well. */
  metrics(counts?: ArrayLike<number>): GapMetrics | undefined {
    const gap = this.gapAtCuts(counts);
    const total = gap[cuts] as number;
    if (!(total > 0)) return undefined;
    let area = 0;
    for (let cut = 0; cut < cuts; cut++) area += ((gap[cut] as number) + (gap[cut + 1] as number)) / 2;
    return {
      apgr: area / cuts / total,
      cpt50: percentFor(gap, 0.5 * total),
      cpt80: percentFor(gap, 0.8 * total),
    };
  }

  /** The gap that is recovered with 0, 10, …, 100 % of calls to the strong model, in summed scores. Overwritten by the next call. */
  gapAtCuts(counts?: ArrayLike<number>): Float64Array {
    const gap = this.#gap;
    let total = this.rows;
    if (counts !== undefined) {
      total = 0;
      for (let row = 0; row < this.rows; row++) total += counts[row] as number;
    }
    let cut = 1;
    let rowsBefore = 0;
    let gainBefore = 0;
    gap[0] = 0;
    for (let tie = 0; tie + 1 < this.#ties.length; tie++) {
      let rows = 0;
      let gain = 0;
      const end = this.#ties[tie + 1] as number;
      for (let i = this.#ties[tie] as number; i < end; i++) {
        const count = counts === undefined ? 1 : (counts[this.#order[i] as number] as number);
        rows += count;
        gain += count * (this.#gain[i] as number);
      }
      while (cut < cuts && rowsBefore + rows >= (cut * total) / cuts) {
        const part = rows === 0 ? 0 : ((cut * total) / cuts - rowsBefore) / rows;
        gap[cut++] = gainBefore + part * gain;
      }
      rowsBefore += rows;
      gainBefore += gain;
    }
    while (cut <= cuts) gap[cut++] = gainBefore;
    return gap;
  }
}

/** The share of strong calls, in percent, at which so much of the gap is first recovered. */
function percentFor(gap: Float64Array, wanted: number): number {
  for (let cut = 0; cut < cuts; cut++) {
    const [from, to] = [gap[cut] as number, gap[cut + 1] as number];
    if (to >= wanted) return (100 / cuts) * (cut + (from >= wanted ? 0 : (wanted - from) / (to - from)));
  }
  return 100;
}
