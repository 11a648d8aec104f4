import { beforeAll, describe, expect, test } from 'vitest';
import { syntheticOutcomes } from '../../test/synthetic-outcomes.ts';
import type { GainModel } from '../learned/gain-model.ts';
import { trainRouterModel } from '../learned/train-router-model.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import { atLeast, shareBounds } from './binomial.ts';
import { calibrateRouter } from './calibrate-router.ts';
import { meanIsAbove } from './mean-test.ts';

describe('bounds', () => {
  test('of a share are those of Clopper and Pearson', () => {
    // R: binom.test(7, 20, conf.level = 0.9)$conf.int, binom.test(0, 30, 0.9), binom.test(950, 1000, 0.9)
    expect(shareBounds(7, 20, 0.05).low).toBeCloseTo(0.177311, 5);
    expect(shareBounds(7, 20, 0.05).high).toBeCloseTo(0.558035, 5);
    expect(shareBounds(0, 30, 0.05)).toEqual({ low: 0, high: expect.closeTo(1 - 0.05 ** (1 / 30), 9) });
    expect(shareBounds(30, 30, 0.05)).toEqual({ low: expect.closeTo(0.05 ** (1 / 30), 9), high: 1 });
  });

  test('a tail is the sum of its terms', () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
    for (const share of [0.01, 0.3, 0.77]) {
      for (const yes of [1, 5, 14, 25]) {
        let tail = 0;
        for (let k = yes; k <= 25; k++) tail += choose(25, k) * share ** k * (1 - share) ** (25 - k);
        expect(atLeast(yes, 25, share)).toBeCloseTo(tail, 10);
      }
    }
  });

  test('a mean that is just the value is taken for more in at most alpha of all samples, however skewed', () => {
    const random = seededRandom(5);
    const alpha = 0.1;
    for (const chance of [0.02, 0.5, 0.98]) {
      let wrong = 0;
      const trials = 2_000;
      for (let trial = 0; trial < trials; trial++) {
        const draws = Float64Array.from({ length: 120 }, () => Number(random() < chance));
        if (meanIsAbove(draws, chance, { low: 0, high: 1, alpha })) wrong++;
      }
      // Three standard deviations above what is allowed would be bad luck of one in a thousand.
      expect(wrong / trials).toBeLessThan(alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / trials));
    }
  });

  test('a mean that is above by far is found', () => {
    const draws = Float64Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? 0 : 1));
    expect(meanIsAbove(draws, 0.7, { low: 0, high: 1, alpha: 0.05 })).toBe(true);
    expect(meanIsAbove(draws, 0.95, { low: 0, high: 1, alpha: 0.05 })).toBe(false);
  });
});

describe('calibrateRouter', () => {
  let model: GainModel;
  beforeAll(async () => {
    model = await trainRouterModel(syntheticOutcomes(1_000, { seed: 11 }), { verifier: false });
  });

  test('promises hold as often as they say, where naive thresholds break about every other time', () => {
    const truth = syntheticOutcomes(8_000, { seed: 99 }).map(({ prompt, outcomes }) => ({
      gain: model.gain(prompt),
      small: outcomes.small?.score ?? 0,
      large: outcomes.large?.score ?? 0,
    }));
    const best = truth.reduce((sum, { large }) => sum + large, 0);
    const kept = (threshold: number): boolean =>
      truth.reduce((sum, { gain, small, large }) => sum + (gain >= threshold ? large : small), 0) >=
      0.9 * best;
    const trials = 60;
    let [broken, naive] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      const { calibration } = calibrateRouter(syntheticOutcomes(300, { seed: 1_000 + trial }), {
        model,
        promise: { kind: 'quality', keep: 0.9 },
        confidence: 0.9,
        seed: trial,
      }).json;
      if (!kept(calibration?.point.threshold ?? 0)) broken++;
      if (!kept(calibration?.unguarded.threshold ?? 0)) naive++;
    }
    expect(broken / trials).toBeLessThanOrEqual(0.1);
    expect(naive / trials).toBeGreaterThan(0.25);
  });

  test('says what the guarantee costs, and a share and a cost are kept as well', () => {
    const rows = syntheticOutcomes(800, { seed: 3 });
    const quality = calibrateRouter(rows, { model, promise: { kind: 'quality', keep: 0.9 } }).json
      .calibration;
    expect(quality?.point.strongShare).toBeGreaterThan(quality?.unguarded.strongShare ?? 1);
    const share = calibrateRouter(rows, { model, promise: { kind: 'share', maxStrongShare: 0.3 } }).json
      .calibration;
    expect(share?.point.strongShare).toBeLessThanOrEqual(0.3);
    expect(share?.point.strongShare).toBeGreaterThan(0.15);
    const cost = calibrateRouter(rows, { model, promise: { kind: 'cost', maxCostUsd: 0.002 } }).json
      .calibration;
    expect(cost?.point.costUsd).toBeLessThanOrEqual(0.002);
    expect(cost?.point.costUsd).toBeGreaterThan(0.0005);
    expect(cost?.costSdUsd).toBeGreaterThan(0);
  });

  test('refuses what the rows do not carry, and says how many might', () => {
    const few = syntheticOutcomes(70, { seed: 4 });
    expect(() => calibrateRouter(few, { model, promise: { kind: 'quality', keep: 0.99 } })).toThrow(
      /do not carry the promise to keep 99 %.*(About \d+ rows|does not even hold)/,
    );
    expect(() => calibrateRouter(few, { model, promise: { kind: 'quality', keep: 1 } })).toThrow(
      /do not carry the promise to keep 100 %.*kept for sure only by always asking the strong model.*promise a little less/,
    );
    expect(() => calibrateRouter(few, { model, promise: { kind: 'share', maxStrongShare: 0.01 } })).toThrow(
      'do not carry the promise of at most 1 % strong calls',
    );
    const dearer = { model, promise: { kind: 'cost', maxCostUsd: 0.0001 } } as const;
    expect(() => calibrateRouter(few, dearer)).toThrow('the weak model alone costs $0.0002');
    expect(() => calibrateRouter(syntheticOutcomes(300, { seed: 4, costs: false }), dearer)).toThrow(
      'hold none',
    );
  });

  test('never looks at rows that the model was trained on', () => {
    const seen = syntheticOutcomes(1_000, { seed: 11 });
    expect(() => calibrateRouter(seen, { model, promise: { kind: 'quality', keep: 0.9 } })).toThrow(
      'are fresh (the model was trained on',
    );
  });

  test.each([
    [{ kind: 'quality', keep: 1.2 }, 'keep must be a finite number > 0 and <= 1, got 1.2'],
    [{ kind: 'quality', keep: Number.NaN }, 'keep must be'],
    [{ kind: 'share', maxStrongShare: 0 }, 'maxStrongShare must be'],
    [{ kind: 'nonsense' }, 'promise must be { kind: "quality", keep }'],
    [{ kind: 'quality', keep: 0.9, maxCostUsd: 1 }, 'promise has no option "maxCostUsd"'],
  ])('refuses %o', (promise, message) => {
    expect(() => calibrateRouter(syntheticOutcomes(300), { model, promise: promise as never })).toThrow(
      message,
    );
  });
});
