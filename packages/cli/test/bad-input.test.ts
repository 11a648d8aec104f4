import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SimulatedProvider } from '@synapsekit/testing';
import { describe, test } from 'vitest';
import type { TestReport } from '../src/index.ts';
import { asAnybody, createSandbox } from './sandbox.ts';

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

  test('50 MB in every place where somebody can put it: reports stay small, and say how much is left out', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { EvalSuite, evalCase } from '@synapsekit/eval';
        const huge = 'begin ' + 'x'.repeat(50_000_000) + ' end';
        const named = Object.assign(() => false, {});
        Object.defineProperty(named, 'name', { value: huge });
        export default new EvalSuite({
          cases: [
            evalCase('returned', { description: huge, metrics: [() => false] }, () => huge),
            evalCase('returned in an object', { metrics: [() => false] }, () => ({ output: { huge, list: [huge, huge] } })),
            evalCase('thrown', () => { throw new Error(huge); }),
            evalCase('thrown as it is', () => { throw huge; }),
            evalCase('thrown with a cause', () => { throw new Error('x', { cause: new Error(huge) }); }),
            evalCase('named error', () => { throw Object.assign(new Error('x'), { name: huge, stack: 'Error: x\\n    at ' + huge }); }),
            evalCase('detail', { metrics: [() => ({ pass: false, detail: huge })] }, () => 'x'),
            evalCase('name of a metric', { metrics: [named] }, () => 'x'),
            evalCase('metric that throws', { metrics: [() => { throw new Error(huge); }] }, () => 'x'),
            evalCase('asserted', ({ expect }) => expect(huge).toBe('x')),
            evalCase('asserted within', ({ expect }) => expect({ huge }).toEqual({ huge: 1 })),
            evalCase('printed', ({ expect }) => { console.log(huge); expect(1).toBe(1); }),
            evalCase.skip('skipped', { skip: huge }, () => {}),
          ],
        });
      `,
    });
    const files = ['junit=r.xml', 'html=r.html', 'default=r.txt'].flatMap((spec) => ['--reporter', spec]);
    const { code, stdout, stderr } = await sandbox.run(['test', '--json', ...files]);
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as TestReport;
    expect(report.byStatus).toMatchObject({ passed: 1, failed: 6, error: 5, skipped: 1 });
    for (const each of report.cases) {
      expect(JSON.stringify(each).length, each.name).toBeLessThan(12_000);
      if (each.name === 'printed') continue;
      // Within values there are many texts: each keeps its beginning.
      if (['returned in an object', 'asserted within'].includes(each.name)) {
        expect(JSON.stringify(each), each.name).toMatch(/begin x+'\.\.\. 4\d{7} more characters/);
        continue;
      }
      expect(JSON.stringify(each), each.name).toMatch(
        /begin x+ … \((?:49|50),\d{3},\d{3} characters left out\) … x+ end/,
      );
    }
    for (const name of ['r.xml', 'r.html', 'r.txt', '.synapsekit/last-run.jsonl']) {
      expect(readFileSync(join(sandbox.folder, name), 'utf8').length, name).toBeLessThan(120_000);
    }
    // What a case prints is its own affair, and goes where it belongs.
    expect(stderr.length).toBeGreaterThan(50_000_000);
  });

  test('a name that no command line takes is refused', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const a = evalCase('x'.repeat(50_000_000), () => 1);
      `,
    });
    const { code, stderr } = await sandbox.run(['test']);
    expect(stderr).toContain('must be a text on one line, of 1 to 1000 characters');
    expect(stderr.length).toBeLessThan(10_000);
    expect(code).toBe(2);
  });

  test('a file that is loaded without end is killed and named; Ctrl-C ends what does not listen', async ({
    expect,
  }) => {
    using sandbox = createSandbox({
      'loop.eval.ts': 'for (;;);',
      'wait.eval.ts': `
        process.on('SIGINT', () => {});
        console.error('waiting');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      `,
      'stubborn.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const stubborn = evalCase('stubborn', async () => {
          console.error('waiting');
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        });
      `,
    });
    const loop = await sandbox.run(['test', 'loop.eval.ts', '--timeout', '50ms']);
    expect(loop.signal).toBe('SIGKILL');
    expect(loop.stderr).toMatch(
      /did not give way for \d+ s: an endless loop\? Look in the file that was being loaded: loop\.eval\.ts\./,
    );
    const once = await sandbox.run(['test', 'wait.eval.ts'], {
      onStart: (child) => child.stderr?.once('data', () => child.kill('SIGINT')),
    });
    expect(once.stderr).toContain('Interrupted by SIGINT while eval files were loaded: 0 of 1 were');
    expect(once.code).toBe(130);
    const ignored = await sandbox.run(['test', 'stubborn.eval.ts'], {
      onStart: (child) => child.stderr?.once('data', () => child.kill('SIGINT')),
    });
    expect(ignored.code).toBe(130); // the case does not listen, and is left behind
  });

  test('the second Ctrl-C ends the process at once, whatever listens', async ({ expect }) => {
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { defineLLM } from '@synapsekit/core';
        import { evalCase } from '@synapsekit/eval';
        process.on('SIGINT', () => {});
        const silent = defineLLM({ provider: 'openai', model: 'gpt-4o', generate: () => new Promise(() => {}) });
        export const hangs = evalCase('hangs', async ({ signal }) => {
          // The run gives its call half a second to end.
          signal.addEventListener('abort', () => process.kill(process.pid, 'SIGINT'));
          void silent.generate('x').catch(() => {});
          process.kill(process.pid, 'SIGINT');
          await new Promise(() => {});
        });
      `,
    });
    const { code, stdout, stderr } = await sandbox.run(['test']);
    expect(stderr).toContain('Interrupted again: not everything was reported.');
    expect(stdout).not.toContain('passed,');
    expect(code).toBe(130);
  });

  test.for(['exit(0)', 'reallyExit(0)', 'abort()', 'execve("/bin/true", ["true"])'])(
    'process.%s in a case, or while a file is loaded, is an error of it; the others run',
    async (call, { expect, skip }) => {
      const [name = ''] = call.split('(');
      skip(typeof Reflect.get(process, name) !== 'function', `this Node has no process.${name}`);
      using sandbox = createSandbox({
        'a.eval.ts': `process.${call};`,
        'b.eval.ts': `
          import { evalCase } from '@synapsekit/eval';
          export const ends = evalCase('ends', ({ expect }) => { expect(1).toBe(1); try { process.${call}; } catch {} });
          ${passing().replace("import { evalCase } from '@synapsekit/eval';", '')}
        `,
      });
      const { code, stdout, stderr } = await sandbox.run(['test']);
      expect(stderr).toContain(`process.${name}(`);
      expect(stdout).toContain('1 passed, 1 failed (1 error)');
      expect(code).toBe(2);
    },
  );

  test('killed in the middle of a case: what was paid for by then is on tape and in the journal', async ({
    expect,
  }) => {
    const provider = await SimulatedProvider.start();
    using sandbox = createSandbox({
      'x.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        const ask = async (content) => {
          const response = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', {
            method: 'POST',
            headers: { authorization: 'Bearer any' },
            body: JSON.stringify({ model: 'gpt-4o', max_tokens: 20, messages: [{ role: 'user', content }] }),
          });
          return (await response.json()).choices[0].message.content;
        };
        export const pays = evalCase('pays', { maxCostUsd: 1 }, () => ask('One?'));
        export const dies = evalCase('dies', { maxCostUsd: 1 }, async () => {
          await ask('Two?');
          if (process.env.LIVE !== '1') process.kill(process.pid, 'SIGKILL');
          return ask('Three?');
        });
      `,
    });
    const env = { OPENAI_BASE_URL: provider.openaiBaseURL };
    const { signal } = await sandbox.run(['test', '--record', '--concurrency', '1'], { env });
    expect(signal).toBe('SIGKILL');
    expect(provider.requests).toHaveLength(2);
    expect(journal(sandbox.folder)).toContain('"name":"pays"');
    // Nothing that was paid for is paid again.
    const again = await sandbox.run(['test', '--record', '--resume', '--json'], {
      env: { ...env, LIVE: '1' },
    });
    expect(again.code).toBe(0);
    expect(provider.requests).toHaveLength(3);
    expect(JSON.parse(again.stdout).byStatus.passed).toBe(2);
    expect((await sandbox.run(['test', '--replay'], { env: { ...env, LIVE: '1' } })).code).toBe(0);
    expect(readdirSync(join(sandbox.folder, '__tapes__'))).toEqual(['x.eval.ts.jsonl']);
    await provider.close();
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

  test('a disk that is full loses the reports and the journal, and nothing else', async ({
    expect,
    skip,
  }) => {
    // Writing to it fails as a full disk does.
    skip(!existsSync('/dev/full'), 'this system has no /dev/full');
    using sandbox = createSandbox({ 'x.eval.ts': passing() });
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

  test('a folder that is read-only loses the journal only', async ({ expect, skip }) => {
    const under = asAnybody();
    skip(under === undefined, 'root may write anywhere, and there is no setpriv to take that away');
    using sandbox = createSandbox({ 'x.eval.ts': passing() });
    chmodSync(sandbox.folder, 0o555);
    const { code, stdout, stderr } = await sandbox.run(['test'], { under });
    chmodSync(sandbox.folder, 0o755);
    expect(stdout).toContain('1 passed, 0 failed');
    expect(stderr).toContain('(EACCES): --resume and --only-failed will not know of this run');
    expect(code).toBe(0);
  });

  test('a folder that cannot be read is refused: its cases would be left out', async ({ expect, skip }) => {
    const under = asAnybody();
    skip(under === undefined, 'root may read anything, and there is no setpriv to take that away');
    using sandbox = createSandbox({ 'x.eval.ts': passing(), 'locked/y.eval.ts': passing() });
    chmodSync(join(sandbox.folder, 'locked'), 0o000);
    const { code, stdout, stderr } = await sandbox.run(['test'], { under });
    chmodSync(join(sandbox.folder, 'locked'), 0o755);
    expect(stderr).toMatch(/The folder ".*locked" cannot be searched \(EACCES\)/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

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
