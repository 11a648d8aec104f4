import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureRules } from '@synapsekit/core';
import { expect, test } from 'vitest';

const another = {
  true: 'yes',
  false: 'no',
  'other-model': 'another model',
  'larger-context': 'a larger context window',
  'smaller-hold': 'a smaller hold',
};

test('the table of failures in the README is the one in the code', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  const table = /<!-- failure-rules -->\n\n([\s\S]*?)\n\n<!-- \/failure-rules -->/.exec(readme)?.[1];
  const rows = Object.entries(failureRules).map(([kind, { health, retry, failover }]) => {
    return `| \`${kind}\` | ${health} | ${retry ? 'yes' : 'no'} | ${another[`${failover}`]} |`;
  });
  const written = table?.split('\n').slice(2);
  expect(written?.map((row) => row.replaceAll(/ +/g, ' '))).toEqual(rows);
});
