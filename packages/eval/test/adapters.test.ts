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
      /not ok \d+ - the suite as a whole/,
    ]) {
      expect(text).toMatch(line);
    }
    expect(text).toContain('... FAIL (three of four)');
    expect(text).toContain('it did not end within 20 ms');
    expect(text).toContain('MaxTotalCostUSD ... FAIL (cost unknown: no call was recorded)');
  });

  test('vitest', async () => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const config = join(fixtures, 'vitest.config.ts');
    const { code, text } = await run([
      vitest,
      'run',
      '--config',
      config,
      '--reporter=verbose',
      '--root',
      fixtures,
    ]);
    expect(code).toBe(1);
    expect(text).toMatch(/✓ .*adapted > passes/);
    expect(text).toMatch(/✓ .*adapted > is flaky/);
    expect(text).toMatch(/× .*adapted > fails/);
    expect(text).toMatch(/× .*adapted > is unchecked/);
    expect(text).toMatch(/× .*adapted > hangs/);
    expect(text).toMatch(/× .*adapted > the suite as a whole/);
    expect(text).toMatch(/4 failed \| 2 passed \| 1 skipped \| 1 todo/);
    expect(text).toContain('... FAIL (three of four)');
    expect(text).toContain('it did not end within 20 ms');
  });
});
