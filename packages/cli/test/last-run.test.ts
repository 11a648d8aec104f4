import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { createSandbox } from './sandbox.ts';

/** Three cases: each writes down that it ran, and the second kills the process when it is told to. */
const three = `
  import { appendFileSync } from 'node:fs';
  import { evalCase } from '@synapsekit/eval';
  export default ['one', 'two', 'three'].map((name) => evalCase(name, ({ expect }) => {
    appendFileSync('ran', name + ' ');
    if (name === 'two' && process.env.DIE === '1') process.kill(process.pid, 'SIGKILL');
    expect(1).toBe(1);
  }));
`;

const passing = (name: string): string => `
  import { evalCase } from '@synapsekit/eval';
  export const it = evalCase('${name}', ({ expect }) => expect(1).toBe(1));
`;

const ran = (folder: string): string => readFileSync(join(folder, 'ran'), 'utf8').trim();

describe('the last run', { timeout: 120_000 }, () => {
  test('killed before all of its cases had ended: --only-failed runs those that had not', async ({
    expect,
  }) => {
    using sandbox = createSandbox({ 'x.eval.ts': three });
    const killed = await sandbox.run(['test', '--concurrency', '1'], { env: { DIE: '1' } });
    expect(killed.signal).toBe('SIGKILL');
    writeFileSync(join(sandbox.folder, 'ran'), '');
    const again = await sandbox.run(['test', '--only-failed']);
    // What costs nothing is written a moment later: the first may run again as well.
    expect(ran(sandbox.folder)).toMatch(/two three$/);
    expect(again.stdout).not.toContain('nothing to run again');
    expect(again.code).toBe(0);
    const none = await sandbox.run(['test', '--only-failed']);
    expect(none).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to run again') });
  });

  test('of a file that did not load, --only-failed runs all cases, and until it loads it is no success', async ({
    expect,
  }) => {
    using sandbox = createSandbox({ 'a.eval.ts': passing('a'), 'b.eval.ts': 'export const x = = 1;' });
    expect((await sandbox.run(['test'])).code).toBe(2);
    const still = await sandbox.run(['test', '--only-failed']);
    expect(still.stdout).not.toContain('nothing to run again');
    expect(still.stderr).toContain('b.eval.ts could not be loaded');
    expect(still.code).toBe(2);
    writeFileSync(join(sandbox.folder, 'b.eval.ts'), passing('b'));
    const mended = await sandbox.run(['test', '--only-failed', '--list']);
    expect(mended.stdout).toBe('b.eval.ts\n  b\n\n1 eval case(s)\n');
  });

  test('with cases that all passed and another failure: --only-failed has nothing to run, and is no success', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'a.eval.ts': `
        import { EvalSuite, evalCase } from '@synapsekit/eval';
        export default new EvalSuite({
          cases: [evalCase('a', ({ expect }) => expect(1).toBe(1))],
          metrics: [{ name: 'never', evaluateSuite: () => false }],
        });
      `,
    });
    expect((await sandbox.run(['test'])).code).toBe(1);
    const again = await sandbox.run(['test', '--only-failed']);
    expect(again.stderr).toContain(
      'No case of the last run is left to run again, and yet it ended with exit code 1',
    );
    expect(again.code).toBe(2);
  });

  test('two shards in one folder keep what each has run, and go on with their own', async ({ expect }) => {
    using sandbox = createSandbox({ 'x.eval.ts': three });
    const first = await sandbox.run(['test', '--shard', '1/2']);
    const second = await sandbox.run(['test', '--shard', '2/2']);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(ran(sandbox.folder)).toBe('one three two');
    for (const shard of ['1/2', '2/2']) {
      expect((await sandbox.run(['test', '--resume', '--shard', shard])).code).toBe(0);
      expect(await sandbox.run(['test', '--only-failed', '--shard', shard])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('nothing to run again'),
      });
    }
    expect(ran(sandbox.folder)).toBe('one three two');
    expect(readdirSync(join(sandbox.folder, '.synapsekit')).sort()).toEqual([
      '.gitignore',
      'last-run.1-of-2.jsonl',
      'last-run.2-of-2.jsonl',
    ]);
    // The whole of it is no run that anybody knows: neither a part of it nor an older run stands for it.
    const whole = await sandbox.run(['test', '--only-failed']);
    expect(whole.stderr).toContain('The last run here was a shard, 2/2');
    expect(whole.code).toBe(2);
  });

  test('--only-failed --shard takes the cases of that shard, of a whole run too', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export default [0, 1, 2, 3].map((n) => evalCase('case ' + n, ({ expect }) => expect(n % 2).toBe(1)));
      `,
    });
    const listed = async (shard: string): Promise<string[]> => {
      const { stdout } = await sandbox.run(['test', '--only-failed', '--shard', shard, '--list', '--json']);
      return (JSON.parse(stdout) as { cases: { name: string }[] }).cases.map(({ name }) => name);
    };
    await sandbox.run(['test']);
    expect(await listed('1/2')).toEqual(['case 0', 'case 2']);
    await sandbox.run(['test', '--shard', '1/2']);
    // All that failed in the shard, and not the first half of it.
    expect(await listed('1/2')).toEqual(['case 0', 'case 2']);
  });

  test('--resume keeps what was paid for in a file that does not load for now', async ({ expect }) => {
    using sandbox = createSandbox({ 'a.eval.ts': three, 'b.eval.ts': passing('b') });
    await sandbox.run(['test']);
    writeFileSync(join(sandbox.folder, 'a.eval.ts'), 'export const x = = 1;');
    expect((await sandbox.run(['test', '--resume'])).code).toBe(2);
    writeFileSync(join(sandbox.folder, 'a.eval.ts'), three);
    expect((await sandbox.run(['test', '--resume'])).code).toBe(0);
    expect(ran(sandbox.folder)).toBe('one two three');
  });
});
