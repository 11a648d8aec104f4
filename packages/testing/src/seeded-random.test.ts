import { expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { sequentialIds } from './sequential-ids.ts';

test('the same seed gives the same numbers, another seed others', () => {
  const take = (seed: number): number[] => Array.from({ length: 5 }, seededRandom(seed));
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
  expect(take(0)).not.toEqual(take(2 ** 32));
  expect(take(-1)).not.toEqual(take(1));
});

test('the numbers are in [0, 1), even, and not correlated with their neighbours', () => {
  const random = seededRandom(42);
  const numbers = Array.from({ length: 100_000 }, random);
  expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true);
  const buckets = Array.from(
    { length: 10 },
    (_, i) => numbers.filter((value) => Math.floor(value * 10) === i).length,
  );
  // Chi-squared with 9 degrees of freedom stays below 27.9 in 99.9 % of cases.
  const chi = buckets.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chi).toBeLessThan(27.9);
  const serial = numbers
    .slice(1)
    .reduce((sum, value, i) => sum + (value - 0.5) * ((numbers[i] ?? 0) - 0.5), 0);
  expect(Math.abs(serial / numbers.length)).toBeLessThan(0.002);
});

test('a seed that is no whole number is refused', () => {
  expect(() => seededRandom(0.5)).toThrow('seed must be a whole number');
});

test('sequential ids count up', () => {
  const next = sequentialIds('attempt');
  expect([next(), next(), sequentialIds()()]).toEqual(['attempt-1', 'attempt-2', 'id-1']);
});
