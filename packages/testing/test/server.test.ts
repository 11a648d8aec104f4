import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { expect, test, vi } from 'vitest';
import { faults, ManualClock, SimulatedProvider, type SimulatedRequest } from '../src/index.ts';
import { ask, post, start } from './clients.ts';

test('a thousand requests at once, to both providers, plain and streamed, are all served and billed', async () => {
  const { sim } = await start();
  const calls = Array.from({ length: 1_000 }, async (_, i) => {
    const [provider, model] = i % 2 === 0 ? ['openai', 'gpt-4o-mini'] : ['groq', 'llama-3.1-8b-instant'];
    const response = await post(sim, { ...ask(`What is ${i} + 1?`, model), stream: i % 4 < 2 }, provider);
    const content = [...(await response.text()).matchAll(/"content":"([^"]*)"/g)];
    return content.map(([, piece]) => piece).join('');
  });
  const texts = await Promise.all(calls);
  expect(texts).toEqual(texts.map((_, i) => `${i} + 1 = ${i + 1}.`));
  expect(sim.requests).toHaveLength(1_000);
  expect(sim.bill.entries).toHaveLength(1_000);
  expect(new Set(sim.bill.entries.map(({ requestId }) => requestId)).size).toBe(1_000);
});

test('the environment is enough for the official clients', async () => {
  const { sim } = await start({ apiKeys: ['secret'] });
  for (const [name, value] of Object.entries(sim.env)) vi.stubEnv(name, value);
  const { default: Groq } = await import('groq-sdk');
  const openai = await new OpenAI().chat.completions.create(ask('What is 2 + 2?'));
  const groq = await new Groq().chat.completions.create(ask('What is 2 + 2?', 'llama-3.1-8b-instant'));
  expect([openai, groq].map(({ choices }) => choices[0]?.message.content)).toEqual([
    '2 + 2 = 4.',
    '2 + 2 = 4.',
  ]);
});

test('retries of an SDK are counted', async () => {
  const { sim } = await start();
  const openai = new OpenAI({ baseURL: sim.openaiBaseURL, apiKey: 'k', maxRetries: 2 });
  sim.fail(faults.rateLimited({ headers: { 'retry-after-ms': '1' } }), { times: 2 });
  await openai.chat.completions.create(ask('x'));
  expect(sim.requests.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
    [1, 'refused'],
    [2, 'refused'],
    [3, 'answered'],
  ]);
});

test('latency and chunk delays pass on the injected clock', async () => {
  const clock = new ManualClock({ wallMs: Date.UTC(2026, 10, 23) });
  const { sim } = await start({
    clock,
    latencyMs: ({ model }) => (model === 'gpt-4o' ? 300 : 0),
    chunkDelayMs: 50,
  });
  let served = false;
  const call = post(sim, ask('What is 2 + 2?', 'gpt-4o')).then((response) => {
    served = true;
    return response;
  });
  await expect.poll(() => clock.pending, { interval: 1 }).toBe(1);
  await clock.advance(299);
  expect(served).toBe(false);
  await clock.advance(1);
  const response = await call;
  expect(response.headers.get('date')).toBe('Mon, 23 Nov 2026 00:00:00 GMT');
  expect(response.headers.get('openai-processing-ms')).toBe('300');
  expect(sim.requests[0]?.endedAtMs).toBe(Date.UTC(2026, 10, 23) + 300);

  const stream = await post(sim, { ...ask('x'), stream: true });
  await expect.poll(() => clock.pending, { interval: 1 }).toBe(1);
  await clock.advance(50);
  await expect.poll(() => sim.requests[1]?.sentText.length, { interval: 1 }).toBeGreaterThan(0);
  expect(sim.requests[1]?.outcome).toBe('running');
  await stream.body?.cancel();
});

test('listeners hear of every request when it is over, until they stop', async () => {
  const heard: string[] = [];
  const hear = (request: SimulatedRequest): void =>
    void heard.push(`${request.model} ${request.outcome} ${request.status}`);
  const { sim } = await start({ onRequest: hear });
  const stop = sim.onRequest(hear);
  await post(sim, ask('x'));
  await sim.idle();
  stop();
  sim.fail(faults.rateLimited());
  await post(sim, ask('x'));
  await sim.idle();
  expect(heard).toEqual(['gpt-4o-mini answered 200', 'gpt-4o-mini answered 200', 'gpt-4o-mini refused 429']);
});

