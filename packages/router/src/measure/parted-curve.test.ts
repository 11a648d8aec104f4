import { expect, test } from 'vitest';
import { GapCurve } from './gap-curve.ts';
import { PartedCurve } from './parted-curve.ts';
import { seededRandom } from './seeded-random.ts';

function pairOf(count: number) {
  const random = seededRandom(4);
  const column = (chance: number) => Float64Array.from({ length: count }, () => Number(random() < chance));
  return {
    scores: Float64Array.from({ length: count }, () => random()),
    weak: column(0.4),
    strong: column(0.8),
  };
}

test('one group is the curve of all rows, whatever they count', () => {
  const pair = pairOf(200);
  const counts = Float64Array.from({ length: 200 }, (_, row) => row % 3);
  const [parted, whole] = [new PartedCurve(pair, new Int32Array(200)), new GapCurve(pair)];
  expect(parted.metrics()?.apgr).toBeCloseTo(whole.metrics()?.apgr ?? 0, 12);
  expect(parted.metrics(counts)?.apgr).toBeCloseTo(whole.metrics(counts)?.apgr ?? 0, 12);
});

test('scores that tell groups apart, and nothing else, are worth a coin', () => {
  const { weak, strong } = pairOf(300);
  const of = Int32Array.from({ length: 300 }, (_, row) => row % 3);
  expect(new PartedCurve({ scores: of, weak, strong }, of).metrics()?.apgr).toBeCloseTo(0.5, 12);
});

test('rows without a group, and groups of few rows, are left out', () => {
  const pair = pairOf(100);
  const of = Int32Array.from({ length: 100 }, (_, row) => (row < 60 ? 0 : row < 65 ? 1 : -1));
  const only = (column: Float64Array) => column.slice(0, 60);
  const same = new GapCurve({ scores: only(pair.scores), weak: only(pair.weak), strong: only(pair.strong) });
  expect(new PartedCurve(pair, of, 10).metrics()?.apgr).toBeCloseTo(same.metrics()?.apgr ?? 0, 12);
  expect(new PartedCurve(pair, of, 90).metrics()).toBeUndefined();
});
