import { expect, test } from 'vitest';
import { goDuration } from './go-duration.ts';

test.for([
  [0, '0s'],
  [6, '6ms'],
  [0.5, '0.5ms'],
  [7_660, '7.66s'],
  [179_560, '2m59.56s'],
  [59_999.9, '59.999s'],
  [360_000, '6m0s'],
  [3_661_000, '1h1m1s'],
] as const)('%d ms is %s', ([ms, text]) => {
  expect(goDuration(ms)).toBe(text);
});
