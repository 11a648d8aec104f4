/** A real pipeline under the eval runner: recorded, replayed with the providers gone, priced anew, and on a budget. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLedger } from '@synapsekit/budget';
import { type LLM, parseUsd, wrap } from '@synapsekit/core';
import { CostTracker, PriceBook, trackCost } from '@synapsekit/cost';
import {
  createReprice,
  EvalSuite,
  evalCase,
  MaxCostUSD,
  ProviderTraffic,
  type ProviderTrafficOptions,
  type RunResult,
  runSuite,
} from '@synapsekit/eval';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { breakOn, CircuitBreaker, fallbackChain, retry } from '@synapsekit/resilience';
import { faults, SimulatedProvider } from '@synapsekit/testing';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let provider: SimulatedProvider;
let cwd: string;
beforeEach(async () => {
  provider = await SimulatedProvider.start();
  cwd = await mkdtemp(join(tmpdir(), 'eval-traffic-'));
});
afterEach(async () => {
  await provider.close();
  await rm(cwd, { recursive: true, force: true });
});

/** The pipeline as a user has it: made anew for each run, as a process of its own would. */
function pipeline(tracker?: CostTracker): LLM {
  const config = { maxTokens: 60 };
  const groq = new GroqLLM({
    model: 'llama-3.1-8b-instant',
    config,
    baseURL: provider.groqBaseURL,
    apiKey: 'gsk_simulated',
  });
  const openai = new OpenAILLM({
    model: 'gpt-4o',
    config,
    baseURL: provider.openaiBaseURL,
    apiKey: 'sk-simulated',
  });
  const guarded = (llm: LLM): LLM =>
    wrap(
      llm,
      retry({ maxAttempts: 2, baseDelayMs: 1, maxDelayMs: 1 }),
      breakOn(new CircuitBreaker({ name: llm.id })),
      ...(tracker ? [trackCost(tracker)] : []),
    );
  return fallbackChain([guarded(groq), guarded(openai)]);
}

