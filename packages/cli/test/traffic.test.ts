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

test('shards split the budget, or share it through a store', async () => {
  using sandbox = sandboxOf();
  const split = await sandbox.test('--shard', '1/2', '--budget', '0.0007', '--json');
  expect(split.code).toBe(3); // half of it does not fit a case
  expect(provider.requests).toHaveLength(0);
  writeFileSync(
    join(sandbox.folder, 'ledger.mjs'),
    `import { ModelLedger } from '@synapsekit/testing/contracts';
     import { systemClock } from '@synapsekit/core';
     export default () => new ModelLedger(systemClock);`,
  );
  const unnamed = await sandbox.test('--shard', '1/2', '--budget', '0.0007', '--ledger', 'ledger.mjs');
  expect(unnamed).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--ledger needs a --budget-key'),
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
  [['--tape-redact', 'no.mjs'], '--tape-redact no.mjs:'],
  [['--max-tape-age', 'old'], '--max-tape-age'],
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
