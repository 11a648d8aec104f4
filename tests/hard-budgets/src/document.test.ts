import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** Without the line breaks and quotes that code has and prose has not. */
const rows = [
  ...read('docs/hard-budgets.md').matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \| `([^`]+)` \|$/gm),
].map(([, number, check = '', file = '']) => ({ number: Number(number), check: check.trim(), file }));

test('the document names a check for each of the 27 properties, and each of them is there', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 27 }, (_, index) => index + 1));
  for (const { check, file } of rows) expect(read(file), file).toContain(`'${check}'`);
});
