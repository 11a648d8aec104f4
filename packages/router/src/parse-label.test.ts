import { expect, test } from 'vitest';
import { parseLabel } from './parse-label.ts';

test.each([
  ['simple', 'simple'],
  ['Simple.', 'simple'],
  ['**medium**', 'medium'],
  ['  COMPLEX\n', 'complex'],
  ['The complexity of this query is medium.', 'medium'],
  ['{"complexity": "complex"}', 'complex'],
  ['<think>It looks simple at first, but…</think>complex', 'complex'],
  ['It is not simple, since it wants code.\nComplexity: complex', 'complex'],
  ['simple, simple', 'simple'],
])('reads %j as %s', (answer, label) => {
  expect(parseLabel(answer)).toBe(label);
});

test.each([
  '',
  'hard',
  'simple or complex?',
  'simplest',
  'complexity',
  '<think>simple',
  'I cannot help with that.',
])('finds no label in %j', (answer) => {
  expect(parseLabel(answer)).toBeUndefined();
});

test('takes linear time on a long answer', () => {
  expect(parseLabel(`${'<think>'.repeat(20_000)}simple`)).toBeUndefined();
  expect(parseLabel(`${'x '.repeat(200_000)}medium`)).toBe('medium');
});
