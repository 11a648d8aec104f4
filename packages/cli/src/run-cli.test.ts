import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { memoryIo } from '../test/memory-io.ts';
import { runCli } from './run-cli.ts';

describe('synapsekit', () => {
  test.each([[], ['--help'], ['-h'], ['help']])('says what there is (%s)', async (...argv) => {
    const io = memoryIo();
    expect(await runCli(argv.filter(Boolean), io)).toBe(0);
    for (const name of ['test', 'route', 'budget', 'simulate', 'price'])
      expect(io.out()).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
  });

  test.each(['test', 'simulate', 'price', 'budget'])(
    'says what %s takes, also beside flags that are wrong',
    async (name) => {
      const [io, other] = [memoryIo(), memoryIo()];
      expect(await runCli([name, '--nonsense', '--help'], io)).toBe(0);
      expect(io.out()).toMatch(new RegExp(`^Usage: synapsekit ${name} `));
      expect(io.err()).toBe('');
      expect(await runCli(['help', name], other)).toBe(0);
      expect(other.out()).toBe(io.out());
      const lines = io.out().split('\n');
      expect(lines.filter((line) => line.length > 110)).toEqual([]);
    },
  );

  test('knows its version', async () => {
    const io = memoryIo();
    expect(await runCli(['--version'], io)).toBe(0);
    expect(io.out()).toBe(`${manifest.version}\n`);
  });

  const misuse: readonly [string, string[], string][] = [
    [
      'a command it does not have',
      ['simulat'],
      'no command "simulat". Did you mean "simulate"?\nTry: synapsekit --help',
    ],
    ['a command nothing like any', ['deploy'], 'There are: test, init, route, budget, simulate, price.'],
    ['help for a command it does not have', ['help', 'deploy'], 'no command "deploy"'],
    [
      'a flag it does not have',
      ['test', '--jsn'],
      'no flag --jsn. Did you mean --json?\nTry: synapsekit test --help',
    ],
    ['a flag without its value', ['test', '--filter'], "'-t, --filter <value>' argument missing"],
    [
      'a value that looks like a flag',
      ['simulate', '--port', '-1'],
      '--port needs a value. One that begins with a dash is written --port=-…\nTry: ',
    ],
    ['help, nearly', ['test', '--hepl'], 'no flag --hepl. Did you mean --help?'],
    ['a key that nobody has', ['simulate', '--api-key', ''], '--api-key must not be empty'],
    ['a day that no month has', ['price', 'gpt-4o', '--at', '2026-02-31'], '--at must be a day like'],
    ['a tier that is none', ['price', 'gpt-4o', '--tier', 'btach'], '--tier must be one of standard, '],
    [
      'a number that is none',
      ['test', '--concurrency', 'many'],
      '--concurrency must be a whole number >= 1, or such as openai=4, got "many"',
    ],
    [
      'a number out of range',
      ['test', '--timeout=0'],
      '--timeout must be a time such as 500ms, 30s or 2m, got "0"',
    ],
    ['a pattern that is none', ['test', '-t', '('], '--filter: Invalid regular expression'],
    [
      'a path that does not exist',
      ['test', 'nowhere.eval.ts'],
      'There is no file or folder "nowhere.eval.ts".',
    ],
    ['a path where it takes none', ['simulate', '4010'], 'takes flags only, got "4010"'],
    ['a port that is none', ['simulate', '--port', '70000'], 'port must be a whole number'],
    ['a price of nothing', ['price'], 'needs a model'],
    ['a day that is none', ['price', 'gpt-4o', '--at', 'today'], '--at must be a day like'],
    [
      'more cached tokens than there are',
      ['price', 'gpt-4o', '--cached', '5'],
      '--cached tokens are part of --input',
    ],
  ];
  test.each(misuse)('exits with 2 for %s, and says what to do', async (_, argv, message) => {
    const io = memoryIo();
    expect(await runCli(argv, io)).toBe(2);
    expect(io.out()).toBe('');
    expect(io.err()).toContain(message);
    expect(io.err()).not.toContain('    at ');
  });

  test('exits with 2 when a folder has no eval file', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'synapsekit-'));
    try {
      for (const argv of [['test'], ['test', '.', '--json']]) {
        const io = memoryIo({ cwd });
        expect(await runCli(argv, io)).toBe(2);
        expect(io.out()).toBe('');
        expect(io.err()).toContain('No eval files in .. They are called *.eval.ts');
      }
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });
});
