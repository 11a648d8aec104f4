import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { createSandbox, type Sandbox } from './sandbox.ts';

const passes = `
  import { evalCase } from '@synapsekit/eval';
  export const passes = evalCase('passes', ({ expect }) => { expect(1).toBe(1); });
`;

const allReporters = ['junit=r.xml', 'json=r.json', 'html=r.html', 'minimal=r.txt'].flatMap((spec) => [
  '--reporter',
  spec,
]);

/** What the files of a run hold. */
interface Reports {
  readonly code: number;
  readonly stderr: string;
  readonly xml: string;
  readonly json: string;
  readonly html: string;
  readonly text: string;
}

async function reportsOf(
  sandbox: Sandbox,
  args: readonly string[] = [],
  options?: Parameters<Sandbox['run']>[1],
): Promise<Reports> {
  const { code, stderr } = await sandbox.run(['test', ...args, ...allReporters], options);
  const read = (name: string): string => readFileSync(join(sandbox.folder, name), 'utf8');
  return {
    code,
    stderr,
    xml: read('r.xml'),
    json: read('r.json'),
    html: read('r.html'),
    text: read('r.txt'),
  };
}

/** Runs that end otherwise than well although no case failed, and what each report must say of it. */
const runs: readonly {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly code: number;
  readonly says: RegExp;
}[] = [
  {
    what: 'a syntax error in one file of two',
    files: { 'a.eval.ts': passes, 'b.eval.ts': 'export const x: number = = 1;' },
    code: 2,
    says: /b\.eval\.ts[\s\S]*could not be loaded[\s\S]*SyntaxError/,
  },
  {
    what: 'an import error',
    files: { 'a.eval.ts': passes, 'b.eval.ts': `import './nothing.ts';` },
    code: 2,
    says: /b\.eval\.ts[\s\S]*could not be loaded[\s\S]*Cannot find module/,
  },
  {
    what: 'a file that exports nothing',
    files: { 'a.eval.ts': passes, 'b.eval.ts': 'export {};' },
    code: 2,
    says: /b\.eval\.ts exports no eval case/,
  },
  {
    what: 'a rejection that nobody handles',
    files: {
      'a.eval.ts': `${passes}
        setTimeout(() => Promise.reject(new Error('from nowhere')), 1);
        await new Promise((resolve) => setTimeout(resolve, 20));`,
    },
    code: 1,
    says: /[Aa]n error that nobody caught[\s\S]*from nowhere/,
  },
  {
    what: 'a request outside of cases that is on no tape',
    files: { 'a.eval.ts': `${passes} await fetch('http://127.0.0.1:9/v1/models').then((it) => it.text());` },
    args: ['--replay'],
    code: 5,
    says: /[Oo]utside of (?:the )?cases[\s\S]*there is no tape/,
  },
  {
    what: 'a budget that is spent before the first case',
    files: {
      'a.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export const asks = evalCase('asks', { maxCostUsd: 1 }, () => fetch('http://127.0.0.1:9/v1/chat/completions', {
          method: 'POST', body: JSON.stringify({ model: 'gpt-4o', max_tokens: 9, messages: [] }),
        }));`,
    },
    args: ['--budget', '0.0000001'],
    code: 3,
    says: /not run|did not run/,
  },
  {
    what: 'Ctrl-C',
    files: {
      'a.eval.ts': `${passes}
        export const stops = evalCase('stops', async ({ signal }) => {
          process.kill(process.pid, 'SIGINT');
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        });`,
    },
    code: 130,
    says: /Interrupted by SIGINT: 1 of 2 cases had ended/,
  },
  {
    what: 'Ctrl-C while files are loaded',
    files: {
      'a.eval.ts': passes,
      'b.eval.ts': `process.kill(process.pid, 'SIGINT'); await new Promise((resolve) => setTimeout(resolve, 10_000));`,
    },
    code: 130,
    says: /Interrupted by SIGINT while eval files were loaded: 1 of 2 were, and no case has run/,
  },
  {
    what: 'cases that are all left out',
    files: {
      'a.eval.ts': `import { evalCase } from '@synapsekit/eval'; export const a = evalCase.skip('a', () => {});`,
    },
    code: 1,
    says: /0 passed|nothing was shown/,
  },
];

describe('every report tells of', { timeout: 120_000 }, () => {
  test.for(runs)('$what', async ({ files, args = [], env, code, says }, { expect }) => {
    using sandbox = createSandbox(files);
    const reports = await reportsOf(sandbox, args, env && { env });
    expect(reports.code).toBe(code);
    expect(reports.xml).toMatch(/<testsuites [^>]*(?:errors|failures)="[1-9]/);
    expect(reports.xml).toMatch(/<(?:error|failure) message="[^"]+"/);
    expect(JSON.parse(reports.json)).toMatchObject({ ok: false, exitCode: code });
    expect(reports.html).toMatch(/<title>✗ /);
    const plainOf = (text: string): string =>
      text
        .replaceAll(/<[^>]*>/g, ' ')
        .replaceAll('&#39;', "'")
        .replaceAll('&quot;', '"');
    for (const [name, text] of Object.entries({
      html: plainOf(reports.html),
      text: reports.text,
      json: reports.json,
    })) {
      expect(`${name}: ${name === 'json' ? text : text.replaceAll(/\s+/g, ' ')}`).toMatch(
        name === 'json'
          ? /"(?:loadErrors|problems|strayErrors)": \[\n|"stop"|"interrupted"|"passed": 0/
          : says,
      );
    }
  });

  test('cases that --bail kept from running', async ({ expect }) => {
    using sandbox = createSandbox({
      'a.eval.ts': `
        import { evalCase } from '@synapsekit/eval';
        export default [1, 2, 3].map((n) => evalCase('case ' + n, ({ expect }) => expect(n).toBe(0)));`,
    });
    const { code, xml } = await reportsOf(sandbox, ['--bail', '1', '--concurrency', '1']);
    expect(code).toBe(1);
    expect(xml).toMatch(/<testsuites name="synapsekit" tests="3" failures="1" errors="0" skipped="2"/);
    expect(xml.match(/<skipped message="the run ended early, after a case had not passed"\/>/g)).toHaveLength(
      2,
    );
  });
});

test('a report of an earlier run is not left behind by one that comes to nothing', async ({ expect }) => {
  using sandbox = createSandbox({ 'a.eval.ts': passes });
  expect(await reportsOf(sandbox)).toMatchObject({ code: 0, xml: expect.stringContaining('failures="0"') });
  writeFileSync(join(sandbox.folder, 'a.eval.ts'), `process.kill(process.pid, 'SIGKILL');`);
  const { signal } = await sandbox.run(['test', '--reporter', 'junit=r.xml']);
  expect(signal).toBe('SIGKILL');
  expect(() => readFileSync(join(sandbox.folder, 'r.xml'))).toThrow('ENOENT');
}, 60_000);

test('a report stays where nothing runs: with --list, and when there is nothing to run again', async ({
  expect,
}) => {
  using sandbox = createSandbox({ 'a.eval.ts': passes });
  const report = ['--reporter', 'junit=r.xml'];
  expect((await sandbox.run(['test', ...report])).code).toBe(0);
  const before = readFileSync(join(sandbox.folder, 'r.xml'), 'utf8');
  expect((await sandbox.run(['test', '--list', ...report])).code).toBe(0);
  expect((await sandbox.run(['test', '--only-failed', ...report])).code).toBe(0);
  expect(readFileSync(join(sandbox.folder, 'r.xml'), 'utf8')).toBe(before);
}, 60_000);
