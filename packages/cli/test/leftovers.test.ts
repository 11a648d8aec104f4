import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { createSandbox } from './sandbox.ts';

describe('what cases leave behind', { timeout: 120_000 }, () => {
  test('fake timers do not stop the time limit, the clock, or the report', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const fakes = evalCase('fakes the time', () => {
          const never = (() => 0) as never;
          globalThis.setTimeout = never;
          globalThis.clearTimeout = never;
          globalThis.setInterval = never;
          globalThis.setImmediate = never;
          globalThis.clearImmediate = never;
          globalThis.queueMicrotask = never;
          process.nextTick = never;
          Date.now = () => 0;
          performance.now = () => 0;
          return 'x';
        });
        export const hangs = evalCase('never settles', { timeoutMs: 300 }, () => new Promise(() => {}));
        export const slow = evalCase('is timed', { maxLatencyMs: 5 }, () => {
          const end = process.hrtime.bigint() + 20_000_000n;
          while (process.hrtime.bigint() < end);
        });
        export const passes = evalCase('passes', ({ expect }) => { expect(1).toBe(1); });
      `,
    });
    const { code, stdout, stderr } = await sandbox.run(['test', '--no-strict', '--concurrency', '1']);
    expect(stdout).toContain('error: it did not end within 300 ms');
    expect(stdout).toContain('MaxLatencyMs ... FAIL');
    expect(stdout).toContain('passes ✓');
    expect(stdout).toMatch(/1 passed, 2 failed/);
    expect(stderr).not.toContain('was ended before the command was done');
    expect(code).toBe(1);
  });

  test('the values of secrets of the environment are nowhere in what a run prints and writes', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        const key = process.env.ACME_API_KEY;
        export const throws = evalCase('throws', () => { throw new Error('refused ' + key); });
        export const strays = evalCase('strays', ({ expect }) => {
          expect(1).toBe(1);
          setTimeout(() => Promise.reject(new Error('later ' + key)), 20);
        });
        export const says = evalCase('says', {
          metrics: [{ name: 'is secret', evaluate: (run) => ({ pass: false, detail: String(run.output) }) }],
        }, () => new Promise((resolve) => setTimeout(resolve, 200, 'it is ' + key)));
      `,
      'broken.eval.ts': `throw new Error('no good: ' + process.env.ACME_API_KEY);`,
    });
    const reports = ['json=r.json', 'junit=r.xml', 'html=r.html'].flatMap((each) => ['--reporter', each]);
    const env = { ACME_API_KEY: 'correct-horse' };
    const { code, stdout, stderr } = await sandbox.run(['test', ...reports, '--reporter', 'default'], {
      env,
    });
    const files = ['r.json', 'r.xml', 'r.html', '.synapsekit/last-run.jsonl'];
    const written = files.map((file) => readFileSync(`${sandbox.folder}/${file}`, 'utf8'));
    expect(stdout).toContain('refused [the value of ACME_API_KEY]');
    expect(stdout).toContain('output: "it is [the value of ACME_API_KEY]"');
    expect(stderr).toContain('no good: [the value of ACME_API_KEY]');
    for (const text of written) expect(text).toContain('[the value of ACME_API_KEY]');
    for (const text of [stdout, stderr, ...written]) expect(text).not.toContain('correct-horse');
    expect(code).toBe(2);
  });
});
