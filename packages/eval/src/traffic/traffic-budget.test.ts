import { get } from 'node:http';
import { connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { parseUsd, usdDecimal } from '@synapsekit/core';
import { faults, ManualClock, type SimulatedModel, seededRandom } from '@synapsekit/testing';
import { ModelLedger } from '@synapsekit/testing/contracts';
import fc from 'fast-check';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { simulatedPrices } from '../../test/simulated-prices.ts';
import { contextOf, TrafficLab } from '../../test/traffic-run.ts';
import { ProviderLimiter } from '../provider-limiter.ts';
import type { TrafficReport } from '../traffic-control.ts';
import type { ProviderTraffic } from './provider-traffic.ts';

/** Ten tokens of it cost $0.03. */
const dear: SimulatedModel = {
  provider: 'openai',
  id: 'dear',
  inputUsdPerMillion: '0.000001',
  outputUsdPerMillion: 3_000,
};
const tenTokens = 'one two three four five six seven eight nine ten eleven twelve';
const prices = simulatedPrices([dear]);

const ledger = (): ModelLedger => new ModelLedger(new ManualClock());
const clientOf = (lab: TrafficLab, traffic: ProviderTraffic): OpenAI =>
  new OpenAI({ baseURL: lab.sim.openaiBaseURL, apiKey: 'any', fetch: traffic.fetch, maxRetries: 0 });

test('the published experiment: a cap of $0.05, ten workers, twenty cases of $0.03', async () => {
  await using lab = await TrafficLab.open({ models: [dear], answers: () => tenTokens, latencyMs: 5 });
  const traffic = lab.traffic({ budget: { limitUsd: '0.05', ledger: ledger() }, prices });
  const client = clientOf(lab, traffic);
  const reports: (TrafficReport | undefined)[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < 20; index = next++) {
      const context = contextOf({ name: `case ${index}` });
      await traffic.run(context, () =>
        client.chat.completions
          .create({ model: 'dear', max_tokens: 10, messages: [{ role: 'user', content: 'Count.' }] })
          .catch(() => {}),
      );
      reports.push(traffic.report(context));
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  await traffic.close();
  expect(lab.sim.bill.entries).toHaveLength(1);
  expect(lab.sim.bill.totalPico).toBeLessThanOrEqual(parseUsd('0.05'));
  expect(traffic.total().billedUsd).toBe(lab.sim.bill.totalUsdExact);
  const stopped = reports.filter((report) => report?.stop?.kind === 'budget');
  expect(stopped).toHaveLength(19);
  expect(stopped[0]?.stop?.message).toMatch(
    /^budget: \$0\.02 of \$0\.05 is left, and the call may cost up to \$0\.03$/,
  );
});

test('whatever the calls cost and however they end, the bill stays within the budget', async () => {
  const call = fc.record({
    model: fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'o4-mini'),
    maxTokens: fc.integer({ min: 1, max: 800 }),
    stream: fc.boolean(),
    usage: fc.boolean(),
    fault: fc.constantFrom(
      undefined,
      undefined,
      undefined,
      faults.rateLimited(),
      faults.reset(),
      faults.dropped(),
      faults.resetAfter(2),
      faults.endAfter(1),
      faults.missingUsage(),
      faults.malformedJson(),
    ),
    abortAfterMs: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined, freq: 3 }),
  });
  const scenario = fc.record({
    limitMicroUsd: fc.integer({ min: 50, max: 30_000 }),
    workers: fc.integer({ min: 1, max: 64 }),
    calls: fc.array(call, { minLength: 1, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ limitMicroUsd, workers, calls }) => {
      // A provider each: what was aborted may still reach it when its run is long over.
      await using lab = await TrafficLab.open({ chunkDelayMs: 1 });
      const limitUsd = usdDecimal(BigInt(limitMicroUsd) * 1_000_000n);
      const traffic = lab.traffic({ budget: { limitUsd, ledger: ledger() } });
      const client = clientOf(lab, traffic);
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let index = next++; index < calls.length; index = next++) {
          const each = calls[index];
          if (each === undefined) continue;
          const { model, maxTokens, stream, usage, fault, abortAfterMs } = each;
          if (fault !== undefined) lab.sim.fail(fault);
          const abort = new AbortController();
          if (abortAfterMs !== undefined) setTimeout(() => abort.abort(), abortAfterMs);
          const limit =
            model === 'o4-mini' ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens };
          const body = {
            model,
            ...limit,
            messages: [
              { role: 'user' as const, content: `Explain ${index} things about the history of Rome.` },
            ],
          };
          const context = contextOf({ name: `case ${index}` });
          await traffic.run(context, async () => {
            try {
              if (!stream) await client.chat.completions.create(body, { signal: abort.signal });
              else {
                const options = usage ? { stream_options: { include_usage: true } } : {};
                const chunks = await client.chat.completions.create(
                  { ...body, stream, ...options },
                  { signal: abort.signal },
                );
                for await (const _ of chunks);
              }
            } catch {
              // Faults, aborts and refusals are what this is about.
            }
          });
          traffic.report(context);
        }
      };
      await Promise.all(Array.from({ length: workers }, worker));
      await traffic.close();
      await lab.sim.idle();
      expect(lab.sim.bill.totalPico).toBeLessThanOrEqual(parseUsd(limitUsd));
      // What we say was spent is never less than what was.
      expect(parseUsd(traffic.total().billedUsd)).toBeGreaterThanOrEqual(lab.sim.bill.totalPico);
      expect(parseUsd(traffic.total().billedUsd)).toBeLessThanOrEqual(parseUsd(limitUsd));
    }),
    { numRuns: 25 },
  );
}, 120_000);

