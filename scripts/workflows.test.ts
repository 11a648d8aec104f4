import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the workflow that publishes runs actions by commit: a tag can be moved to other code', () => {
  const workflow = readFileSync(new URL('../.github/workflows/release.yml', import.meta.url), 'utf8');
  const used = [...workflow.matchAll(/^\s+(?:- )?uses: (.*)$/gm)].map(([, action = '']) => action);
  expect(used.length).toBeGreaterThan(0);
  expect(used.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
});