test('a reset forgets requests, bill, answers and faults', async () => {
  const { sim } = await start();
  await post(sim, ask('x'));
  sim.answerNext('queued');
  const fault = sim.fail(faults.serverError());
  sim.reset();
  expect([sim.requests.length, sim.bill.totalPico, sim.bill.entries.length, fault.active]).toEqual([
    0,
    0n,
    0,
    false,
  ]);
  expect(await (await post(sim, ask('What is 2 + 2?'))).text()).toContain('2 + 2 = 4.');
  expect(sim.requests[0]?.index).toBe(1);
});

test('only so many records are kept, and totals count all', async () => {
  const { sim } = await start({ maxRecords: 2 });
  for (let i = 0; i < 5; i++) await post(sim, ask('What is 2 + 2?'));
  expect([sim.requests.length, sim.bill.entries.length, sim.requests[0]?.index]).toEqual([2, 2, 4]);
  expect(sim.bill.totalPico).toBe(5n * 7_050_000n);
  expect(sim.bill.byModel['gpt-4o-mini']?.requests).toBe(5);
});

test('it describes itself', async () => {
  const { sim } = await start();
  expect(sim.describe()).toContain(`http://127.0.0.1:${sim.port}/v1`);
  expect(sim.describe()).toContain('llama-3.1-8b-instant     $0.05 / $0.08');
});

test('wrong options are refused before anything is started', async () => {
  const refused = async (options: object, message: string): Promise<void> =>
    expect(SimulatedProvider.start(options)).rejects.toThrow(message);
  await refused({ prot: 1 }, 'no option "prot"');
  await refused({ port: 70_000 }, 'port must be');
  await refused({ latencyMs: -1 }, 'latencyMs');
  await refused({ answers: 'one' }, 'answers must be');
  await refused({ answers: [{ txt: 'x' }] }, 'no option "txt"');
  await refused({ answers: [{ text: 'x', finishReason: 'done' }] }, 'finishReason must be one of');
  await refused({ answers: [{ text: 'x', usage: { inputTokens: 1.5 } }] }, 'inputTokens');
  await refused({ answers: [{ toolCalls: [{ name: '' }] }] }, 'needs the name of the tool');
  await refused({ apiKeys: [] }, 'apiKeys');
  await refused({ maxRecords: 0 }, 'maxRecords');
  const model = { provider: 'openai', id: 'm', inputUsdPerMillion: 1, outputUsdPerMillion: 1 };
  await refused({ models: [{ ...model, inputUsdPerMillion: '0.0000001' }] }, 'whole pico-dollars per token');
  await refused({ models: [{ ...model, provider: 'acme' }] }, 'provider must be one of');
  await refused({ models: [{ ...model, id: ' ' }] }, 'needs an id');
  await refused({ models: [{ ...model, shutdownDate: 'soon' }] }, 'shutdownDate');
  await refused({ models: [{ ...model, contextWindow: 0 }] }, 'contextWindow');
  await refused({ models: [{ ...model, tiers: { flex: { price: 1 } } }] }, 'no option "price"');
  const { sim } = await start();
  await refused({ port: sim.port }, `Port ${sim.port}`);
});

test('after a close nothing keeps the process alive, whatever was going on', async () => {
  const script = `
    import { SimulatedProvider, faults } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    const sim = await SimulatedProvider.start({ chunkDelayMs: 60_000 });
    const chat = (body) => fetch(sim.openaiBaseURL + '/chat/completions', {
      method: 'POST', headers: { authorization: 'Bearer k' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }], ...body }),
    });
    await (await chat({})).text();
    await chat({ stream: true });
    sim.fail(faults.stall('headers'));
    const stalled = chat({}).catch(() => 'stalled');
    while (sim.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await sim.close();
    await sim.close();
    console.log(await stalled, sim.requests.map(({ outcome }) => outcome).join(' '));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 5_000,
  });
  expect(stdout.trim()).toBe('stalled answered aborted aborted');
});