test('answers in full are billed to the last pico-dollar: a thousand interleaved calls', async () => {
  await using lab = await TrafficLab.open({ promptCache: true });
  const traffic = lab.traffic({ budget: { limitUsd: 100, ledger: ledger() } });
  const client = clientOf(lab, traffic);
  const random = seededRandom(5);
  const models = ['gpt-4o', 'gpt-4o-mini', 'gpt-4o'];
  await Promise.all(
    Array.from({ length: 1_000 }, (_, index) =>
      traffic.run(contextOf({ name: `case ${index % 40}` }), async () => {
        const model = models[Math.floor(random() * models.length)] ?? 'gpt-4o';
        const tier = model === 'gpt-4o' && random() < 0.3 ? { service_tier: 'flex' as const } : {};
        await client.chat.completions.create({
          model,
          max_tokens: 5,
          ...tier,
          messages: [{ role: 'user', content: `${index} `.repeat(1 + (index % 7)) }],
        });
      }),
    ),
  );
  await traffic.close();
  expect(traffic.total()).toMatchObject({ requests: 1_000, billedUsd: lab.sim.bill.totalUsdExact });
}, 60_000);

test('what cannot be bounded is not sent: unknown shape, unknown price, hosted tools, no limit', async () => {
  await using lab = await TrafficLab.open();
  const traffic = lab.traffic({ budget: { limitUsd: '0.05', ledger: ledger() } });
  const base = lab.sim.openaiBaseURL;
  const messages = [{ role: 'user', content: 'Hi' }];
  const post = async (path: string, body: unknown): Promise<string | undefined> => {
    const context = contextOf();
    const response = await traffic.run(context, () =>
      traffic.fetch(`${base}${path}`, { method: 'POST', body: JSON.stringify(body) }),
    );
    expect(response.status).toBe(400);
    expect(response.headers.get('x-should-retry')).toBe('false');
    return traffic.report(context)?.stop?.message;
  };
  expect(await post('/images/generations', { model: 'gpt-4o', prompt: 'x' })).toMatch(
    /images\/generations is no call whose cost can be bounded; .*--allow-host 127/,
  );
  expect(await post('/chat/completions', { model: 'acme-1', messages })).toMatch(
    /no price is known for acme-1; add it with --prices/,
  );
  expect(await post('/chat/completions', { messages })).toMatch(/names no model/);
  expect(await post('/chat/completions', { model: 'gpt-4o', messages })).toMatch(
    /sets no max_tokens may cost more than all of it/,
  );
  expect(
    await post('/responses', {
      model: 'gpt-4o',
      input: 'x',
      max_output_tokens: 5,
      tools: [{ type: 'web_search' }],
    }),
  ).toMatch(/web_search, which is billed by use/);
  expect(
    await post('/responses', { model: 'gpt-4o', input: 'x', max_output_tokens: 5, background: true }),
  ).toMatch(/in the background/);
  expect(
    await post('/chat/completions', {
      model: 'gpt-4o',
      messages,
      max_tokens: 5,
      modalities: ['text', 'audio'],
    }),
  ).toMatch(/cannot be bounded/);
  expect(lab.sim.requests).toHaveLength(0);
  await traffic.close();
});

