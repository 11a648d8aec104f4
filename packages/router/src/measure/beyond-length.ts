import { ConfigError } from '@synapsekit/core';
import { normalTail } from './normal-tail.ts';

/** What predicted gains say that length does not. */
export interface BeyondLength {
  /** How many standard deviations more of the gain they find than chance would, among rows of like length. */
  readonly z: number;
  /** Chance of finding so much, or more, where length is all there is. */
  readonly p: number;
}

const stratumRows = 10;

/**
 * Tests whether predicted gains say anything of the true ones that length does not: rows are put into strata of ten of like
 * length, and within each the predictions are compared with the gains (the stratified test of linear association, a
 * generalised Cochran, Mantel and Haenszel test; one-sided, with the exact moments of all permutations within strata). Where
 * length is all there is, the order within a stratum means nothing, whatever the predictions have made of length.
 */
export function beyondLength(
  scores: ArrayLike<number>,
  lengths: ArrayLike<number>,
  gains: ArrayLike<number>,
): BeyondLength {
  const { length } = scores;
  if (lengths.length !== length || gains.length !== length || length === 0) {
    throw new ConfigError('scores, lengths and gains must be as long as each other, and not empty.', {
      option: 'scores',
    });
  }
  const order = sorted(lengths);
  // All strata are about as large: a last one of two rows would count as much as it is worth, but no more.
  const strata = Math.max(1, Math.round(length / stratumRows));
  let sum = 0;
  let variance = 0;
  for (let stratum = 0; stratum < strata; stratum++) {
    const rows = order.subarray(
      Math.floor((stratum * length) / strata),
      Math.floor(((stratum + 1) * length) / strata),
    );
    if (rows.length < 2) continue;
    const [score, gain] = [meanAt(scores, rows), meanAt(gains, rows)];
    let both = 0;
    let scoreSquares = 0;
    let gainSquares = 0;
    for (const row of rows) {
      const [s, g] = [(scores[row] as number) - score, (gains[row] as number) - gain];
      both += s * g;
      scoreSquares += s * s;
      gainSquares += g * g;
    }
    sum += both;
    variance += (scoreSquares * gainSquares) / (rows.length - 1);
  }
  const z = variance > 0 ? sum / Math.sqrt(variance) : 0;
  return { z, p: normalTail(z) };
}

/** Row numbers, by rising value. */
function sorted(values: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: values.length }, (_, row) => row).sort(
    (a, b) => (values[a] as number) - (values[b] as number) || a - b,
  );
}

function meanAt(values: ArrayLike<number>, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) sum += values[row] as number;
  return sum / rows.length;
}
