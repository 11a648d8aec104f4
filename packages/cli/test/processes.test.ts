import { SimulatedProvider } from '@synapsekit/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSandbox } from './sandbox.ts';

let provider: SimulatedProvider;
beforeAll(async () => {
  provider = await SimulatedProvider.start();
});
beforeEach(() => provider.reset());
afterAll(() => provider.close());

/** A process that knows nothing of the run, and asks a model. */
const ask = `
  const response = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', {
    method: 'POST',
    headers: { authorization: 'Bearer any' },
    body: JSON.stringify({ model: 'gpt-4o', max_tokens: 40, messages: [{ role: 'user', content: process.argv[2] ?? 'Hi' }] }),
  });
  const body = await response.json();
  process.stdout.write(response.ok ? body.choices[0].message.content : body.error.message);
  process.disconnect?.(); // as a worker of a cluster it would stay
`;

/** However a file comes by what starts processes, which is not loaded before. */
const files: Readonly<Record<string, string>> = {
  'import.eval.ts': `import { fork } from 'node:child_process';`,
  'bare.eval.ts': `import * as all from 'child_process'; const { fork } = all;`,
  'dynamic.eval.ts': `const { fork } = await import('node:child_process');`,
  'require.eval.cts': `const { fork } = require('child_process');`,
  'create.eval.ts': `import { createRequire } from 'node:module'; const { fork } = createRequire(import.meta.url)('node:child_process');`,
  'builtin.eval.ts': `const { fork } = process.getBuiltinModule('child_process');`,
  'cluster.eval.ts': `
    import cluster from 'node:cluster';
    const fork = (_, [prompt]) => {
      cluster.setupPrimary({ exec: process.cwd() + '/ask.mjs', args: [prompt], silent: true });
      return cluster.fork().process;
    };`,
  'dependency.eval.ts': `import { fork } from 'starter';`,
};

const body = (isModule: boolean): string => `
  ${isModule ? `import { evalCase } from '@synapsekit/eval';` : `const { evalCase } = require('@synapsekit/eval');`}
  const asks = evalCase('asks', { maxCostUsd: 0.01 }, () =>
    new Promise((resolve) => {
      let text = '';
      const child = fork(process.cwd() + '/ask.mjs', ['What is the capital of France?'], { silent: true });
      child.stdout.on('data', (data) => { text += data; });
      child.on('close', () => resolve({ output: text }));
    }));
  ${isModule ? 'export default asks;' : 'module.exports = { asks };'}
`;

test('the first process of a run is covered, however its file comes by the module that starts it', async () => {
  using sandbox = createSandbox({
    'ask.mjs': ask,
    'node_modules/starter/package.json': '{ "main": "index.js" }',
    'node_modules/starter/index.js': `exports.fork = require('child_process').fork;`,
    ...Object.fromEntries(
      Object.entries(files).map(([name, start]) => [name, `${start}\n${body(!name.endsWith('.cts'))}`]),
    ),
  });
  const env = { OPENAI_BASE_URL: provider.openaiBaseURL };
  let requests = 0;
  for (const name of Object.keys(files)) {
    const { code, stdout, stderr } = await sandbox.run(
      ['test', name, '--record', '--budget', '0.01', '--json'],
      { env },
    );
    expect([name, code, stderr]).toEqual([name, 0, '']);
    expect(JSON.parse(stdout).billed, name).toMatchObject({ requests: 1, recorded: 1 });
    expect(provider.requests, name).toHaveLength(++requests);
    const again = await sandbox.run(['test', name, '--replay', '--json'], {
      env: { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' },
    });
    expect([name, again.code]).toEqual([name, 0]);
  }
  expect(provider.requests).toHaveLength(requests);
}, 120_000);

test('a worker pool under a budget: the bill stays within it, and what does not fit is not run', async () => {
  using sandbox = createSandbox({
    'ask.mjs': ask,
    'x.eval.ts': `
      import { spawn } from 'node:child_process';
      import { evalCase } from '@synapsekit/eval';
      export default Array.from({ length: 12 }, (_, n) => evalCase('case ' + n, { maxCostUsd: 0.01 }, () =>
        new Promise((resolve) => {
          const child = spawn(process.execPath, ['ask.mjs', 'Question ' + n], { env: { OPENAI_BASE_URL: process.env.OPENAI_BASE_URL } });
          child.on('close', () => resolve({ output: 'x' }));
        })));
    `,
  });
  const env = { OPENAI_BASE_URL: provider.openaiBaseURL };
  const { code, stdout } = await sandbox.run(['test', '--budget', '0.0015', '--json'], { env });
  const { byStatus, billed } = JSON.parse(stdout);
  expect(code).toBe(3);
  expect(byStatus.passed).toBeGreaterThan(0);
  expect(byStatus['not-run']).toBeGreaterThan(0);
  expect(byStatus.passed + byStatus['not-run']).toBe(12);
  expect(provider.bill.totalUsd).toBeLessThanOrEqual(0.0015);
  expect(billed.billedUsd).toBe(provider.bill.totalUsdExact);
}, 120_000);

test('execSync in a case fails the case in CI, with what to do, and sends nothing', async () => {
  using sandbox = createSandbox({
    'ask.mjs': ask,
    'x.eval.ts': `
      import { execSync } from 'node:child_process';
      import { evalCase } from '@synapsekit/eval';
      export const waits = evalCase('waits', ({ expect }) => expect(execSync('node ask.mjs').toString()).not.toBe(''));
    `,
  });
  const { code, stdout } = await sandbox.run(['test'], {
    env: { CI: '1', OPENAI_BASE_URL: provider.openaiBaseURL },
  });
  expect(stdout).toMatch(
    /waits ✗\n {2}error: a request to .* was not sent: the run waits for the process .*Start it with spawn/,
  );
  expect(code).toBe(1);
  expect(provider.requests).toHaveLength(0);
}, 60_000);