test('a trial that was stopped spends nothing more, others go on', async () => {
  await using lab = await TrafficLab.open({ models: [dear], answers: () => tenTokens });
  const traffic = lab.traffic({ budget: { limitUsd: '0.05', ledger: ledger() }, prices });
  const client = clientOf(lab, traffic);
  const ask = (model: string, maxTokens: number): Promise<unknown> =>
    client.chat.completions.create({
      model,
      max_tokens: maxTokens,
      messages: [{ role: 'user', content: 'Hi' }],
    });
  const [stopped, other] = [contextOf(), contextOf({ name: 'b' })];
  await traffic.run(stopped, async () => {
    await ask('dear', 10);
    await expect(ask('dear', 10)).rejects.toThrow(/budget/);
    await expect(ask('gpt-4o-mini', 1)).rejects.toThrow(/budget/);
  });
  expect(traffic.report(stopped)).toMatchObject({ requests: 1, stop: { kind: 'budget' } });
  await traffic.run(other, () => ask('gpt-4o-mini', 1));
  expect(traffic.report(other)?.stop).toBeUndefined();
  await traffic.close();
  expect(lab.sim.requests).toHaveLength(2);
});

test('an answer that nobody reads is booked when its trial is over', async () => {
  await using lab = await TrafficLab.open();
  const budget = { limitUsd: 1, ledger: ledger() };
  const traffic = lab.traffic({ budget });
  const context = contextOf();
  await traffic.run(context, () =>
    traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer any' },
      body: JSON.stringify({ model: 'gpt-4o', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    }),
  );
  const report = traffic.report(context);
  await traffic.close();
  await lab.sim.idle();
  expect(report).toMatchObject({ requests: 1, unknownCost: 1 });
  expect(parseUsd(report?.billedUsd ?? '0')).toBeGreaterThanOrEqual(lab.sim.bill.totalPico);
  const [status] = budget.ledger.status([{ key: 'eval-run', window: { id: 'total' } }]);
  expect(status).toMatchObject({ held: 0n, committed: parseUsd(report?.billedUsd ?? '0') });
});

test('a case that had to stop cannot spend any more', async () => {
  await using lab = await TrafficLab.open();
  const traffic = lab.traffic();
  const over = new AbortController();
  over.abort(new Error('the case is over'));
  const send = (): Promise<Response> =>
    traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions`, { method: 'POST', body: '{}' });
  await expect(traffic.run(contextOf({ signal: over.signal }), send)).rejects.toThrow('the case is over');
  expect(lab.sim.requests).toHaveLength(0);
  await traffic.close();
});

test('what a case begins after it has returned is not part of it: the run counts it', async () => {
  await using lab = await TrafficLab.open();
  const traffic = lab.traffic({ budget: { limitUsd: 1, ledger: ledger() } });
  const context = contextOf();
  const client = clientOf(lab, traffic);
  const ask = (): PromiseLike<unknown> =>
    client.chat.completions.create({
      model: 'gpt-4o',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hi' }],
    });
  await traffic.run(context, ask);
  const { billedUsd } = traffic.report(context) ?? {};
  await traffic.run(context, ask);
  expect(Number(billedUsd)).toBeGreaterThan(0);
  expect(traffic.total()).toMatchObject({ requests: 2, billedUsd: lab.sim.bill.totalUsdExact });
  expect(lab.sim.bill.totalUsd).toBeCloseTo(2 * Number(billedUsd), 12);
  await traffic.close();
});

test('requests that go past fetch are stopped before they are sent', async () => {
  await using lab = await TrafficLab.open();
  const early = new OpenAI({ baseURL: lab.sim.openaiBaseURL, apiKey: 'any', maxRetries: 0 });
  const providers = { [lab.sim.openaiBaseURL]: 'openai' };
  for (const options of [
    { budget: { limitUsd: 1, ledger: ledger() }, providers },
    { mode: 'replay', providers } as const,
  ]) {
    const traffic = lab.traffic(options);
    const restore = traffic.install();
    const [first, second] = [contextOf(), contextOf({ name: 'b' })];
    const node = await traffic.run(first, () => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      get(`${lab.sim.openaiBaseURL}/models`, resolve).on('error', resolve);
      return promise;
    });
    expect(String(node)).toMatch(/did not go through fetch/);
    await traffic.run(second, () => expect(early.models.list()).rejects.toThrow(/Connection error/));
    const gateway = early.withOptions({ baseURL: `http://localhost:${lab.sim.port}/v1` });
    const asking = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hi' }] };
    await traffic.run(second, () =>
      expect(gateway.chat.completions.create(asking)).rejects.toThrow(/Connection error/),
    );
    restore();
    for (const context of [first, second])
      expect(traffic.report(context)?.stop).toMatchObject({ kind: 'blocked' });
    await traffic.close();
  }
  expect(lab.sim.requests).toHaveLength(0);
  await early.models.list();
  expect(lab.sim.requests).toHaveLength(1);
});

