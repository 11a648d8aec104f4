import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import type { TestReport } from '../src/index.ts';
import { createSandbox } from './sandbox.ts';

const file = `import { evalCase } from '@synapsekit/eval';

export const one = evalCase('one', { tags: ['fast', 'a'] }, ({ expect }) => {
  expect(1).toBe(1);
});
export const rows = evalCase.each([1, 2])('row $row (x)', { tags: ['slow'] }, (row, { expect }) => {
  expect(row).toBe(1);
});
export const todo = evalCase.todo('later');
`;

describe('selection', { timeout: 120_000 }, () => {
  test('by place, tag, name and shard; lists say what would run', async ({ expect }) => {
    using sandbox = createSandbox({ 'x.eval.ts': file, 'y.evals.mts': file.replaceAll("'one'", "'other'") });
    const names = async (...args: string[]): Promise<string[]> => {
      const { stdout } = await sandbox.run(['test', '--list', '--json', ...args]);
      return (JSON.parse(stdout) as { cases: { name: string; file: string }[] }).cases.map(
        (each) => `${each.file.slice(0, 1)}:${each.name}`,
      );
    };
    expect(await names('x.eval.ts:4')).toEqual(['x:one']);
    expect(await names('x.eval.ts:7', 'x.eval.ts:3')).toEqual(['x:one', 'x:row 1 (x)', 'x:row 2 (x)']);
    expect(await names('x.eval.ts:6', 'y.evals.mts', '-t', '^o|2')).toEqual([
      'x:row 2 (x)',
      'y:other',
      'y:row 2 (x)',
    ]);
    expect(await names('--tag', 'fast', '--tag', 'none')).toEqual(['x:one', 'y:other']);
    expect(await names('x.eval.ts', '--tag', '!slow')).toEqual(['x:one', 'x:later']);
    expect(await names('--shard', '2/3')).toEqual(['x:row 1 (x)', 'y:other', 'y:later']);
    const list = await sandbox.run(['test', '--list', 'x.eval.ts']);
    expect(list.stdout).toBe(
      'x.eval.ts\n  one          [fast, a]\n  row 1 (x)  [slow]\n  row 2 (x)  [slow]\n  later        (to do)\n\n4 eval case(s)\n'.replace(
        /^ {2}(\S.*?) {2,}/gm,
        (_, name: string) => `  ${name.padEnd(11)}`,
      ),
    );
    const none = await sandbox.run(['test', '--tag', 'fats']);
    expect(none.stderr).toContain('No case matches --tag fats. Did you mean "fast"?');
  });

  test('what a failure says to type runs that case alone; reports go where they are asked to', async ({
    expect,
  }) => {
    using sandbox = createSandbox({ 'x.eval.ts': file });
    const reports = ['--reporter', 'json=out/r.json,junit=out/r.xml', '--reporter', 'html=out/r.html'];
    const { code, stdout } = await sandbox.run(['test', ...reports, '--reporter', 'minimal', '--seed', '7']);
    expect(stdout).toBe(`row 2 (x) ✗
  failed: expected 2 to be 1
    at x.eval.ts:7:15
  at x.eval.ts:6:42
  rerun: npx synapsekit test x.eval.ts:6 -t '^row 2 \\(x\\)$' --seed 7

2 passed, 1 failed, 1 to do | total cost: $0.00
`);
    expect(code).toBe(1);
    const [, rerun = ''] = /rerun: npx synapsekit (.*)/.exec(stdout) ?? [];
    const args = [...rerun.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const again = await sandbox.run(args);
    expect(again.stdout).toContain('Running 1 eval case(s)...\n\nrow 2 (x) ✗');
    const report = JSON.parse(readFileSync(join(sandbox.folder, 'out/r.json'), 'utf8')) as TestReport;
    expect(report).toMatchObject({ version: 1, exitCode: 1, seed: 7, total: 4 });
    expect(report.cases[0]).toMatchObject({ file: 'x.eval.ts', line: 3, column: 20 });
    expect(readFileSync(join(sandbox.folder, 'out/r.xml'), 'utf8')).toContain(
      '<testsuites name="synapsekit" tests="4" failures="1"',
    );
    const html = readFileSync(join(sandbox.folder, 'out/r.html'), 'utf8');
    expect(html).toContain('at x.eval.ts:7:15');
    expect(html).not.toContain(sandbox.folder);
  });

  test('init writes a file that runs, and overwrites nothing', async ({ expect }) => {
    using sandbox = createSandbox({ 'tsconfig.json': '{}', 'package.json': '{ "type": "module" }' });
    const init = await sandbox.run(['init']);
    expect(init).toMatchObject({ code: 0, stderr: '' });
    expect(init.stdout).toContain('Wrote evals/first.eval.ts.');
    const { code, stdout } = await sandbox.run(['test', '--strict']);
    expect(stdout).toContain('2 passed, 0 failed | total cost: $0.00\n');
    expect(code).toBe(0);
    const again = await sandbox.run(['init']);
    expect(again).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is there already, and stays as it is'),
    });
  });
});
