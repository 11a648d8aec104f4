import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SimulatedProvider } from '@synapsekit/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from './sandbox.ts';

let provider: SimulatedProvider;
beforeAll(async () => {
  provider = await SimulatedProvider.start();
});
beforeEach(() => provider.reset());
afterAll(() => provider.close());

/** Code that knows nothing of SynapseKit, under evaluation. */
const evalFile = `
  import { EvalSuite, evalCase, MaxCostUSD } from '@synapsekit/eval';

  const ask = async (content, maxTokens = 40) => {
    const response = await fetch(\`\${process.env.OPENAI_BASE_URL}/chat/completions\`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-simulated-0123456789abcdef', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', max_tokens: maxTokens, messages: [{ role: 'user', content }] }),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(body.error.message);
    return body.choices[0].message.content;
  };

  export default new EvalSuite({
    cases: [
      evalCase('france', () => ask('What is the capital of France?')),
      evalCase('storks', () => ask('Where do storks sleep?')),
    ],
    metrics: [new MaxCostUSD({ threshold: 0.01 })],
  });
`;

function sandboxOf(): Sandbox & { test: (...args: string[]) => ReturnType<Sandbox['run']> } {
  const sandbox = createSandbox({ 'a.eval.ts': evalFile });
  const env = { OPENAI_BASE_URL: provider.openaiBaseURL };
  return Object.assign(sandbox, { test: (...args: string[]) => sandbox.run(['test', ...args], { env }) });
}

test('a case that looks at the status alone is over at once, costs what it costs, and is on tape', async () => {
  using sandbox = sandboxOf();
  writeFileSync(
    join(sandbox.folder, 'a.eval.ts'),
    evalFile.replace(
      'const body = await',
      "if (content.includes('France')) return String(response.status);\n    const body = await",
    ),
  );
  const { code, stdout } = await sandbox.test('--record', '--json', '--timeout', '30s');
  const { cases, billed, cost } = JSON.parse(stdout);
  expect(cases.map(({ status }: { status: string }) => status)).toEqual(['passed', 'passed']);
  expect(billed).toMatchObject({ billedUsd: provider.bill.totalUsdExact, recorded: 2 });
  expect(cost).toMatchObject({ calls: 2, missing: [] });
  expect(code).toBe(0);
  expect(await sandbox.test('--replay')).toMatchObject({ code: 0 });
});

