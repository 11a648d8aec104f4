import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BudgetLimit, parseLimits, type SpendLimits } from './budget-limit.ts';
import { LimitLines } from './limit-lines.ts';

const hours: Readonly<Record<string, number>> = {
  total: Number.POSITIVE_INFINITY,
  monthly: 730,
  weekly: 168,
  daily: 24,
  hourly: 1,
  'rolling-60s': 1 / 60,
  'rolling-3600s': 1,
  'rolling-90000s': 25,
};

/** The lines of all these limits, in the order in which a reservation names them. */
function linesOf(limits: BudgetLimit): readonly string[] {
  const lines = new LimitLines('g', parseLimits(limits, 1n), 'UTC', () => []);
  const attributes = { user: 'u', tenant: 't', feature: 'f' };
  return lines.select(Date.UTC(2026, 10, 23), attributes, 'refuse').lines.map(({ key }) => key);
}

function hoursOf(key: string): number {
  return hours[key.replace(/^.*\//, '').replace('tokens.', '')] ?? Number.NaN;
}

const rolling = fc.subarray([60, 3_600, 90_000], { minLength: 1 });
const windows = fc.record(
  {
    hourly: fc.constant(1),
    daily: fc.constant(1),
    weekly: fc.constant(1),
    monthly: fc.constant(1),
    total: fc.constant(1),
    rolling: rolling.map((lengths) => lengths.map((windowSeconds) => ({ windowSeconds, limit: 1 }))),
  },
  { requiredKeys: ['hourly'] },
);
const limits: fc.Arbitrary<SpendLimits> = fc.record({ tokens: windows }).chain(({ tokens }) =>
  fc.oneof(
    windows,
    windows.map((each) => ({ ...each, tokens })),
  ),
);

test('the longest window stands first, of equal ones that of everybody, then in the order of by', () => {
  fc.assert(
    fc.property(limits, fc.dictionary(fc.constantFrom('user', 'tenant', 'feature'), limits), (own, by) => {
      const plain = [
        ...linesOf(own),
        ...Object.entries(by).flatMap(([attribute, set]) => linesOf({ by: { [attribute]: set } })),
      ];
      expect(linesOf({ ...own, by })).toEqual(plain.toSorted((a, b) => compare(hoursOf(b), hoursOf(a))));
    }),
  );
});

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
