import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../measure/seeded-random.ts';
import { toSparseMatrix } from './feature-vector.ts';
import { packWeights, unpackWeights } from './int8-weights.ts';
import { trainLogistic } from './train-logistic.ts';

const dense = (rows: readonly (readonly number[])[]) =>
  toSparseMatrix(
    rows.map((values) => ({ indices: values.map((_, j) => j), values })),
    rows[0]?.length ?? 0,
  );

/** The plain reference: many small steps straight down. */
function reference(rows: readonly (readonly number[])[], labels: readonly number[], l2: number): number[] {
  const columns = rows[0]?.length ?? 0;
  const at = new Array<number>(columns + 1).fill(0);
  for (let step = 0; step < 20_000; step++) {
    const gradient = at.map((weight, j) => (j < columns ? l2 * weight : 0));
    for (const [i, row] of rows.entries()) {
      const margin = row.reduce((sum, value, j) => sum + value * (at[j] ?? 0), at[columns] ?? 0);
      const slope = 1 / (1 + Math.exp(-margin)) - (labels[i] ?? 0);
      for (const [j, value] of [...row, 1].entries()) gradient[j] = (gradient[j] ?? 0) + slope * value;
    }
    for (const [j, slope] of gradient.entries()) at[j] = (at[j] ?? 0) - 0.02 * slope;
  }
  return at;
}

describe('trainLogistic', () => {
  test('finds the optimum that plain descent finds, with soft labels too', () => {
    const random = seededRandom(4);
    const rows = Array.from({ length: 30 }, () => [random() - 0.5, random() - 0.5, random() * 2 - 1]);
    const labels = rows.map(([a = 0, b = 0]) => 1 / (1 + Math.exp(-(3 * a - 2 * b))));
    const { bias, weights } = trainLogistic(dense(rows), labels, { l2: 0.5 });
    for (const [j, expected] of reference(rows, labels, 0.5).entries()) {
      expect(j < 3 ? weights[j] : bias).toBeCloseTo(expected, 2);
    }
  });

  test('a subset is trained on as if there were no other rows, and twice the weight is the row twice', () => {
    const random = seededRandom(9);
    const rows = Array.from({ length: 40 }, () => [random(), random()]);
    const labels = rows.map(([a = 0]) => (a > 0.5 ? 1 : 0));
    const part = trainLogistic(dense(rows), labels, { rows: Int32Array.from({ length: 20 }, (_, i) => i) });
    const alone = trainLogistic(dense(rows.slice(0, 20)), labels.slice(0, 20));
    expect(part).toEqual(alone);
    const doubled = trainLogistic(dense([...rows, ...rows]), [...labels, ...labels]);
    const weighed = trainLogistic(dense(rows), labels, { rowWeights: new Float64Array(40).fill(2) });
    expect(weighed.weights[0]).toBeCloseTo(doubled.weights[0] ?? 0, 2);
  });

  test('one kind of label only, or no column that says anything, is no trouble', () => {
    const { bias, weights } = trainLogistic(dense([[1], [1], [1]]), [1, 1, 1]);
    expect([bias, weights[0]].every((value) => Number.isFinite(value))).toBe(true);
    const flat = trainLogistic(dense([[0], [0], [0], [0]]), [1, 0, 0, 0]);
    expect(1 / (1 + Math.exp(-flat.bias))).toBeCloseTo(0.25, 2);
  });

  test('refuses labels out of range and of another number', () => {
    expect(() => trainLogistic(dense([[1]]), [2])).toThrow('labels[0] must be a finite number');
    expect(() => trainLogistic(dense([[1]]), [Number.NaN])).toThrow('labels[0]');
    expect(() => trainLogistic(dense([[1]]), [1, 0])).toThrow('1 rows and 2 labels');
  });
});

describe('int8 weights', () => {
  test('come back to within half a step', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1 }), (weights) => {
        const packed = packWeights(weights);
        const back = unpackWeights(JSON.parse(JSON.stringify(packed)), weights.length, 'w');
        for (const [j, weight] of weights.entries()) {
          expect(Math.abs((back[j] ?? 0) - weight)).toBeLessThanOrEqual(packed.scale * 0.5001 + 1e-6);
        }
      }),
    );
  });

  test('are refused when they are too few, or none', () => {
    expect(() => unpackWeights(packWeights([1, 2]), 3, 'w')).toThrow('must hold 3 weights, it holds 2');
    expect(() => unpackWeights({ scale: Number.NaN, data: '' }, 0, 'w')).toThrow('{ scale, data }');
  });
});
