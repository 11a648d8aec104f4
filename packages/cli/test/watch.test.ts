import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import type { CommandArgs } from '../src/command.ts';
import { parseFlags } from '../src/parse-flags.ts';
import { testCommand } from '../src/test-command.ts';
import { readTestOptions } from '../src/test-options.ts';
import { readMode } from '../src/traffic-options.ts';
import { childArguments, keyChoice, type RunChoice } from '../src/watch.ts';
import { createSandbox } from './sandbox.ts';

const again: RunChoice = { extra: {}, without: [], why: '' };

/** What the process of a run makes of what it is given. */
async function childOf(argv: readonly string[], key?: string): Promise<CommandArgs> {
  const choice = key === undefined ? again : (keyChoice(key) ?? again);
  const [command, ...rest] = childArguments(await parseFlags(testCommand, argv), choice);
  if (command !== 'test') throw new Error(`It runs ${command}.`);
  return parseFlags(testCommand, rest);
}

describe('the process of a run', () => {
  test('is given what was typed, and replays unless a mode was', async ({ expect }) => {
    const typed = [
      '-w',
      'a.eval.ts',
      '--tag',
      'x',
      '--tag=y',
      '--retry',
      '2',
      '-t',
      '^-1',
      '--',
      '--odd.eval.ts',
    ];
    const child = await childOf(typed);
    expect(child.positionals).toEqual(['a.eval.ts', '--odd.eval.ts']);
    expect(child.flags).toEqual({ tag: ['x', 'y'], retry: '2', filter: '^-1', replay: true });
    expect((await childOf(['-w', '--record'])).flags).toEqual({ record: true });
  });

  test.for(['', 'a.eval.ts', '--replay a.eval.ts', '--record', '--as gpt-4o=gpt-4o-mini --max-tape-age 3'])(
    'is live after l, whatever was typed: %j',
    async (line, { expect }) => {
      const typed = line.split(' ').filter((each) => each !== '');
      const child = await childOf(['-w', ...typed], 'l');
      expect(readMode(child, {})).toBe('live');
      expect(child.positionals).toEqual(typed.filter((each) => each.endsWith('.ts')));
      expect(child.flags).toEqual({ live: true });
    },
  );

  test.for(['', 'a.eval.ts', '--resume a.eval.ts', '--save-baseline main'])(
    'runs what did not pass after f, whatever was typed: %j',
    async (line, { expect }) => {
      const typed = line.split(' ').filter((each) => each !== '');
      const child = await childOf(['-w', ...typed], 'f');
      expect(readTestOptions(child, {})).toMatchObject({
        onlyFailed: true,
        resume: false,
        saveBaseline: undefined,
        paths: typed.includes('a.eval.ts') ? ['a.eval.ts'] : ['.'],
      });
      expect(readMode(child, {})).toBe('replay');
    },
  );

  test('runs again after Enter and r, and other keys do nothing', ({ expect }) => {
    expect([keyChoice('\r'), keyChoice('r')]).toEqual([
      { extra: {}, without: [], why: 'Again.' },
      { extra: {}, without: [], why: 'Again.' },
    ]);
    expect([keyChoice('x'), keyChoice('')]).toEqual([undefined, undefined]);
  });
});

const evalFile = (value: number): string => `
  import { evalCase } from '@synapsekit/eval';
  import { two } from './two.ts';
  export const it = evalCase('is two', ({ expect }) => expect(two).toBe(${value}));
`;

test('a change of an eval file, or of what it imports, runs again; Ctrl-C ends it', async ({ expect }) => {
  using sandbox = createSandbox({ 'x.eval.ts': evalFile(1), 'two.ts': 'export const two = 2;' });
  let said = '';
  let heard: () => void = () => {};
  const until = async (text: string): Promise<void> => {
    while (!said.includes(text)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      heard = resolve;
      await promise;
    }
    said = said.slice(said.indexOf(text) + text.length);
  };
  const ended = sandbox.run(['test', '-w', 'x.eval.ts'], {
    onStart(child) {
      child.stdout?.on('data', (data) => {
        said += data;
        heard();
      });
      void (async () => {
        await until('0 passed, 1 failed');
        await until('Watching.');
        writeFileSync(join(sandbox.folder, 'x.eval.ts'), evalFile(2));
        await until('x.eval.ts changed.');
        await until('1 passed, 0 failed');
        await until('Watching.');
        writeFileSync(join(sandbox.folder, 'two.ts'), 'export const two = 3;');
        await until('two.ts changed.');
        await until('0 passed, 1 failed');
        await until('Watching.');
        child.kill('SIGINT');
      })();
    },
  });
  expect(await ended).toMatchObject({ code: 130, signal: null, stderr: '' });
}, 90_000);
