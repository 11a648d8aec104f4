import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GapCurve } from './gap-curve.ts';
import { measureGap } from './measure-gap.ts';
import { seededRandom, shuffled } from './seeded-random.ts';

/** RouteLLM's procedure as it is written: break ties at random, cut at deciles, trapezoid; over many draws. */
function reference(scores: readonly number[], weak: readonly number[], strong: readonly number[]): number {
  const random = seededRandom(1);
  let sum = 0;
  const draws = 400;
  for (let draw = 0; draw < draws; draw++) {
    const luck = scores.map(() => random());
    const order = scores
      .map((_, i) => i)
      .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || (luck[b] ?? 0) - (luck[a] ?? 0));
    const total = strong.reduce((s, v) => s + v, 0) - weak.reduce((s, v) => s + v, 0);
    const at = (cut: number): number =>
      order.slice(0, (scores.length * cut) / 10).reduce((s, i) => s + (strong[i] ?? 0) - (weak[i] ?? 0), 0) /
      total;
    for (let cut = 0; cut < 10; cut++) sum += (at(cut) + at(cut + 1)) / 20;
  }
  return sum / draws;
}

const pairs = fc
  .array(fc.record({ score: fc.integer({ min: 0, max: 3 }), weak: fc.boolean(), strong: fc.boolean() }), {
    minLength: 20,
    maxLength: 20,
  })
  .map((rows) => ({
    scores: rows.map(({ score }) => score),
    weak: rows.map(({ weak }) => Number(weak)),
    strong: rows.map(({ strong }) => Number(strong)),
  }));

describe('GapCurve', () => {
  test('is the average of RouteLLM’s figure over all ways to break ties', () => {
    fc.assert(
      fc.property(pairs, (pair) => {
        const found = new GapCurve(pair).metrics();
        const gap = pair.strong.reduce((s, v) => s + v, 0) - pair.weak.reduce((s, v) => s + v, 0);
        if (gap <= 0) expect(found).toBeUndefined();
        else
          expect(Math.abs((found?.apgr ?? 0) - reference(pair.scores, pair.weak, pair.strong))).toBeLessThan(
            0.35 / gap,
          );
      }),
      { numRuns: 40 },
    );
  });

  test('counts say how often a row is there', () => {
    fc.assert(
      fc.property(
        pairs,
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 20, maxLength: 20 }),
        (pair, counts) => {
          const repeat = (column: readonly number[]): number[] =>
            column.flatMap((value, row) => new Array<number>(counts[row] ?? 0).fill(value));
          const longer = {
            scores: repeat(pair.scores),
            weak: repeat(pair.weak),
            strong: repeat(pair.strong),
          };
          if (longer.scores.length === 0) return;
          const [weighed, plain] = [new GapCurve(pair).metrics(counts), new GapCurve(longer).metrics()];
          expect(weighed === undefined).toBe(plain === undefined);
          expect(weighed?.apgr ?? 0).toBeCloseTo(plain?.apgr ?? 0, 9);
          expect(weighed?.cpt80 ?? 0).toBeCloseTo(plain?.cpt80 ?? 0, 6);
        },
      ),
    );
  });

  test('a router that knows is above 1 where the weak model wins some, its opposite is below 0.5', () => {
    const weak = [0, 0, 0, 1, 1, 0, 1, 1, 0, 0];
    const strong = [1, 1, 1, 0, 1, 1, 1, 1, 1, 0];
    const gains = strong.map((score, row) => score - (weak[row] ?? 0));
    const knows = new GapCurve({ scores: gains, weak, strong }).metrics();
    const wrong = new GapCurve({ scores: gains.map((gain) => -gain), weak, strong }).metrics();
    expect(knows?.apgr).toBeGreaterThan(0.9);
    expect(wrong?.apgr).toBeLessThan(0.2);
    expect(new GapCurve({ scores: gains.map(() => 7), weak, strong }).metrics()?.apgr).toBeCloseTo(0.5, 12);
  });

  test('refuses a score that is NaN, and columns of other lengths', () => {
    expect(() => new GapCurve({ scores: [Number.NaN], weak: [0], strong: [1] })).toThrow('NaN');
    expect(() => new GapCurve({ scores: [1], weak: [0, 1], strong: [1] })).toThrow('as long as each other');
    expect(() => new GapCurve({ scores: [], weak: [], strong: [] })).toThrow('not empty');
  });

  test('intervals hold the value, and the same seed gives the same', () => {
    const random = seededRandom(3);
    const weak = Array.from({ length: 300 }, () => Number(random() < 0.5));
    const strong = Array.from({ length: 300 }, () => Number(random() < 0.8));
    const pair = { scores: [...shuffled(300, random)], weak, strong };
    const [one, two] = [1, 1].map((seed) => measureGap(pair, { draws: 200, random: seededRandom(seed) }));
    expect(one).toEqual(two);
    expect(one?.apgr.low).toBeLessThan(0.5);
    expect(one?.apgr.high).toBeGreaterThan(0.5);
  });
});