test('so are those over HTTP/2, and no server hears what they ask', async () => {
  await using lab = await TrafficLab.open();
  const heard: string[] = [];
  const server = createServer().on('stream', (stream) => {
    stream.on('error', () => {}).on('data', (chunk) => heard.push(String(chunk)));
    stream.on('end', () => stream.respond({ ':status': 200 }, { endStream: true }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const session = connect(`http://${host}`);
  const post = (body: string, headers: Record<string, string>): Promise<unknown> => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    session
      .request({ ':method': 'POST', ...headers })
      .on('error', resolve)
      .on('response', resolve)
      .end(body);
    return promise;
  };
  const traffic = lab.traffic({
    budget: { limitUsd: 1, ledger: ledger() },
    providers: { [`http://${host}/paid`]: 'openai' },
  });
  const restore = traffic.install();
  // The first finds no connection yet, the others do; a name in ":authority" counts where there is one.
  for (const headers of [
    { ':path': '/v1/chat/completions' },
    { ':path': '/v1/chat/completions' },
    { ':path': '/paid/models' },
    { ':path': '/anything', ':authority': 'api.openai.com', ':scheme': 'https' },
  ]) {
    const context = contextOf();
    const error = await traffic.run(context, () => post('secret', headers));
    expect(String(error)).toMatch(/did not go through fetch/);
    expect(traffic.report(context)?.stop).toMatchObject({ kind: 'blocked' });
  }
  expect(await post('other', { ':path': '/other' })).toMatchObject({ ':status': 200 });
  restore();
  await traffic.close();
  expect(await post('after', { ':path': '/v1/chat/completions' })).toMatchObject({ ':status': 200 });
  expect(heard).toEqual(['other', 'after']);
  session.close();
  server.close();
});

test('allowed hosts and reading go through', async () => {
  await using lab = await TrafficLab.open();
  const host = new URL(lab.sim.openaiBaseURL).host;
  const free = lab.traffic({ budget: { limitUsd: '0.0001', ledger: ledger() }, allowHosts: [host] });
  await clientOf(lab, free).chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(free.total()).toMatchObject({ requests: 0, billedUsd: '0' });
  await free.close();
  const tight = lab.traffic({ budget: { limitUsd: '0.0001', ledger: ledger() } });
  await clientOf(lab, tight).models.list();
  await tight.close();
  expect(lab.sim.requests).toHaveLength(2);
});

test('a limiter bounds how many requests are out, and hears of 429s; what waits for it costs nothing', async () => {
  let [out, most] = [0, 0];
  const over = new AbortController();
  await using lab = await TrafficLab.open({
    latencyMs: 3,
    onRequest() {
      out--;
      over.abort(); // at the first answer: those at the end of the queue have not been sent
    },
  });
  const limiter = new ProviderLimiter({ max: 2 });
  const traffic = lab.traffic({
    limiter,
    budget: { limitUsd: 1, ledger: ledger() },
    fetch: (input, init) => {
      most = Math.max(most, ++out);
      return fetch(input, init);
    },
  });
  const client = clientOf(lab, traffic);
  const ask = (signal?: AbortSignal): Promise<unknown> =>
    client.chat.completions.create(
      { model: 'gpt-4o', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] },
      { ...(signal && { signal }) },
    );
  await Promise.all([
    ...Array.from({ length: 20 }, () => traffic.run(contextOf(), () => ask())),
    ...Array.from({ length: 5 }, (_, index) =>
      traffic.run(contextOf({ name: `left ${index}` }), () =>
        ask(over.signal).catch(() => over.signal.reason),
      ),
    ),
  ]);
  expect(most).toBeLessThanOrEqual(2);
  lab.sim.fail(faults.rateLimited({ retryAfter: 0 }));
  await expect(traffic.run(contextOf(), () => ask())).rejects.toThrow(/429/);
  expect(limiter.limitOf(new URL(lab.sim.openaiBaseURL).host)).toBe(1);
  await traffic.close();
  expect(traffic.total().billedUsd).toBe(lab.sim.bill.totalUsdExact);
});
