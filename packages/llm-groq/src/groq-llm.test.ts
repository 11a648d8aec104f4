import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ConfigError } from '@synapsekit/core';
import { SimulatedProvider } from '@synapsekit/testing';
import { Groq } from 'groq-sdk';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GroqLLM, type GroqLLMOptions } from './groq-llm.ts';
import { groqCapabilities, groqDialect } from './models.ts';

const completion = {
  id: 'chatcmpl-1',
  model: 'm-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
};

/** Answers everything, and notes what was sent where. */
function fakeFetch() {
  const requests: { url: string; headers: Headers; body: Record<string, unknown> }[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push({
      url: String(input),
      headers: new Headers(init?.headers),
      body: JSON.parse(String(init?.body)) as Record<string, unknown>,
    });
    return Response.json(completion);
  };
  return { fetch, requests };
}

const model = 'llama-3.1-8b-instant';

beforeEach(() => {
  for (const name of ['GROQ_API_KEY', 'GROQ_BASE_URL']) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

test('is a model with a name for people', () => {
  expect(new GroqLLM({ model })).toMatchObject({ provider: 'groq', model, id: 'groq/llama-3.1-8b-instant' });
  expect(new GroqLLM({ model: 'openai/gpt-oss-20b' }).id).toBe('groq/openai/gpt-oss-20b');
});

test.each<[string, object]>([
  ['no model', {}],
  ['an unknown option', { model, retries: 3 }],
  ['a wrong configuration', { model, config: { maxTokens: 0 } }],
  ['a base URL that is none', { model, baseURL: 'api.groq.com' }],
  ['a client that is none', { model, client: {} }],
])('refuses %s', (_, options) => {
  expect(() => new GroqLLM(options as GroqLLMOptions)).toThrow(ConfigError);
});

test('reads key and base URL at the first call, not before', async () => {
  const { fetch, requests } = fakeFetch();
  const llm = new GroqLLM({ model, fetch });
  vi.stubEnv('GROQ_API_KEY', 'gsk_environment');
  vi.stubEnv('GROQ_BASE_URL', 'https://gateway.example');
  await llm.generate('Hi');
  expect(requests[0]?.url).toBe('https://gateway.example/openai/v1/chat/completions');
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer gsk_environment');
});

test.each([
  ['https://api.groq.com'],
  ['https://api.groq.com/'],
  ['https://api.groq.com/openai/v1'],
  ['https://api.groq.com/openai/v1/'],
])('takes the base URL %s as it is at hand', async (baseURL) => {
  const { fetch, requests } = fakeFetch();
  await new GroqLLM({ model, baseURL, apiKey: 'gsk_given', fetch }).generate('Hi');
  expect(requests[0]?.url).toBe('https://api.groq.com/openai/v1/chat/completions');
});

test.each(['junk', 'ftp://host/v1', 'https://me:secret@host/v1'])(
  'a base URL in the environment that is none (%s) is refused before anything is sent',
  async (url) => {
    const { fetch, requests } = fakeFetch();
    vi.stubEnv('GROQ_API_KEY', 'gsk_key');
    vi.stubEnv('GROQ_BASE_URL', url);
    const error = await new GroqLLM({ model, fetch }).generate('Hi').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain('GROQ_BASE_URL');
    expect(String(error)).not.toContain('secret');
    expect(requests).toEqual([]);
  },
);

test('a missing key says which variable, where to get one and how it begins', async () => {
  const outcomes: string[] = [];
  const call = new GroqLLM({ model }).generate('Hi', { onAttempt: ({ outcome }) => outcomes.push(outcome) });
  await expect(call).rejects.toThrow(/GROQ_API_KEY.*https:\/\/console\.groq\.com\/keys.*"gsk_"/);
  expect(outcomes).toEqual(['unsent']);
});

test('uses a configured client as it is', async () => {
  const { fetch, requests } = fakeFetch();
  const client = new Groq({ apiKey: 'gsk_mine', baseURL: 'https://mine.example', fetch });
  expect((await new GroqLLM({ model, client }).generate('Hi')).text).toBe('Hi');
  expect(requests[0]?.url).toBe('https://mine.example/openai/v1/chat/completions');
});

test('reasoning models think, and show their thoughts apart', async () => {
  await using simulated = await SimulatedProvider.start();
  const config = { temperature: 0.6, maxTokens: 400 };
  const llm = new GroqLLM({ model: 'openai/gpt-oss-20b', config, baseURL: simulated.groqBaseURL });
  const { text, reasoningText, usage } = await llm.generate('What is 2 + 2?', { reasoningEffort: 'low' });
  expect(text).toContain('4');
  expect(reasoningText).toBeTruthy();
  expect(usage.reasoningTokens).toBeGreaterThan(0);
  expect(simulated.requests[0]?.body).toMatchObject({
    temperature: 0.6,
    max_completion_tokens: 400,
    reasoning_effort: 'low',
  });
});

test('knows what the models accept and can do', () => {
  expect(groqDialect('llama-3.3-70b-versatile')).toEqual({
    maxTokensField: 'max_completion_tokens',
    strictSchemas: false,
  });
  expect(groqDialect('openai/gpt-oss-120b')).toMatchObject({ strictSchemas: true });
  for (const thinker of ['qwen/qwen3-32b', 'qwen/qwen3.8-27b', 'deepseek-r1-distill-llama-70b']) {
    expect(groqDialect(thinker)).toMatchObject({ extraBody: { reasoning_format: 'parsed' } });
  }
  expect(groqCapabilities('llama-3.1-8b-instant')).toEqual({
    contextWindow: 131_072,
    maxOutputTokens: 131_072,
    tools: true,
    images: false,
    jsonSchema: false,
    logprobs: false,
  });
  expect(groqCapabilities('toString')).toBeUndefined();
});

test('nothing is loaded before it is needed, and what is missing then is named', async () => {
  // A process of its own, in which the SDK cannot be found.
  const script = `
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve(specifier, context, next) {
        if (!/^(groq-sdk|gpt-tokenizer)/.test(specifier)) return next(specifier, context);
        throw Object.assign(new Error("Cannot find package 'groq-sdk' imported from x"), { code: 'ERR_MODULE_NOT_FOUND' });
      },
    });
    const { GroqLLM } = await import('@synapsekit/llm-groq');
    const llm = new GroqLLM({ model: 'llama-3.1-8b-instant', apiKey: 'gsk_x' });
    await llm.generate('Hi').catch((error) => console.log(error.name, error.message));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
  });
  expect(stdout.trim()).toMatch(/^ConfigError .*"groq-sdk" is not installed.*npm install groq-sdk$/);
});
