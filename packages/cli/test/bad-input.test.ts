import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import type { TestReport } from '../src/index.ts';
import { createSandbox } from './sandbox.ts';

const passing = (name = 'passes'): string => `
  import { evalCase } from '@synapsekit/eval';
  export const passes = evalCase('${name}', ({ expect }) => { expect(1).toBe(1); });
`;

/** Each of these costs $0.0312, by a tracker. */
const paid = `
  import { defineLLM, wrap } from '@synapsekit/core';
  import { CostTracker, trackCost } from '@synapsekit/cost';
  import { evalCase } from '@synapsekit/eval';
  const usage = { inputTokens: 80, outputTokens: 3_100 };
  const llm = wrap(
    defineLLM({ provider: 'openai', model: 'gpt-4o', generate: () => ({ text: 'x', usage }) }),
    trackCost(new CostTracker({ onWarning() {} })),
  );
`;

const journal = (folder: string): string => readFileSync(join(folder, '.synapsekit/last-run.jsonl'), 'utf8');

describe('bad input', { timeout: 120_000 }, () => {
  test('an endless loop is told with what was running, and what was paid for is kept', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `${paid}
        export const pays = evalCase('pays', { maxCostUsd: 1 }, async () => void (await llm.generate('x')));
        export const loops = evalCase('loops', {
          timeoutMs: 50,
          metrics: [function spins() { for (;;); }],
        }, () => 'x');
      `,
    });
    const { signal, stderr } = await sandbox.run(['test', '--concurrency', '1', '--timeout', '50ms']);
    expect(signal).toBe('SIGKILL');
    expect(stderr).toMatch(
      /did not give way for \d+ s: an endless loop\? Look in the case that was running: loops \(x\.eval\.ts\); the part begun last: its metric spins\./,
    );
    expect(stderr).toContain('1 of 2 cases had ended; their results are in .synapsekit/last-run.jsonl');
    expect(journal(sandbox.folder)).toContain('"name":"pays","tags":[]');
    expect(journal(sandbox.folder)).toContain('"usd":"0.0312"');
  });

  test('an output of 50 MB is judged, and shown as far as anybody reads', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { ContainsKeywords, EvalSuite, evalCase, Levenshtein, MinWordCount, Regex } from '@synapsekit/eval';
        const text = ('x'.repeat(999) + ' ').repeat(50_000);
        export default new EvalSuite({
          cases: [evalCase('long', () => ({ output: text, copy: { text } }))],
          metrics: [
            new MinWordCount({ words: 50_000 }),
            new Regex({ pattern: /x $/ }),
            new ContainsKeywords({ keywords: ['nothing of this'] }),
            new Levenshtein({ expected: 'x', minSimilarity: 0.5 }),
          ],
        });
      `,
    });
    const { code, stdout } = await sandbox.run(['test', '--json']);
    const report = JSON.parse(stdout) as TestReport;
    expect(report.cases[0]?.metrics.map(({ name, pass }) => [name, pass])).toEqual([
      ['MinWordCount', true],
      ['Regex', true],
      ['ContainsKeywords', false],
      ['Levenshtein', false],
    ]);
    expect(stdout.length).toBeLessThan(20_000);
    expect(code).toBe(1);
  });

  test('a broken dataset names its file and line, and the other files run', async ({ expect }) => {
    using sandbox = createSandbox({
      'a.eval.ts': `
        import { csv, evalCase } from '@synapsekit/eval';
        export const rows = await evalCase.each(csv(new URL('rows.csv', import.meta.url)))('$a', () => 1);
      `,
      'rows.csv': 'a,b\n1,2\n"3,4\n',
      'b.eval.ts': `
        import { evalCase, jsonl } from '@synapsekit/eval';
        export const rows = await evalCase.each(jsonl(new URL('rows.jsonl', import.meta.url)))('$a', () => 1);
      `,
      'rows.jsonl': '{"a":1}\n{"a":\n',
      'c.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const rows = evalCase.each([{ a: 1 }, { a: 1 }])('$a', () => 1);
      `,
      'd.eval.ts': passing(),
    });
    const { code, stdout, stderr } = await sandbox.run(['test']);
    expect(stderr).toMatch(/a\.eval\.ts could not be loaded:\n {2}ConfigError: rows\.csv:\d: .*[Qq]uote/);
    expect(stderr).toContain('ConfigError: rows.jsonl:2: this line is no JSON');
    expect(stderr).toContain('Rows 0 and 1 of the dataset both make a case called "1"');
    expect(stdout).toContain('1 passed, 0 failed');
    expect(code).toBe(2);
  });

  test('two cases of one name are refused, in a suite and beside each other', async ({ expect }) => {
    using sandbox = createSandbox({
      'a.eval.ts': `
        import { EvalSuite, evalCase } from '@synapsekit/eval';
        const one = evalCase('same', () => 1), two = evalCase('same', () => 1);
        export default new EvalSuite({ cases: [one, two] });
      `,
      'b.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const cases = [evalCase('same', ({ expect }) => expect(1).toBe(1)), evalCase('same', ({ expect }) => expect(1).toBe(1))];
      `,
    });
    const { code, stderr } = await sandbox.run(['test']);
    expect(stderr).toContain('Two cases of the suite are called "same"');
    expect(stderr).toContain('b.eval.ts has two cases called "same"');
    expect(code).toBe(2);
  });

  test('a report that could not be written is refused before anything is paid', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `${paid} console.error('loaded'); export const a = evalCase('a', { maxCostUsd: 1 }, () => llm.generate('x'));`,
      taken: 'a file',
    });
    const { code, stderr } = await sandbox.run(['test', '--reporter', 'junit=taken/out.xml']);
    expect(stderr).toMatch(/--reporter junit=taken\/out\.xml: it cannot be written \((ENOTDIR|EEXIST)\)/);
    expect(stderr).not.toContain('loaded');
    expect(code).toBe(2);
  });

  test('a disk that is full loses the reports and the journal, and nothing else', async ({ expect }) => {
    using sandbox = createSandbox({ 'x.eval.ts': passing() });
    // Writing to it fails as a full disk does.
    if (!existsSync('/dev/full')) return;
    const fill = join(sandbox.folder, 'fill.mjs');
    writeFileSync(
      fill,
      `import fs from 'node:fs';
       import { syncBuiltinESMExports } from 'node:module';
       const { writeFileSync, appendFileSync } = fs;
       const full = (path, ...rest) => /synapsekit[/\\\\]last-run|\\.part$/.test(String(path)) ? writeFileSync('/dev/full', 'x') : writeFileSync(path, ...rest);
       fs.writeFileSync = full;
       fs.appendFileSync = (path, ...rest) => appendFileSync(path, ...rest);
       syncBuiltinESMExports();`,
    );
    const { code, stdout, stderr } = await sandbox.run(['test', '--reporter', 'json=out.json'], {
      nodeArgs: ['--import', fill],
    });
    expect(stdout).toContain('1 passed, 0 failed');
    expect(stderr).toContain('The report out.json could not be written (ENOSPC).');
    expect(stderr).toContain('could not be kept in .synapsekit/last-run.jsonl (ENOSPC)');
    expect(code).toBe(2);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a folder that is read-only loses the journal only',
    async ({ expect }) => {
      using sandbox = createSandbox({ 'x.eval.ts': passing() });
      chmodSync(sandbox.folder, 0o555);
      const { code, stdout, stderr } = await sandbox.run(['test']);
      chmodSync(sandbox.folder, 0o755);
      expect(stdout).toContain('1 passed, 0 failed');
      expect(stderr).toContain('(EACCES): --resume and --only-failed will not know of this run');
      expect(code).toBe(0);
    },
  );

  test('where the journal cannot be, the run goes on and says so', async ({ expect }) => {
    using sandbox = createSandbox({ 'x.eval.ts': passing(), '.synapsekit': 'a file in its place' });
    const { code, stdout, stderr } = await sandbox.run(['test']);
    expect(stdout).toContain('1 passed, 0 failed');
    expect(stderr).toMatch(/could not be kept in \.synapsekit\/last-run\.jsonl \((EEXIST|ENOTDIR)\)/);
    expect(code).toBe(0);
  });

  test('interrupted, it keeps what was paid for; --resume goes on, and pays nothing twice', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `${paid}
        import { appendFileSync } from 'node:fs';
        const pay = async () => { appendFileSync('bill', 'x'); await llm.generate('x'); };
        export const first = evalCase('first', { maxCostUsd: 1 }, pay);
        export const stops = evalCase('stops', { maxCostUsd: 1 }, async ({ signal }) => {
          if (process.env.GO_ON === '1') return pay();
          setTimeout(() => process.kill(process.pid, 'SIGINT'), 10);
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        });
        export const last = evalCase('last', { maxCostUsd: 1 }, pay);
      `,
    });
    const stopped = await sandbox.run(['test', '--concurrency', '1', '--reporter', 'json=out.json']);
    expect(stopped.code).toBe(130);
    const saved = JSON.parse(readFileSync(join(sandbox.folder, 'out.json'), 'utf8')) as TestReport;
    expect(saved.cases.map(({ status }) => status)).toEqual(['passed', 'not-run', 'not-run']);
    const resumed = await sandbox.run(['test', '--resume'], { env: { GO_ON: '1' } });
    expect(resumed.stdout).toContain('3 passed, 0 failed | total cost: $0.0936\n');
    expect(resumed.code).toBe(0);
    expect(readFileSync(join(sandbox.folder, 'bill'), 'utf8')).toBe('xxx');
  });

  test('--only-failed runs what did not pass last time, and knows when there is nothing', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const good = evalCase('good', ({ expect }) => expect(1).toBe(1));
        export const bad = evalCase('bad', ({ expect }) => expect(process.env.MENDED).toBe('1'));
      `,
    });
    expect(await sandbox.run(['test', '--only-failed'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--only-failed needs an earlier run'),
    });
    expect((await sandbox.run(['test'])).code).toBe(1);
    const again = await sandbox.run(['test', '--only-failed'], { env: { MENDED: '1' } });
    expect(again.stdout).toContain('Running 1 eval case(s)');
    expect(again.stdout).toContain('1 passed, 0 failed');
    const none = await sandbox.run(['test', '--only-failed']);
    expect(none).toMatchObject({
      code: 0,
      stdout: 'Every case of the last run passed: nothing to run again.\n',
    });
  });

  test('a journal that is none of ours is refused', async ({ expect }) => {
    using sandbox = createSandbox({ 'x.eval.ts': passing() });
    mkdirSync(join(sandbox.folder, '.synapsekit'));
    writeFileSync(join(sandbox.folder, '.synapsekit/last-run.jsonl'), '{"version":9}\nnot json\n');
    const { code, stderr } = await sandbox.run(['test', '--resume']);
    expect(stderr).toContain('is no run of this version of synapsekit');
    expect(code).toBe(2);
  });

  test('a case marked "only" is refused in CI', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const a = evalCase.only('a', ({ expect }) => expect(1).toBe(1));
        export const b = evalCase('b', ({ expect }) => expect(1).toBe(2));
      `,
    });
    expect((await sandbox.run(['test'])).code).toBe(0);
    const ci = await sandbox.run(['test'], { env: { CI: 'true' } });
    expect(ci.stderr).toContain('x.eval.ts: "a" is marked "only". Under --strict');
    expect(ci.code).toBe(2);
  });
});
