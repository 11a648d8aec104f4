import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedProvider } from '@synapsekit/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const main = join(import.meta.dirname, 'main.ts');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the demo as a user does, in a pipe, without the keys of whoever runs the tests. */
function demo(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(OPENAI_|GROQ_|FORCE_COLOR|NO_COLOR)/.test(name),
  );
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { ...Object.fromEntries(inherited), ...env }, timeout: 60_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

describe('the simulated story', () => {
  let outcome: Outcome;
  let asJson: Outcome;

  beforeAll(async () => {
    [outcome, asJson] = await Promise.all([demo([]), demo(['--json'])]);
  }, 120_000);

  test('ends well, and says nothing on standard error', () => {
    expect(outcome.stderr).toBe('');
    expect(outcome.code).toBe(0);
  });

  test('is plain in a pipe, and fits into 100 columns', () => {
    expect(outcome.stdout).not.toContain('\u001b');
    expect(Math.max(...outcome.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test.each([
    ['nested scopes', /pipeline:batch-2 > step:answer > llm:gpt-4o +\d+ +\d+ +\$0\.0/],
    [
      'the summary by scope and by model',
      /step:classify +\$0\.0.*\n[\s\S]*total of 10 calls +\$(\S+) +\$\1\n/,
    ],
    ['who answered', /complex, answered by gpt-4o: Here is a Python function/],
    ['the breaker opening', /breaker CLOSED → OPEN/],
    ['the breaker on probation', /breaker OPEN → HALF_OPEN/],
    ['the breaker closing', /breaker HALF_OPEN → CLOSED/],
    ['the refusal before sending', /✓ refused before it was sent: 0 requests at the provider/],
    [
      'the burst against the daily limit',
      /enforceBudget +\d+ +\d+ +\$0\.00\d+ +\$0\.005 +\$0\.000\d+ +\$0\.00\d+/,
    ],
    [
      'the table of the evals',
      /test_simple_query_cheap ✓\n {4}MaxCostUSD \.\.\. PASS \(\$0\.0\d+ < \$0\.001\)/,
    ],
    [
      'a cascade beside the table',
      /the tutorial's table +\d+ +7\d % [\s\S]*cascade: reads the answer +\d+ +\d+ % /,
    ],
    ['the verdict of the evals', /3 passed, 0 failed \| total cost: \$0\.00\d+/],
    ['that it checked itself', /All \d+ claims were checked and hold\.\n$/],
  ])('shows %s', (_, words) => {
    expect(outcome.stdout).toMatch(words);
    expect(outcome.stdout).not.toContain('✗');
  });

  test('is one document with --json, and nothing else', () => {
    const { code, stdout, stderr } = asJson;
    const document = JSON.parse(stdout);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(document).toMatchObject({ version: 1, ok: true, mode: 'simulated' });
    const { queries, outage, budget, evals, routers } = document.chapters;
    expect(queries.queries.map(({ complexity }: { complexity: string }) => complexity)).toEqual([
      'simple',
      'medium',
      'complex',
      'simple',
      'medium',
    ]);
    expect(outage.transitions.map(({ to }: { to: string }) => to)).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
    expect(budget.reserved.admitted + budget.reserved.refused).toBe(200);
    expect(Number(budget.reserved.billedUsd)).toBeLessThanOrEqual(budget.limitUsd);
    expect(Number(budget.checked.billedUsd)).toBeGreaterThan(budget.limitUsd); // or the burst would prove nothing
    expect(evals).toMatchObject({ ok: true, passed: 3 });
    expect(routers.ways.map(({ way }: { way: string }) => way.split(':')[0])).toEqual([
      'always llama-3.1-8b-instant',
      "the tutorial's table",
      'learned',
      'cascade',
      'always gpt-4o',
    ]);
    expect(document.claims.every(({ ok }: { ok: boolean }) => ok)).toBe(true);
  });
});

describe('queries of your own', { timeout: 30_000, concurrent: true }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'synapsekit-demo-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('--query answers, with every cost in its scope', async () => {
    const { code, stdout } = await demo(['--query', 'What is the capital of France?']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The capital of France is Paris\.\n/);
    expect(stdout).toMatch(/step:classify > llm:groq\/llama-3\.1-8b-instant +\d+ +1 +\$0\.0/);
    expect(stdout).toContain('simple, answered by groq/llama-3.1-8b-instant');
  });

  test('--file answers what it can, names the broken lines, and fails for them', async () => {
    const file = join(folder, 'queries.jsonl');
    writeFileSync(file, '"What is 6 * 7?"\n{"query": oops}\n{"query": "Explain TCP and UDP."}\n');
    const [people, program] = await Promise.all([demo(['--file', file]), demo(['--file', file, '--json'])]);
    expect(people.code).toBe(1);
    expect(people.stdout).toMatch(/ 1 {2}simple .*6 \* 7 = 42\.\n +2 {2}error: not JSON\n +3 {2}medium /);
    expect(people.stdout).toContain('2 answered, 1 failed');
    expect(people.stderr).toBe(''); // progress is for terminals

    expect(program.code).toBe(1);
    const lines = program.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { line: 1, complexity: 'simple', answer: '6 * 7 = 42.' },
      { line: 2, error: 'not JSON' },
      { line: 3, complexity: 'medium' },
      { summary: { lines: 3, answered: 2, failed: 1, calls: 4 } },
    ]);
  });

  test('--budget-usd is never passed: what does not fit is refused, and nothing is sent for it', async () => {
    const { code, stdout, stderr } = await demo([
      '--query',
      'Write a B-tree implementation.',
      '--budget-usd',
      '0.00001',
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/total limit of \$0\.00001/);
  });
});

