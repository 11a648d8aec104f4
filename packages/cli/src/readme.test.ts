import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testCommand } from './test-command.ts';

test('the README names every flag of synapsekit test', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const section = /\n## `synapsekit test [\s\S]*?\n(?=## )/.exec(readme)?.[0] ?? '';
  const missing = Object.keys(testCommand.flags).filter(
    (name) => !new RegExp(`\`--${name}[ \`]`).test(section),
  );
  expect(missing).toEqual([]);
});
