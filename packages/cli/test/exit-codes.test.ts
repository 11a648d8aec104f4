import { describe, test } from 'vitest';
import type { TestReport } from '../src/index.ts';
import { createSandbox } from './sandbox.ts';

const passing = `
  import { evalCase } from '@synapsekit/eval';
  export const passes = evalCase('passes', ({ expect }) => { expect(1).toBe(1); });
`;

/** Step 5 of the tutorial, its costs made certain: two models whose usage comes to the figures it prints. */
const tutorial = `
  import { defineLLM, type TokenCounts, wrap } from '@synapsekit/core';
  import { CostTracker, trackCost } from '@synapsekit/cost';
  import { EvalSuite, evalCase, MaxCostUSD } from '@synapsekit/eval';

  const tracker = new CostTracker({ onWarning() {} });
  const model = (provider: string, name: string, usage: TokenCounts) =>
    wrap(defineLLM({ provider, model: name, generate: () => ({ text: 'n log n', usage }) }), trackCost(tracker));
  const groq = model('groq', 'llama-3.1-8b-instant', { inputTokens: 46, outputTokens: 0 });
  const gpt4o = model('openai', 'gpt-4o', { inputTokens: 80, outputTokens: 3_100 });

  export default new EvalSuite({
    cases: [
      evalCase('test_simple_query_cheap', { description: 'Costs under $0.001' }, async () => {
        const { text } = await groq.generate('What year was Python first released?');
        return { output: text };
      }),
      evalCase('test_complex_query_quality', () => gpt4o.generate('Explain merge sort.')),
      evalCase('test_budget_guard_blocks', ({ expect }) => { expect(true).toBe(true); }),
    ],
    metrics: [
      new MaxCostUSD({ threshold: 0.001, applyTo: ['test_simple_query_cheap'] }),
      new MaxCostUSD({ threshold: 0.10, applyTo: ['test_complex_query_quality'] }),
    ],
  });
`;

