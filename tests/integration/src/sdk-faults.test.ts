import { type LLM, ProviderError } from '@synapsekit/core';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { type Fault, faults, SimulatedProvider } from '@synapsekit/testing';
import { Groq } from 'groq-sdk';
import { OpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

/**
 * The faults that were measured on the official SDKs (openai 7.57, groq-sdk 1.6), one by one: where they mislead by
 * themselves ("raw"), and what the adapters make of it.
 */
const adapters = {
  openai: {
    model: 'gpt-4o-mini',
    sdkError: OpenAI.APIError,
    create({ openaiBaseURL: baseURL }: SimulatedProvider): { sdk: OpenAI | Groq; llm: LLM } {
      const key = { baseURL, apiKey: 'sk-test' };
      return {
        sdk: new OpenAI({ ...key, maxRetries: 0, logLevel: 'off' }),
        llm: new OpenAILLM({ ...key, model: 'gpt-4o-mini' }),
      };
    },
  },
  'groq-sdk': {
    model: 'llama-3.1-8b-instant',
    sdkError: Groq.APIError,
    create({ groqBaseURL: baseURL }: SimulatedProvider): { sdk: OpenAI | Groq; llm: LLM } {
      const key = { baseURL, apiKey: 'gsk_test' };
      return {
        sdk: new Groq({ ...key, maxRetries: 0, logLevel: 'off' }),
        llm: new GroqLLM({ ...key, model: 'llama-3.1-8b-instant' }),
      };
    },
  },
};

describe.each(Object.entries(adapters))('%s', (_name, { model, sdkError, create }) => {
  let simulated: SimulatedProvider;
  let llm: LLM;
  let sdk: OpenAI;

  beforeAll(async () => {
    simulated = await SimulatedProvider.start();
    const made = create(simulated);
    llm = made.llm;
    sdk = made.sdk as OpenAI; // one wire: what is called here is the same in both
  });
  afterEach(async () => {
    await simulated.idle();
    simulated.reset();
  });
  afterAll(() => simulated.close());

  const raw = { model, messages: [{ role: 'user' as const, content: 'Hi' }] };

  async function readRaw(options: { signal?: AbortSignal; onChunk?: () => void } = {}): Promise<string> {
    let text = '';
    for await (const chunk of await sdk.chat.completions.create({ ...raw, stream: true }, options)) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (text !== '') options.onChunk?.();
    }
    return text;
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
    expect(error).not.toBeInstanceOf(sdkError);
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
    expect(
      await readRaw({ signal: first.signal, onChunk: () => setTimeout(() => first.abort(), 5) }),
    ).not.toBe('');
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
    // For these two only: what T14 gave up may get to the provider after its own time.
    const where = ({ body }: { readonly body: unknown }) => JSON.stringify(body).includes('Odd');
    simulated.fail(fault, { times: 2, where });
    const odd = { ...raw, messages: [{ role: 'user' as const, content: 'Odd' }] };
    await expect(sdk.chat.completions.create(odd)).resolves.toBeDefined();
    expect((await failure(() => llm.generate('Odd'))).error).toMatchObject({
      kind: 'malformed',
      status: undefined,
    });
  });
});

async function failure(run: () => PromiseLike<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const startedMs = performance.now();
  const error = await Promise.resolve(run()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, tookMs: performance.now() - startedMs };
}

test('a reasoning model is asked with the parameters that it accepts', async () => {
  const simulated = await SimulatedProvider.start();
  try {
    const { openaiBaseURL: baseURL } = simulated;
    const llm = new OpenAILLM({ model: 'o4-mini', baseURL, config: { temperature: 0.2, maxTokens: 500 } });
    const { text } = await llm.generate('What is 2 + 2?', { topP: 0.5, stop: ['X'], logprobs: true });
    expect(text).toContain('4');
    expect(simulated.requests[0]?.body).toMatchObject({ max_completion_tokens: 500 });
  } finally {
    await simulated.close();
  }
});