function suiteOf(llm: LLM) {
  const question = 'What is the capital of France?';
  return new EvalSuite({
    cases: [
      evalCase('whole', () => llm.generate(question)),
      evalCase('streamed', async () => {
        const stream = llm.stream(question);
        for await (const _ of stream);
        return stream.result;
      }),
      evalCase('foreign', async () => {
        const client = new OpenAI({ baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated' });
        const { choices } = await client.chat.completions.create({
          model: 'gpt-4o-mini',
          max_tokens: 20,
          messages: [{ role: 'user', content: question }],
        });
        return choices[0]?.message.content ?? '';
      }),
    ],
    metrics: [new MaxCostUSD({ threshold: '0.01' })],
  });
}

async function run(options: ProviderTrafficOptions, tracker?: CostTracker): Promise<RunResult> {
  const traffic = new ProviderTraffic({ cwd, prices: new PriceBook(), ...options });
  const restore = traffic.install();
  try {
    return await runSuite(suiteOf(pipeline(tracker)), { traffic, concurrency: 3 });
  } finally {
    await traffic.close();
    restore();
  }
}

const costs = ({ cases }: RunResult): unknown =>
  cases.map(({ name, status, cost }) => [name, status, cost.usd, cost.calls, cost.missing]);

describe.each([
  ['with a tracker', () => new CostTracker({ onWarning() {} })],
  ['without one', () => undefined],
])('%s', (_, trackerOf) => {
  test('what was recorded live is replayed for nothing: the same costs, the same verdicts, faults and failover too', async () => {
    // Both attempts at Groq fail for one of the cases, so that OpenAI serves it.
    provider.fail(faults.overloaded(), { provider: 'groq', stream: false, times: 2 });
    const live = await run({ mode: 'record' }, trackerOf());
    expect(live.cases.map(({ status }) => status)).toEqual(['passed', 'passed', 'passed']);
    expect(live.billed?.billedUsd).toBe(provider.bill.totalUsdExact);
    expect(live.cost.usd).toBe(provider.bill.totalUsdExact);
    const requests = provider.requests.length;
    const replayed = await run({ mode: 'replay' }, trackerOf());
    expect(provider.requests).toHaveLength(requests);
    expect(costs(replayed)).toEqual(costs(live));
    expect(replayed.billed).toMatchObject({ billedUsd: '0', requests, replayed: requests });
    const tape = await readFile(join(cwd, '__tapes__/no-file.jsonl'), 'utf8');
    expect(tape).not.toMatch(/gsk_|sk-simulated|authorization/);
  });

  test('a recorded run is priced as another model', async () => {
    await run({ mode: 'record' }, trackerOf());
    const as = { 'gpt-4o-mini': 'gpt-4o', 'groq/llama-3.1-8b-instant': 'gpt-4o' };
    const traffic = new ProviderTraffic({ cwd, mode: 'replay', prices: new PriceBook(), priceAs: as });
    const restore = traffic.install();
    const { CostMeter } = await import('@synapsekit/eval');
    const meter = new CostMeter({ reprice: createReprice(new PriceBook(), as) });
    const result = await meter.run(() => runSuite(suiteOf(pipeline(trackerOf())), { traffic }));
    meter.close();
    await traffic.close();
    restore();
    let expected = 0n;
    for (const { inputTokens, outputTokens } of provider.bill.entries) {
      expected += BigInt(inputTokens) * 2_500_000n + BigInt(outputTokens) * 10_000_000n;
    }
    expect(parseUsd(result.cost.usd)).toBe(expected);
  });
});

test('the published experiment, through the runner: ten workers, twenty cases of $0.03 on $0.05', async () => {
  provider.answerNext(...Array.from({ length: 20 }, () => 'word '.repeat(4_000)));
  const traffic = new ProviderTraffic({
    cwd,
    prices: new PriceBook(),
    budget: { limitUsd: '0.05', ledger: new MemoryLedger() },
  });
  const restore = traffic.install();
  const client = new OpenAI({ baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated' });
  const cases = Array.from({ length: 20 }, (_, index) =>
    evalCase(`case ${index}`, async ({ expect }) => {
      const { usage } = await client.chat.completions.create({
        model: 'gpt-4o',
        max_tokens: 2_990,
        messages: [{ role: 'user', content: 'Write.' }],
      });
      expect(usage?.completion_tokens).toBe(2_990);
    }),
  );
  const result = await runSuite(new EvalSuite({ cases }), { traffic, concurrency: 10 });
  await traffic.close();
  restore();
  expect(provider.bill.totalPico).toBeLessThanOrEqual(parseUsd('0.05'));
  expect(provider.bill.entries).toHaveLength(1);
  expect(result.byStatus).toMatchObject({ passed: 1, 'not-run': 19, failed: 0, error: 0 });
  expect(result.billed?.billedUsd).toBe(provider.bill.totalUsdExact);
});

test('judges spend from the same budget, and their cost is not that of the case', async () => {
  const traffic = new ProviderTraffic({
    cwd,
    prices: new PriceBook(),
    budget: { limitUsd: '0.001', ledger: new MemoryLedger() },
  });
  const restore = traffic.install();
  const client = new OpenAI({ baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated' });
  const ask = (content: string, maxTokens: number): Promise<unknown> =>
    client.chat.completions.create({
      model: 'gpt-4o',
      max_tokens: maxTokens,
      messages: [{ role: 'user', content }],
    });
  const suite = new EvalSuite({
    cases: [
      evalCase('a', () => ask('Hi', 5).then(() => 'x')),
      evalCase('b', () => ask('Hi', 5).then(() => 'x')),
    ],
    metrics: [
      async function judged({ name }) {
        await ask('Is it good?', name === 'a' ? 5 : 500);
        return true;
      },
    ],
  });
  const result = await runSuite(suite, { traffic, concurrency: 1 });
  await traffic.close();
  restore();
  expect(result.cases.map(({ status, reason }) => [status, reason?.slice(0, 7)])).toEqual([
    ['passed', undefined],
    ['not-run', 'budget:'],
  ]);
  expect(provider.bill.totalPico).toBeLessThanOrEqual(parseUsd('0.001'));
  expect(parseUsd(result.cost.usd)).toBe(provider.bill.totalPico);
  expect(parseUsd(result.judgeCost.usd)).toBe(provider.bill.entries[1]?.amountPico);
});