describe.concurrent('synapsekit test', () => {
  test('prints what the tutorial shows, and exits with 0', async ({ expect }) => {
    using sandbox = createSandbox({ 'cost-pipeline.ts': tutorial });
    expect(await sandbox.run(['test', 'cost-pipeline.ts'])).toEqual({
      code: 0,
      signal: null,
      stderr: '',
      stdout: `Running 3 eval case(s)...

test_simple_query_cheap ✓
  MaxCostUSD ... PASS ($0.0000023 < $0.001)

test_complex_query_quality ✓
  MaxCostUSD ... PASS ($0.0312 < $0.10)

test_budget_guard_blocks ✓
  (no cost metrics — structural test)

3 passed, 0 failed | total cost: $0.0312
`,
    });
  });

  test('prints JSON and nothing else on standard output, whatever the cases print; each module runs once', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'a.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        import './shared.ts';
        export const z = evalCase('first', ({ expect }) => { console.log('from a case'); expect(1).toBe(1); });
        export const a = evalCase('second', { tags: ['x'] }, ({ expect }) => { process.stdout.write('raw\\n'); expect(1).toBe(1); });
        export const list = [3, 4].map((n) => evalCase('generated ' + n, ({ expect }) => expect(n).toBeGreaterThan(2)));
      `,
      'b/b.eval.mts': `import '../shared.ts'; export { z } from '../a.eval.ts';`,
      'shared.ts': `console.log('shared runs');`,
      'dist/a.eval.js': `throw new Error('a copy of a source');`,
      'node_modules/x/x.eval.js': `throw new Error('somebody else');`,
    });
    const { code, stdout, stderr } = await sandbox.run(['test', '.', 'a.eval.ts', '--json']);
    const report = JSON.parse(stdout) as TestReport;
    expect(report).toMatchObject({
      version: 1,
      exitCode: 0,
      ok: true,
      total: 4,
      files: ['a.eval.ts', 'b/b.eval.mts'],
    });
    expect(report.cases.map(({ name, file }) => `${file} ${name}`)).toEqual([
      'a.eval.ts first',
      'a.eval.ts second',
      'a.eval.ts generated 3',
      'a.eval.ts generated 4',
    ]);
    expect(stderr.match(/shared runs/g)).toHaveLength(1);
    expect(stderr).toContain('from a case\nraw\n');
    expect(code).toBe(0);
  });

  test('exits with 1 for everything that is no pass', async ({ expect }) => {
    using sandbox = createSandbox({
      'outcomes.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const cases = [
          evalCase('passes', ({ expect }) => { expect(1).toBe(1); }),
          evalCase('fails', ({ expect }) => { expect('five').toContain('4'); }),
          evalCase('has nothing to judge', () => ({ blocked: false })),
          evalCase('has no measured cost', { maxCostUsd: 1 }, () => ({ costUsd: 0.01 })),
          evalCase('hangs', { timeoutMs: 40 }, () => new Promise(() => {})),
          evalCase('ends the process', () => { process.exit(0); }),
          evalCase('ends it and catches that', ({ expect }) => {
            expect(1).toBe(1);
            try { process.exit(0); } catch {}
          }),
          evalCase('leaves a rejection', async ({ expect }) => {
            expect(1).toBe(1);
            void Promise.reject(new Error('nobody waits for this'));
            await new Promise((resolve) => setTimeout(resolve, 5));
          }),
        ];
      `,
    });
    const { code, stdout } = await sandbox.run(['test', '--json']);
    const { cases, exitCode } = JSON.parse(stdout) as TestReport;
    expect(cases.map(({ name, status, reason, error }) => [name, status, reason ?? error?.message])).toEqual([
      ['passes', 'passed', undefined],
      ['fails', 'failed', "expected 'five' to contain '4'"],
      ['has nothing to judge', 'unchecked', expect.stringContaining('nothing judged it')],
      ['has no measured cost', 'failed', undefined],
      ['hangs', 'error', expect.stringContaining('within 40 ms')],
      ['ends the process', 'error', 'it tried to end the process'],
      ['ends it and catches that', 'error', 'it tried to end the process'],
      ['leaves a rejection', 'error', expect.stringContaining('nobody caught')],
    ]);
    expect(cases[1]?.error?.stack[0]).toMatch(/outcomes\.eval\.ts:5:\d+/);
    expect(cases[5]?.error?.message).toContain('process.exit(0) was called');
    expect([code, exitCode]).toEqual([1, 1]);
  });

  test('exits with 1 when nothing judged the only case', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const nothing = evalCase('nothing', () => ({ blocked: true }));
      `,
    });
    const loose = await sandbox.run(['test']);
    expect(loose.stdout).toContain('0 passed, 0 failed, 1 unchecked | total cost: $0.00\n');
    expect(loose.code).toBe(1);
    const strict = await sandbox.run(['test', '--strict']);
    expect(strict.stdout).toContain('0 passed, 1 failed (1 unchecked) | total cost: $0.00\n');
    expect(strict.code).toBe(1);
  });

  test('never exits with 0 when a case ends the process behind its back', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const ends = evalCase('ends', () => globalThis.exitForReal(0));
      `,
    });
    const preload = 'data:text/javascript,globalThis.exitForReal = process.exit.bind(process)';
    const { code, stderr } = await sandbox.run(['test'], { nodeArgs: ['--import', preload] });
    expect(stderr).toContain('ended before the command was done');
    expect(code).toBe(1);
  });

  test('exits with its own code whatever the listeners of a case do when the process exits', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const fails = evalCase('fails', ({ expect }) => expect(1).toBe(2));
        process.on('exit', () => { process.exitCode = 0; });
      `,
      'y.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const fails = evalCase('fails', ({ expect }) => expect(1).toBe(2));
        process.on('exit', () => process.exit(0));
      `,
    });
    const ended = await Promise.all(['x.eval.ts', 'y.eval.ts'].map((file) => sandbox.run(['test', file])));
    expect(ended.map(({ code }) => code)).toEqual([1, 1]);
  });

  test('goes on when nobody reads standard error, and blames no case for it', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const loud = evalCase('loud', async ({ expect }) => {
          for (let i = 0; i < 20; i++) {
            console.error('x'.repeat(10_000));
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
          expect(1).toBe(1);
        });
      `,
    });
    const { code, stdout } = await sandbox.run(['test'], { deaf: true });
    expect(stdout).toContain('1 passed, 0 failed');
    expect(code).toBe(0);
  });

  test('exits with 1 for an error that nobody caught and that no case is to blame for', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const passes = evalCase('passes', ({ expect }) => {
          expect(1).toBe(1);
          setImmediate(() => { throw new Error('too late for its case'); });
        });
        export const waits = evalCase('waits', async ({ expect }) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          expect(1).toBe(1);
          void Promise.reject(new Error('at the very end'));
        });
      `,
    });
    const { code, stdout, stderr } = await sandbox.run(['test', 'x.eval.ts']);
    expect(stdout).toContain('2 passed, 0 failed');
    expect(stderr).toContain('Error: at the very end');
    expect(stderr).toMatch(/Error: too late for its case\n {4}at .*\(x\.eval\.ts:5:\d+\)/);
    expect(stderr).toContain('2 errors that nobody caught, see above: not a pass.\n');
    expect(code).toBe(1);
  });

  test('interrupted with Ctrl-C aborts what runs, prints what there is, and exits with 130', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const passes = evalCase('passes', ({ expect }) => { expect(1).toBe(1); });
        export const hangs = evalCase('hangs', async ({ signal }) => {
          setTimeout(() => process.kill(process.pid, 'SIGINT'), 20);
          await new Promise((_, reject) => signal.addEventListener('abort', () => {
            console.log('aborted by', signal.reason.name);
            reject(signal.reason);
          }));
        });
        export const waits = evalCase('waits', () => {});
      `,
    });
    const { code, stdout } = await sandbox.run(['test', '--concurrency', '1']);
    expect(stdout.replace(/after \d+ ms/, 'after N ms')).toBe(`Running 3 eval case(s)...

passes ✓
  (no cost metrics — structural test)

aborted by Interruption
hangs -
  not run: it was interrupted after N ms

waits -
  not run: the run was interrupted before it began

1 passed, 0 failed, 2 not run | total cost: $0.00
`);
    expect(code).toBe(130);
  });

  test('exits with 2 when a file cannot be loaded, says where and why, and runs the others', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'a-types.eval.ts': `const a: number = 1;\nconst b: string = = 2;\n`,
      'b-syntax.eval.mjs': `export const x = {\n  b = 2,\n};\n`,
      'c-import.eval.ts': `import './nothing-here.ts';`,
      'd-throws.eval.ts': `console.error('d runs');\nthrow new Error('top level');`,
      'e-name.eval.ts': `
        import { EvalSuite, evalCase, MaxCostUSD } from '@synapsekit/eval';
        const cheap = evalCase('cheap', () => {});
        export default new EvalSuite({ cases: [cheap], metrics: [new MaxCostUSD({ threshold: 1, applyTo: ['cheep'] })] });
      `,
      'f-nothing.eval.ts': `export const x = 1;`,
      'g-ends.eval.ts': `process.exit(0);`,
      'h-passes.eval.ts': passing,
    });
    const { code, stdout, stderr } = await sandbox.run(['test']);
    const said = stderr.replaceAll(sandbox.folder, '');
    expect(said).toContain('a-types.eval.ts could not be loaded:\n  SyntaxError: ');
    expect(said).toMatch(/a-types\.eval\.ts:2\n[\s\S]*const b: string = = 2;\n +\^/);
    expect(said).toMatch(
      /b-syntax[\s\S]*Invalid shorthand property initializer\n {4}b-syntax\.eval\.mjs:2\n +b = 2,\n/,
    );
    expect(said).toMatch(/c-import[\s\S]*Cannot find module '\/nothing-here\.ts'/);
    expect(said).toMatch(/d-throws[\s\S]*Error: top level\n {4}at d-throws\.eval\.ts:2:7\n\n/);
    expect(said.match(/d runs/g)).toHaveLength(1);
    expect(said).toContain(
      'MaxCostUSD applies to "cheep", and the suite has no such case. Did you mean "cheap"?',
    );
    expect(said).toContain('f-nothing.eval.ts exports no eval case and no suite.');
    expect(said).toContain('process.exit(0) was called');
    expect(said).toContain('6 files could not be loaded, see above.\n');
    expect(stdout).toContain('1 passed, 0 failed');
    expect(code).toBe(2);
  });

  test('runs the cases that a filter names, and exits with 2 when it names none', async ({ expect }) => {
    using sandbox = createSandbox({ 'x.eval.ts': passing });
    const [some, none] = await Promise.all([
      sandbox.run(['test', '-t', '^pass', '--list']),
      sandbox.run(['test', '--filter', 'nothing']),
    ]);
    expect(some).toMatchObject({ code: 0, stdout: 'x.eval.ts\n  passes\n\n1 eval case(s)\n' });
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('No case matches --filter nothing. There are: passes.');
  });
});
