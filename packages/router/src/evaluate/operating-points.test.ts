import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aiq, type CostQuality, costToReach, hull } from './operating-points.ts';

const point = (cost: number, quality: number): CostQuality => ({ cost, quality });
const curve = fc
  .array(fc.record({ cost: fc.integer({ min: 0, max: 20 }), quality: fc.integer({ min: 0, max: 20 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((points) => points.toSorted((a, b) => a.cost - b.cost || a.quality - b.quality));

/** Height of the hull at a cost, by trying every mixture of two points. */
function best(points: readonly CostQuality[], cost: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const a of points) {
    if (a.cost <= cost) top = Math.max(top, a.quality);
    for (const b of points) {
      if (a.cost > cost || b.cost < cost || a.cost === b.cost) continue;
      const part = (cost - a.cost) / (b.cost - a.cost);
      top = Math.max(top, a.quality + part * (b.quality - a.quality));
    }
  }
  return top;
}

describe('cost and quality', () => {
  test('the area under the hull is that of the best mixtures', () => {
    fc.assert(
      fc.property(curve, (points) => {
        const [from, to] = [points[0]?.cost ?? 0, 21];
        const steps = 4_000;
        let sum = 0;
        for (let i = 0; i < steps; i++) sum += best(points, from + ((i + 0.5) / steps) * (to - from));
        expect(aiq(points, from, to)).toBeCloseTo(sum / steps, 1);
      }),
      { numRuns: 60 },
    );
  });

  test('a hull rises, bends down, and leaves out what is dominated', () => {
    expect(hull([point(0, 1), point(1, 1), point(2, 5), point(3, 2), point(4, 6)])).toEqual([
      point(0, 1),
      point(2, 5),
      point(4, 6),
    ]);
    expect(hull([point(1, 1), point(1, 3)])).toEqual([point(1, 3)]);
  });

  test('a quality costs what the straight line between two points says, or is never reached', () => {
    const line = [point(0, 0.5), point(10, 0.9)];
    expect(costToReach(line, 0.7)).toBeCloseTo(5);
    expect(costToReach(line, 0.4)).toBe(0);
    expect(costToReach(line, 0.95)).toBeUndefined();
  });
});