test('records, replays with the network off, and replays by itself in CI', async () => {
  using sandbox = sandboxOf();
  const recorded = await sandbox.test('--record', '--json');
  expect(recorded).toMatchObject({ code: 0 });
  const live = JSON.parse(recorded.stdout);
  expect(live.billed).toMatchObject({ billedUsd: provider.bill.totalUsdExact, requests: 2, recorded: 2 });
  expect(live.cost).toMatchObject({ usd: provider.bill.totalUsdExact, calls: 2, missing: [] });
  const tape = readFileSync(join(sandbox.folder, '__tapes__/a.eval.ts.jsonl'), 'utf8');
  expect(tape.trim().split('\n')).toHaveLength(3);
  expect(tape).not.toContain('sk-simulated');

  const inCi = await sandbox.run(['test', '--json'], {
    env: { CI: '1', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' },
  });
  expect(inCi).toMatchObject({ code: 0 });
  const replayed = JSON.parse(inCi.stdout);
  expect(replayed.billed).toMatchObject({ billedUsd: '0', requests: 2, replayed: 2 });
  expect(replayed.cost).toEqual(live.cost);
  expect(provider.requests).toHaveLength(2);
}, 60_000);

test('what judges a suite as a whole is taped with its file; a miss of it exits with 5, no money for it with 3', async () => {
  using sandbox = sandboxOf();
  const judging = (question: string): void =>
    writeFileSync(
      join(sandbox.folder, 'a.eval.ts'),
      evalFile.replace(
        'new MaxCostUSD({ threshold: 0.01 })',
        `{ name: 'judge', evaluateSuite: () => ask('${question}', 4_000).then(() => ({ pass: true }), () => ({ pass: true })) },
         () => true`,
      ),
    );
  judging('Are they good?');
  expect(await sandbox.test('--record')).toMatchObject({ code: 0 });
  expect(readFileSync(join(sandbox.folder, '__tapes__/a.eval.ts.jsonl'), 'utf8')).toContain('Are they good?');
  expect(await sandbox.test('--replay')).toMatchObject({ code: 0 });
  judging('Are they bad?');
  const missed = await sandbox.test('--replay');
  expect(missed).toMatchObject({
    code: 5,
    stdout: expect.stringContaining('replay-miss: no tape has this POST'),
  });
  const poor = await sandbox.test('--live', '--budget', '0.002');
  expect(poor).toMatchObject({ code: 3, stdout: expect.stringContaining('not judged: budget: ') });
}, 60_000);

test('a miss exits with 5 and shows the nearest tape and the difference', async () => {
  using sandbox = sandboxOf();
  await sandbox.test('--record');
  writeFileSync(join(sandbox.folder, 'a.eval.ts'), evalFile.replace('capital of France', 'capital of Spain'));
  const { code, stdout, stderr } = await sandbox.test('--replay');
  expect(code).toBe(5);
  const printed = stdout + stderr;
  expect(printed).toContain('no tape has this POST /v1/chat/completions (__tapes__/a.eval.ts.jsonl)');
  expect(printed).toContain('nearest: POST /v1/chat/completions of "france", trial 0, request 1');
  expect(printed).toContain('- messages[0].content: "What is the capital of France?"');
  expect(printed).toContain('+ messages[0].content: "What is the capital of Spain?"');
  expect(provider.requests).toHaveLength(2);
}, 60_000);

test('what the body of a file asks is no exception: a miss exits with 5, what does not fit with 3', async () => {
  using sandbox = createSandbox({
    'a.eval.ts': `
      import { evalCase } from '@synapsekit/eval';
      const response = await fetch(\`\${process.env.OPENAI_BASE_URL}/chat/completions\`, {
        method: 'POST',
        body: JSON.stringify({ model: 'gpt-4o', max_tokens: 40, messages: [{ role: 'user', content: 'Hello' }] }),
      });
      await response.text(); // and whatever it says, the case passes
      export const fine = evalCase('fine', ({ expect }) => expect(1).toBe(1));
    `,
  });
  const env = { OPENAI_BASE_URL: provider.openaiBaseURL };
  const missed = await sandbox.run(['test', '--replay'], { env });
  expect(missed.code).toBe(5);
  expect(missed.stderr).toMatch(/Outside of cases, .*: there is no tape/);
  const refused = await sandbox.run(['test', '--budget', '0.000001'], { env });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/Outside of cases, .*: budget: /);
  expect(provider.requests).toHaveLength(0);
  const enough = await sandbox.run(['test', '--budget', '0.01'], { env });
  expect(enough.code).toBe(0);
  expect(enough.stderr).toMatch(/^\$0\.0\d+ of the budget of \$0\.01 spent\.$/m);
}, 60_000);

test('a broken tape exits with 2 and its line, before anything is sent', async () => {
  using sandbox = sandboxOf();
  await sandbox.test('--record');
  const path = join(sandbox.folder, '__tapes__/a.eval.ts.jsonl');
  writeFileSync(path, `${readFileSync(path, 'utf8').trimEnd().slice(0, -9)}\n`);
  const { code, stderr } = await sandbox.test('--replay');
  expect(code).toBe(2);
  expect(stderr).toMatch(/__tapes__\/a\.eval\.ts\.jsonl:3: the tape is broken: no valid JSON/);
  expect(stderr).not.toMatch(/storks sleep/);
}, 60_000);

test('what does not fit into the budget is not run and exits with 3; --resume goes on', async () => {
  using sandbox = sandboxOf();
  // One of the cases fits at its worst, and the other one does not fit into what that leaves.
  const first = await sandbox.test('--budget', '0.0007', '--concurrency', '2', '--json');
  expect(first.code).toBe(3);
  const report = JSON.parse(first.stdout);
  expect(report.byStatus).toMatchObject({ passed: 1, 'not-run': 1 });
  expect(provider.requests).toHaveLength(1);
  expect(provider.bill.totalUsd).toBeLessThanOrEqual(0.0007);
  const second = await sandbox.test('--resume', '--budget', '0.0007', '--json');
  expect(second.code).toBe(0);
  expect(JSON.parse(second.stdout).byStatus).toMatchObject({ passed: 2, 'not-run': 0 });
  expect(provider.requests).toHaveLength(2);
}, 60_000);

