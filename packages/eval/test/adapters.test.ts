import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const fixtures = join(import.meta.dirname, 'fixtures');
const root = join(import.meta.dirname, '../../..');

function run(args: readonly string[]): Promise<{ code: number; text: string }> {
  const { NODE_TEST_CONTEXT: _, VITEST: __, VITEST_WORKER_ID: ___, ...env } = process.env;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: root, env: { ...env, NO_COLOR: '1' }, timeout: 60_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

function runVitest(...args: readonly string[]): Promise<{ code: number; text: string }> {
  const config = join(fixtures, 'vitest.config.ts');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  return run([vitest, 'run', '--config', config, '--reporter=verbose', '--root', fixtures, ...args]);
}

describe.concurrent('the same cases in another runner', () => {
  test('node:test', async () => {
    const { code, text } = await run([
      '--test',
      '--test-reporter=tap',
      join(fixtures, 'node-adapter.fixture.ts'),
    ]);
    expect(code).toBe(1);
    for (const line of [
      /\n {4}ok \d+ - passes\n/,
      /not ok \d+ - fails\n/,
      /\n {4}ok \d+ - is flaky\n/,
      /not ok \d+ - is unchecked\n/,
      /not ok \d+ - hangs\n/,
      /ok \d+ - is skipped # SKIP/,
      /ok \d+ - is to be written # TODO/,
      /not ok \d+ - adapted\n/,
    ]) {
      expect(text).toMatch(line);
    }
    expect(text).toContain('... FAIL (three of four)');
    expect(text).toContain('it did not end within 20 ms');
    expect(text).toMatch(
      /adapted, together ✗\n\s+MaxTotalCostUSD \.\.\. FAIL \(cost unknown: no call was recorded\)/,
    );
  });

  test('vitest', async () => {
    const { code, text } = await runVitest('vitest-adapter');
    expect(code).toBe(1);
    expect(text).toMatch(/✓ .*adapted > passes/);
    expect(text).toMatch(/✓ .*adapted > is flaky/);
    expect(text).toMatch(/× .*adapted > fails/);
    expect(text).toMatch(/× .*adapted > is unchecked/);
    expect(text).toMatch(/× .*adapted > hangs/);
    expect(text).toMatch(/FAIL .*adapted\nEvalFailure: adapted, together ✗\n\s+MaxTotalCostUSD \.\.\. FAIL/);
    expect(text).toMatch(/3 failed \| 2 passed \| 1 skipped \| 1 todo/);
    expect(text).toContain('... FAIL (three of four)');
    expect(text).toContain('it did not end within 20 ms');
  });

  test('vitest: a suite is judged as a whole, in whatever order its cases run', async () => {
    const shuffled = ['--sequence.shuffle', '--sequence.concurrent', '--sequence.seed=3'];
    const { code, text } = await runVitest('whole', ...shuffled);
    expect(code).toBe(1);
    expect(text).toContain('6 passed');
    for (const name of ['named', 'all cases of the suite']) {
      expect(text).toMatch(
        new RegExp(`${name}, together ✗\\n\\s+judgesAll \\.\\.\\. FAIL \\(judged 3 of 3\\)`),
      );
    }
    expect(text).not.toMatch(/judged [012] of 3/);
  });

  test('vitest: a suite is judged by the cases that were selected', async () => {
    const { code, text } = await runVitest('whole', '-t', 'named > b');
    expect([code, text]).toEqual([1, expect.stringContaining('FAIL (judged 1 of 3)')]);
  });

  test('node:test: a suite is judged as a whole, also when its cases run side by side', async () => {
    const { code, text } = await run([
      '--test',
      '--test-reporter=tap',
      join(fixtures, 'node-whole.fixture.ts'),
    ]);
    expect(code).toBe(1);
    expect(text).toContain('named, together');
    expect(text).toContain('all cases of the suite, together');
    expect(text).toContain('FAIL (judged 3 of 3)');
    expect(text).not.toMatch(/judged [012] of 3/);
  });
});
