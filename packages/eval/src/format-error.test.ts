import { expect, test } from 'vitest';
import { reportError } from './error-report.ts';
import { formatError } from './format-error.ts';

test('what somebody throws does not steer the terminal, and keeps its lines', () => {
  const report = reportError(new Error('first\u001b]0;title\u0007\r\nsecond\t\u009b2Jthird'));
  const lines = formatError(report);
  expect(lines.slice(0, 2)).toEqual(['  Error: first\\u001b]0;title\\u0007', '  second\t\\u009b2Jthird']);
});