test('a recorded run is priced as another model, or by another list', async () => {
  using sandbox = sandboxOf();
  await sandbox.test('--record');
  const as = JSON.parse((await sandbox.test('--replay', '--as', 'gpt-4o=gpt-4o-mini', '--json')).stdout);
  let expected = 0;
  for (const { inputTokens, outputTokens } of provider.bill.entries) {
    expected += inputTokens * 0.15 + outputTokens * 0.6;
  }
  expect(Number(as.cost.usd)).toBeCloseTo(expected / 1_000_000, 12);
  const prices = [{ model: 'gpt-4o', inputUsdPerMillion: 0, outputUsdPerMillion: 1_000_000 }];
  writeFileSync(join(sandbox.folder, 'prices.json'), JSON.stringify(prices));
  const dear = await sandbox.test('--replay', '--prices', 'prices.json', '--json');
  expect(dear.code).toBe(1);
  const tokens = provider.bill.entries.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
  expect(JSON.parse(dear.stdout).cost.usd).toBe(String(tokens));
}, 60_000);

/** Four cases, each of which asks once. */
const four = evalFile.replace(
  /cases: \[[\s\S]*?\n {4}\],/,
  "cases: [1, 2, 3, 4].map((n) => evalCase('case ' + n, () => ask('Question ' + n + '?'))),",
);

test('shards split the budget: each is a process of its own, and together they stay within it', async () => {
  using sandbox = createSandbox({ 'a.eval.ts': four });
  const env = { OPENAI_BASE_URL: provider.openaiBaseURL };
  const shards = await Promise.all(
    ['1/2', '2/2'].map((shard) =>
      sandbox.run(['test', '--shard', shard, '--budget', '0.0014', '--json'], { env }),
    ),
  );
  const reports = shards.map(({ stdout }) => JSON.parse(stdout));
  // Half of it is enough for one case at its worst, and not for two.
  for (const { byStatus } of reports) expect(byStatus).toMatchObject({ passed: 1, 'not-run': 1 });
  expect(shards.map(({ code }) => code)).toEqual([3, 3]);
  expect(provider.bill.totalUsd).toBeLessThanOrEqual(0.0014);
  const names = reports.flatMap(({ cases }) => cases.map(({ name }: { name: string }) => name));
  expect(names.sort()).toEqual(['case 1', 'case 2', 'case 3', 'case 4']);
}, 60_000);

test('shards share the budget through a SQLite file: four processes at once never pass it', async () => {
  using sandbox = createSandbox({ 'a.eval.ts': four });
  const env = { OPENAI_BASE_URL: provider.openaiBaseURL };
  const shared = ['--budget', '0.0013', '--store', 'sqlite:budget.db', '--budget-key', 'ci-1', '--json'];
  const shards = await Promise.all(
    ['1/4', '2/4', '3/4', '4/4'].map((shard) => sandbox.run(['test', '--shard', shard, ...shared], { env })),
  );
  const reports = shards.map(({ stdout }) => JSON.parse(stdout));
  const passed = reports.filter(({ byStatus }) => byStatus.passed === 1).length;
  const notRun = reports.filter(({ byStatus }) => byStatus['not-run'] === 1).length;
  expect(passed + notRun).toBe(4);
  // A quarter of it fits no case: what is spent comes out of one purse.
  expect(passed).toBeGreaterThanOrEqual(2);
  expect(provider.bill.totalUsd).toBeLessThanOrEqual(0.0013);
  expect(new Set(shards.map(({ code }) => code))).toEqual(notRun > 0 ? new Set([0, 3]) : new Set([0]));
  const status = await sandbox.run(['budget', 'status', '--store', 'sqlite:budget.db', '--json']);
  const [counter] = JSON.parse(status.stdout).counters;
  expect(Number(counter.committed)).toBeCloseTo(provider.bill.totalUsd, 9);
  expect(counter.held).toBe('0');
}, 60_000);