test('a flag that does not exist, and --live without a key, cannot begin', { timeout: 30_000 }, async () => {
  const [flag, live] = await Promise.all([demo(['--nope']), demo(['--live'])]);
  expect(flag).toMatchObject({ code: 2, stdout: '' });
  expect(flag.stderr).toContain("Unknown option '--nope'. See --help.");
  expect(live).toMatchObject({ code: 2, stdout: '' });
  expect(live.stderr).toMatch(/OPENAI_API_KEY[\s\S]*"sk-"[\s\S]*GROQ_API_KEY[\s\S]*"gsk_"/);
});

test('--live asks for the models that are served, stays within its budget, and says what it leaves out', {
  timeout: 30_000,
}, async () => {
  const ended = { shutdownDate: '2020-01-31' };
  const provider = await SimulatedProvider.start({
    apiKeys: ['right-key'],
    models: [
      {
        provider: 'groq',
        id: 'llama-3.1-8b-instant',
        inputUsdPerMillion: 0.05,
        outputUsdPerMillion: 0.08,
        ...ended,
      },
      { provider: 'openai', id: 'gpt-4o', inputUsdPerMillion: 2.5, outputUsdPerMillion: 10, ...ended },
    ],
  });
  try {
    const { code, stdout, stderr } = await demo(['--live'], provider.env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/cheap +groq\/openai\/gpt-oss-20b +in place of groq\/llama-3\.1-8b-instant/);
    expect(stdout).toContain('llama-3.1-8b-instant was shut down on 2020-01-31');
    expect(stdout).toMatch(/strong +gpt-6-luna +in place of gpt-4o/);
    expect(stdout).toContain('Left out: a real provider cannot be taken down on cue.');
    expect(stdout).toMatch(/✓ within the budget: \$0\.0\d+ of \$0\.05/);
    expect(stdout).toContain(`✓ tracker = budget guard: $${provider.bill.totalUsdExact}`);

    const alone = { ...provider.env, OPENAI_API_KEY: 'wrong-key' };
    const groqOnly = await demo(['--live', '--query', 'Write a B-tree implementation.', '--json'], alone);
    expect(groqOnly.code).toBe(0);
    expect(JSON.parse(groqOnly.stdout)).toMatchObject({
      mode: 'live',
      models: { strong: expect.stringMatching(/^groq\//) },
    });
    expect(groqOnly.stdout + groqOnly.stderr).not.toContain('wrong-key');
  } finally {
    await provider.close();
  }
});
