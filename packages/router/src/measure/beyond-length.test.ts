import { describe, expect, test } from 'vitest';
import { beyondLength } from './beyond-length.ts';
import { normalTail } from './normal-tail.ts';
import { seededRandom } from './seeded-random.ts';

/** Rows whose gain depends on their length, and on something else as far as `other` says. */
function rowsOf(count: number, seed: number, other: number) {
  const random = seededRandom(seed);
  const lengths = Float64Array.from({ length: count }, () => Math.floor(random() * 500));
  const hidden = Float64Array.from({ length: count }, () => random());
  const gains = lengths.map((length, row) =>
    Number(random() < 0.2 + length / 1_000 + other * ((hidden[row] as number) - 0.5)),
  );
  return { lengths, hidden, gains };
}

test('the tail of the normal distribution is that of the tables', () => {
  for (const [z, p] of [
    [0, 0.5],
    [1, 0.158655],
    [1.959964, 0.025],
    [3, 0.0013499],
    [-1, 0.841345],
  ] as const) {
    expect(normalTail(z)).toBeCloseTo(p, 6);
  }
});

describe('beyondLength', () => {
  test('finds what length does not say', () => {
    const { lengths, hidden, gains } = rowsOf(1_000, 1, 0.4);
    expect(beyondLength(hidden, lengths, gains).p).toBeLessThan(0.001);
    expect(
      beyondLength(
        hidden.map((value) => -value),
        lengths,
        gains,
      ).p,
    ).toBeGreaterThan(0.99);
  });

  test('takes length for nothing new, however it is bent', () => {
    for (const bend of [(x: number) => x, Math.sqrt, (x: number) => Math.abs(x - 250), () => 1]) {
      const { lengths, gains } = rowsOf(2_000, 2, 0);
      expect(Math.abs(beyondLength(lengths.map(bend), lengths, gains).z)).toBeLessThan(2);
    }
  });

  test('is wrong as often as it says where the scores say nothing', () => {
    let wrong = 0;
    for (let trial = 0; trial < 1_000; trial++) {
      const { lengths, hidden, gains } = rowsOf(120, trial, 0);
      // Much of length in it, and noise.
      const scores = hidden.map((value, row) => value + (lengths[row] as number) / 100);
      if (beyondLength(scores, lengths, gains).p <= 0.05) wrong++;
    }
    expect(wrong).toBeGreaterThan(25);
    expect(wrong).toBeLessThan(75);
  });

  test('all alike, or one row, is nothing found; columns that do not fit are refused', () => {
    expect(beyondLength([1, 1, 1], [1, 2, 3], [0, 1, 0])).toEqual({ z: 0, p: expect.closeTo(0.5, 6) });
    expect(beyondLength([1], [1], [1]).z).toBe(0);
    expect(() => beyondLength([1, 2], [1], [1, 2])).toThrow('as long as each other');
    expect(() => beyondLength([], [], [])).toThrow('not empty');
  });
});
