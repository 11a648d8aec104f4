import { expect, test } from 'vitest';
import { usesColor } from './colors.ts';

const color = (env: Record<string, string>, isTTY: boolean, noColor = false): boolean =>
  usesColor({ env }, { write() {}, isTTY }, noColor);

test('colours go to terminals, unless somebody says otherwise', () => {
  expect(color({}, true)).toBe(true);
  expect(color({}, false)).toBe(false);
  expect(color({ TERM: 'dumb' }, true)).toBe(false);
  expect(color({ NO_COLOR: '1' }, true)).toBe(false);
  expect(color({ NO_COLOR: '' }, true)).toBe(true);
  expect(color({ FORCE_COLOR: '1' }, false)).toBe(true);
  expect(color({ FORCE_COLOR: '1', NO_COLOR: '1' }, false)).toBe(true);
  expect(color({ FORCE_COLOR: '0' }, true)).toBe(false);
  expect(color({ FORCE_COLOR: '1' }, true, true)).toBe(false);
});
