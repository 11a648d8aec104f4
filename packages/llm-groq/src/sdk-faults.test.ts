import { ProviderError } from '@synapsekit/core';
import { type Fault, faults, SimulatedProvider } from '@synapsekit/testing';
import { Groq } from 'groq-sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { GroqLLM } from './groq-llm.ts';

/**
 * The faults that were measured on the official SDK (groq-sdk 1.6), one by one: where it misleads by itself ("raw"),
 * and what the adapter makes of it.
 */

let simulated: SimulatedProvider;
let llm: GroqLLM;
let sdk: Groq;

beforeAll(async () => {
  simulated = await SimulatedProvider.start();
  const baseURL = simulated.groqBaseURL;
  llm = new GroqLLM({ model: 'llama-3.1-8b-instant', baseURL, apiKey: 'gsk_test' });
  sdk = new Groq({ baseURL, apiKey: 'gsk_test', maxRetries: 0, logLevel: 'off' });
});
afterEach(async () => {
  await simulated.idle();
  simulated.reset();
});
afterAll(() => simulated.close());

const raw = { model: 'llama-3.1-8b-instant', messages: [{ role: 'user' as const, content: 'Hi' }] };

async function readRaw(options: { signal?: AbortSignal; onChunk?: () => void } = {}): Promise<string> {
  let text = '';
  for await (const chunk of await sdk.chat.completions.create({ ...raw, stream: true }, options)) {
    text += chunk.choices[0]?.delta.content ?? '';
    if (text !== '') options.onChunk?.();
  }
  return text;
}

async function failure(run: () => PromiseLike<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const startedMs = performance.now();
  const error = await Promise.resolve(run()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, tookMs: performance.now() - startedMs };
}

test.each([
  ['T1 3 s', '3', 3_000],
  ['T2 100 s', '100', 100_000],
  ['T3 3,000,000 s', '3000000', 2_147_483_647],
  ['T4 "soon"', 'soon', undefined],
  ['T5 a date that is past', 'Mon, 01 Jan 2001 00:00:00 GMT', 0],
])('%s of Retry-After is passed on, not slept', async (_, retryAfter, retryAfterMs) => {
  simulated.fail(faults.rateLimited({ retryAfter }));
  const { error, tookMs } = await failure(() => llm.generate('Hi'));
  expect(error).toMatchObject({ kind: 'rate-limit', retryAfterMs });
  expect(tookMs).toBeLessThan(1_000);
  expect(simulated.requests).toHaveLength(1);
});

test.each([408, 409, 429, 498, 500, 503, 529])('T7 status %i is asked for once', async (status) => {
  simulated.fail(faults.status(status), { times: 9 });
  const { error } = await failure(() => llm.generate('Hi'));
  expect(error).toBeInstanceOf(ProviderError);
  expect(simulated.requests).toHaveLength(1);
});

test('T8 an empty account is asked once, and told from a rate limit', async () => {
  simulated.fail(faults.outOfQuota(), { times: 9 });
  expect((await failure(() => llm.generate('Hi'))).error).toMatchObject({ kind: 'quota' });
  expect(simulated.requests).toHaveLength(1);
});

test('T9 a stream that just ends: the SDK ends normally, the adapter does not', async () => {
  simulated.fail(faults.endAfter(3), { times: 2 });
  expect(await readRaw()).not.toBe('');
  expect((await failure(() => llm.stream('Hi').result)).error).toMatchObject({
    kind: 'truncated',
    emitted: true,
  });
});

test('T10 a socket that is destroyed: the SDK throws no error of its own', async () => {
  simulated.fail(faults.resetAfter(3), { times: 2 });
  const { error } = await failure(() => readRaw());
  expect(error).toBeInstanceOf(TypeError);
  expect(error).not.toBeInstanceOf(Groq.APIError);
  expect((await failure(() => llm.stream('Hi').result)).error).toMatchObject({
    kind: 'connection',
    emitted: true,
  });
});

test('T11 a stream that stalls is left in time', async () => {
  simulated.fail(faults.stall(3));
  const { error } = await failure(() => llm.stream('Hi', { idleTimeoutMs: 30 }).result);
  expect(error).toMatchObject({ code: 'timeout', phase: 'idle' });
});

test('T12 an error within a stream has no status, and a kind all the same', async () => {
  simulated.fail(faults.errorAfter(3, 'rate_limit_exceeded'), { times: 2 });
  expect((await failure(() => readRaw())).error).toMatchObject({ status: undefined });
  expect((await failure(() => llm.stream('Hi').result)).error).toMatchObject({
    kind: 'rate-limit',
    status: undefined,
    providerCode: 'rate_limit_exceeded',
  });
});

test('T13 an abort within a stream: the SDK ends normally, the adapter does not', async () => {
  simulated.fail(faults.stall(3), { times: 2 });
  const [first, second] = [new AbortController(), new AbortController()];
  expect(await readRaw({ signal: first.signal, onChunk: () => setTimeout(() => first.abort(), 5) })).not.toBe(
    '',
  );
  const { error } = await failure(async () => {
    for await (const _ of llm.stream('Hi', { signal: second.signal }))
      setTimeout(() => second.abort('reason'), 5);
  });
  expect(error).toBe('reason');
});

test('T14 a body that stalls is left in time', async () => {
  simulated.fail(faults.stall('midway'));
  const { error, tookMs } = await failure(() => llm.generate('Hi', { timeoutMs: 30 }));
  expect(error).toMatchObject({ code: 'timeout', phase: 'total' });
  expect(tookMs).toBeLessThan(1_000);
});

test.each<[string, Fault]>([
  ['T17 {}', faults.emptyObject()],
  ['T18 a web page', faults.html()],
])('%s with status 200: the SDK resolves, the adapter does not', async (_, fault) => {
  simulated.fail(fault, { times: 2 });
  await expect(sdk.chat.completions.create(raw)).resolves.toBeDefined();
  expect((await failure(() => llm.generate('Hi'))).error).toMatchObject({
    kind: 'malformed',
    status: undefined,
  });
});
