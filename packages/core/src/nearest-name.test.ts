import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test('finds the name that was probably meant', () => {
  expect(nearestName('--jsn', ['--json', '--list'])).toBe('--json');
  expect(nearestName('simulte', ['test', 'simulate', 'price'])).toBe('simulate');
  expect(nearestName('test_simple_query_cheep', ['test_simple_query_cheap', 'other'])).toBe(
    'test_simple_query_cheap',
  );
});

test('finds none where nothing is near', () => {
  expect(nearestName('deploy', ['test', 'simulate', 'price'])).toBeUndefined();
  expect(nearestName('x', [])).toBeUndefined();
});
