import {
  type CostRecord,
  costChannel,
  type LLM,
  parseUsd,
  type Usage,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import { ChatCompletionsLLM } from '@synapsekit/core/chat-completions';
import { faults } from '@synapsekit/testing';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { simulatedPrices } from '../../test/simulated-prices.ts';
import { contextOf, TrafficLab } from '../../test/traffic-run.ts';
import { CostMeter } from '../cost-meter.ts';
import { createReprice } from './call-prices.ts';
import type { ProviderTraffic } from './provider-traffic.ts';

const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }];
const clientOf = (lab: TrafficLab, traffic: ProviderTraffic): OpenAI =>
  new OpenAI({ baseURL: lab.sim.openaiBaseURL, apiKey: 'any', fetch: traffic.fetch, maxRetries: 0 });

/** Our adapters are made of this. */
const adapterOf = (lab: TrafficLab, traffic: ProviderTraffic): LLM =>
  new ChatCompletionsLLM({
    provider: 'openai',
    model: 'gpt-4o',
    client: async () => clientOf(lab, traffic),
  });

/** Records as a tracker does. */
function record(usage: Usage, usd: string | undefined, attemptId: string): void {
  const pico = parseUsd(usd ?? 0);
  costChannel.publish(
    (): CostRecord => ({
      version: 1,
      attemptId,
      atMs: 0,
      provider: 'openai',
      model: 'gpt-4o',
      modelId: 'gpt-4o',
      usage,
      costUsd: usdNumber(pico),
      costUsdExact: usdDecimal(pico),
      unpriced: usd === undefined,
      estimated: false,
      scopePath: [],
      attributes: {},
    }),
  );
}

/** Measures `work` as the runner does. */
async function measure<T>(
  lab: TrafficLab,
  work: (traffic: ProviderTraffic) => Promise<T>,
  options: Parameters<TrafficLab['traffic']>[0] = {},
): Promise<{ meter: CostMeter; billedUsd: string | undefined }> {
  const traffic = lab.traffic(options);
  const meter = new CostMeter();
  const context = contextOf();
  await meter.run(() => traffic.run(context, () => work(traffic)));
  await meter.idle();
  const billedUsd = traffic.report(context)?.billedUsd;
  meter.close();
  await traffic.close();
  return { meter, billedUsd };
}

test('code that knows nothing of us is measured: plain, streamed, embedded in anything', async () => {
  await using lab = await TrafficLab.open();
  const { meter, billedUsd } = await measure(lab, async (traffic) => {
    const client = clientOf(lab, traffic);
    await client.chat.completions.create({ model: 'gpt-4o', messages });
    const stream = await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const _ of stream);
  });
  expect(meter.cost).toEqual({
    pico: lab.sim.bill.totalPico,
    calls: 2,
    estimatedCalls: 0,
    missingCalls: 0,
    missing: [],
  });
  expect(billedUsd).toBe(lab.sim.bill.totalUsdExact);
  expect(meter.attempts).toMatchObject([
    { provider: 'openai', model: 'gpt-4o', outcome: 'served', usage: { servedModel: 'gpt-4o-2024-08-06' } },
    {
      model: 'gpt-4o-mini',
      outcome: 'served',
      requestId: expect.any(String),
      firstTokenMs: expect.any(Number),
    },
  ]);
});

test('a call of an adapter is one attempt, priced by its tracker, else by the boundary', async () => {
  await using lab = await TrafficLab.open();
  const untracked = await measure(lab, (traffic) => adapterOf(lab, traffic).generate('Hello'));
  expect(untracked.meter.attempts).toHaveLength(1);
  expect(untracked.meter.cost).toMatchObject({ calls: 1, pico: lab.sim.bill.totalPico, missing: [] });

  const tracked = await measure(lab, (traffic) =>
    adapterOf(lab, traffic).generate('Hello', {
      onAttempt: ({ attemptId, usage }) => usage && record(usage, '0.5', attemptId),
    }),
  );
  expect(tracked.meter.attempts).toHaveLength(1);
  expect(tracked.meter.cost).toMatchObject({ calls: 1, pico: parseUsd('0.5'), missing: [] });

  const unpriced = await measure(lab, (traffic) =>
    adapterOf(lab, traffic).generate('Hello', {
      onAttempt: ({ attemptId, usage }) => usage && record(usage, undefined, attemptId),
    }),
  );
  expect(unpriced.meter.cost).toMatchObject({
    calls: 1,
    pico: lab.sim.bill.entries[2]?.amountPico,
    missing: [],
  });
});

test('a record that was made by hand of a call is not a second one', async () => {
  await using lab = await TrafficLab.open();
  const { meter } = await measure(lab, async (traffic) => {
    const client = clientOf(lab, traffic);
    const { usage } = await client.chat.completions.create({ model: 'gpt-4o', messages });
    await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'Something else' }],
    });
    record(
      { inputTokens: usage?.prompt_tokens ?? 0, outputTokens: usage?.completion_tokens ?? 0 },
      '0.25',
      'by-hand',
    );
    record({ inputTokens: 7, outputTokens: 9_999 }, '1', 'something-else');
  });
  expect(meter.cost).toMatchObject({
    calls: 3,
    pico: parseUsd('1.25') + (lab.sim.bill.entries[1]?.amountPico ?? 0n),
    missing: [],
  });
});