test('a shared store needs a name of the run, and is one thing or the other', async () => {
  using sandbox = sandboxOf();
  writeFileSync(
    join(sandbox.folder, 'ledger.mjs'),
    `import { ModelLedger } from '@synapsekit/testing/contracts';
     import { systemClock } from '@synapsekit/core';
     export default () => new ModelLedger(systemClock);`,
  );
  const stores = { '--ledger': 'ledger.mjs', '--store': 'sqlite:x.db' };
  for (const [flag, value] of Object.entries(stores)) {
    expect(await sandbox.test('--shard', '1/2', '--budget', '1', flag, value)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${flag} needs a --budget-key`),
    });
  }
  const both = await sandbox.test('--budget', '1', '--budget-key', 'x', ...Object.entries(stores).flat());
  expect(both).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--store and --ledger exclude each other'),
  });
  const named = await sandbox.test('--budget', '0.01', '--budget-key', 'x', '--ledger', 'ledger.mjs');
  expect(named.code).toBe(0);
}, 60_000);

test('what goes on with a run that had a budget has to say what the rest may spend', async () => {
  using sandbox = sandboxOf();
  expect((await sandbox.test('--budget', '0.0007')).code).toBe(3);
  const unlimited = await sandbox.test('--resume');
  expect(unlimited.stderr).toContain(
    'had a budget of $0.0007. Say what the rest of it may spend: --budget 0.0007.',
  );
  expect(unlimited.code).toBe(2);
  expect(provider.requests).toHaveLength(1);
  // The amount is what this part may spend: with less than a case may cost, nothing is sent.
  expect((await sandbox.test('--resume', '--budget', '0.000001')).code).toBe(3);
  expect(provider.requests).toHaveLength(1);
  const rest = await sandbox.test('--resume', '--budget', '0.0007', '--json');
  expect(rest.code).toBe(0);
  expect(JSON.parse(rest.stdout)).toMatchObject({
    cost: { usd: provider.bill.totalUsdExact, calls: 2 },
    billed: { requests: 1 },
  });
}, 60_000);

test.each([
  [['--live', '--replay'], '--live and --replay exclude each other'],
  [['--budget', 'much'], '--budget must be an amount of US dollars such as 0.50, got "much"'],
  [['--budget', '-1'], '--budget'],
  [['--as', 'gpt-4o'], '--as must be such as gpt-4o=gpt-6-luna, got "gpt-4o"'],
  [['--as', 'a=b'], 'use it with --replay'],
  [['--prices', 'no.json'], '--prices no.json: there is no such file'],
  [['--ledger', 'x.mjs'], '--ledger needs a --budget'],
  [['--store', 'sqlite:x.db'], '--store needs a --budget'],
  [['--store', 'mongo:x', '--budget', '1', '--budget-key', 'k'], 'A store is memory, sqlite:FILE'],
  [['--tape-redact', 'no.mjs'], '--tape-redact no.mjs:'],
  [['--max-tape-age', 'old'], '--max-tape-age'],
  [['--replay', '--max-tape-age', '0'], '--max-tape-age must be a number of days > 0, got "0"'],
  [
    ['--record', '--max-tape-age', '30'],
    '--max-tape-age is about tapes that are replayed: use it with --replay',
  ],
])(
  '%j makes no sense',
  async (flags, message) => {
    using sandbox = sandboxOf();
    const { code, stderr } = await sandbox.test(...flags);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  },
  60_000,
);

test('a redaction hook and a folder of tapes', async () => {
  using sandbox = sandboxOf();
  writeFileSync(
    join(sandbox.folder, 'redact.ts'),
    "export default (text: string) => text.replaceAll('storks', 'birds');",
  );
  const flags = ['--tape-dir', 'tapes', '--tape-redact', 'redact.ts'];
  expect(await sandbox.test('--record', ...flags)).toMatchObject({ code: 0 });
  const tape = readFileSync(join(sandbox.folder, 'tapes/a.eval.ts.jsonl'), 'utf8');
  expect(tape).toContain('Where do birds sleep?');
  expect(tape).not.toContain('do storks');
  expect(await sandbox.test('--replay', ...flags)).toMatchObject({ code: 0 });
}, 60_000);