test('what is not known is said: no price, no usage, a stream that was cut', async () => {
  await using lab = await TrafficLab.open();
  lab.sim.fail(faults.missingUsage(), { model: 'gpt-4o' });
  lab.sim.fail(faults.resetAfter(2), { model: 'o4-mini' });
  const unpriced = {
    find: (query: { model: string }) =>
      query.model.startsWith('gpt-4o-mini') ? undefined : simulatedPrices().find(query),
  };
  const { meter, billedUsd } = await measure(
    lab,
    async (traffic) => {
      const client = clientOf(lab, traffic);
      await client.chat.completions.create({ model: 'gpt-4o', messages });
      await client.chat.completions.create({ model: 'gpt-4o-mini', messages });
      const stream = await client.chat.completions.create({ model: 'o4-mini', messages, stream: true });
      const read = async (): Promise<void> => {
        for await (const _ of stream);
      };
      await expect(read()).rejects.toThrow();
    },
    { prices: unpriced },
  );
  expect(meter.cost).toEqual({
    pico: 0n,
    calls: 0,
    estimatedCalls: 0,
    missingCalls: 3,
    missing: ['no price for gpt-4o-mini', 'gpt-4o, o4-mini told no usage of 2 calls'],
  });
  expect(billedUsd).toBe('0');
});

test('errors are free', async () => {
  await using lab = await TrafficLab.open();
  lab.sim.fail(faults.rateLimited());
  const { meter } = await measure(lab, async (traffic) => {
    await expect(
      clientOf(lab, traffic).chat.completions.create({ model: 'gpt-4o', messages }),
    ).rejects.toThrow();
    await expect(adapterOf(lab, traffic).generate('x', { signal: AbortSignal.abort() })).rejects.toThrow();
  });
  expect(meter.cost).toMatchObject({ pico: 0n, calls: 0, missingCalls: 0 });
  expect(meter.attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'unsent']);
});

test('in replay the same is attributed, and nothing is billed; other prices and other models price it anew', async () => {
  await using lab = await TrafficLab.open();
  const work = (traffic: ProviderTraffic): Promise<unknown> =>
    clientOf(lab, traffic).chat.completions.create({ model: 'gpt-4o', messages });
  const live = await measure(lab, work, { mode: 'record' });
  const replayed = await measure(lab, work, { mode: 'replay' });
  expect(replayed.meter.cost).toEqual(live.meter.cost);
  expect([live.billedUsd, replayed.billedUsd]).toEqual([lab.sim.bill.totalUsdExact, '0']);
  const [entry] = lab.sim.bill.entries;
  const { inputTokens = 0, outputTokens = 0 } = entry ?? {};
  const other = simulatedPrices().find({ model: 'gpt-6-luna' })?.costPico({ inputTokens, outputTokens });
  const as = await measure(lab, work, { mode: 'replay', priceAs: { 'gpt-4o': 'gpt-6-luna' } });
  expect(as.meter.cost).toMatchObject({ pico: other, calls: 1 });
  const reprice = createReprice(simulatedPrices(), { 'gpt-4o': 'gpt-6-luna' });
  const meter = new CostMeter({ reprice });
  meter.run(() => {
    const inner = new CostMeter();
    inner.run(() => record({ inputTokens, outputTokens, servedModel: 'gpt-4o-2024-08-06' }, '9', 'a'));
    expect(inner.cost.pico).toBe(other);
    inner.close();
  });
  expect(meter.cost.pico).toBe(other);
  meter.close();
  const unknown = await measure(lab, work, { mode: 'replay', priceAs: { 'gpt-4o': 'nobody-knows' } });
  expect(unknown.meter.cost).toMatchObject({ pico: 0n, missing: ['no price for gpt-4o'] });
});

test('a thousand interleaved calls of fifty cases and their judges: each is charged for its own', async () => {
  await using lab = await TrafficLab.open({ latencyMs: ({ index }) => index % 3 });
  const traffic = lab.traffic();
  const client = clientOf(lab, traffic);
  const all = new CostMeter();
  const cases = await all.run(() =>
    Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const [meter, judges] = [new CostMeter(), new CostMeter()];
        const ask = (content: string): Promise<unknown> =>
          client.chat.completions.create({
            model: 'gpt-4o-mini',
            messages: [{ role: 'user', content: `${index}: ${content}` }],
          });
        const context = contextOf({ name: `case ${index}` });
        await meter.run(() =>
          traffic.run(context, () =>
            Promise.all(Array.from({ length: 15 }, (_, turn) => ask(`case ${turn}`))),
          ),
        );
        await judges.run(() =>
          traffic.run({ ...context, role: 'judge' }, () =>
            Promise.all(Array.from({ length: 5 }, (_, turn) => ask(`judge ${turn}`))),
          ),
        );
        const report = traffic.report(context);
        meter.close();
        judges.close();
        return { meter, judges, report };
      }),
    ),
  );
  all.close();
  await traffic.close();
  const billOf = (word: string, index: number): bigint =>
    lab.sim.requests
      .filter(({ body }) => JSON.stringify(body).includes(`"${index}: ${word}`))
      .reduce((sum, { billed }) => sum + (billed?.amountPico ?? 0n), 0n);
  for (const [index, { meter, judges, report }] of cases.entries()) {
    expect(meter.cost).toMatchObject({ calls: 15, pico: billOf('case', index) });
    expect(judges.cost).toMatchObject({ calls: 5, pico: billOf('judge', index) });
    expect(report).toMatchObject({ requests: 20, billedUsd: usdDecimal(meter.cost.pico + judges.cost.pico) });
  }
  expect(all.cost).toMatchObject({ calls: 1_000, pico: lab.sim.bill.totalPico });
}, 60_000);
