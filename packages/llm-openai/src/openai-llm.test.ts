import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ConfigError, type LLMConfig } from '@synapsekit/core';
import { SimulatedProvider } from '@synapsekit/testing';
import { OpenAI } from 'openai';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OpenAILLM, type OpenAILLMOptions } from './openai-llm.ts';

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

beforeEach(() => {
  for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_ORG_ID', 'OPENAI_PROJECT_ID']) {
    vi.stubEnv(name, undefined);
  }
});
afterEach(() => vi.unstubAllEnvs());

test('is a model with a name for people', () => {
  expect(new OpenAILLM({ model: 'gpt-4o' })).toMatchObject({
    provider: 'openai',
    model: 'gpt-4o',
    id: 'gpt-4o',
  });
  const local = new OpenAILLM({
    model: 'llama3.2',
    provider: 'ollama',
    baseURL: 'http://localhost:11434/v1',
  });
  expect(local).toMatchObject({ provider: 'ollama', id: 'ollama/llama3.2' });
  expect(local.capabilities).toBeUndefined();
  expect(new OpenAILLM({ model: 'gpt-4o', id: 'big' }).id).toBe('big');
});

test.each<[string, object]>([
  ['no model', {}],
  ['an empty model', { model: ' ' }],
  ['an unknown option', { model: 'm', retries: 3 }],
  ['an unknown part of the configuration', { model: 'm', config: { max_tokens: 3 } }],
  ['a temperature that is none', { model: 'm', config: { temperature: Number.NaN } }],
  ['a negative time limit', { model: 'm', config: { timeoutMs: -1 } }],
  ['a key that is no text', { model: 'm', apiKey: 7 }],
  ['a base URL that is none', { model: 'm', baseURL: 'localhost:11434' }],
  ['a base URL with a password', { model: 'm', baseURL: 'http://me:secret@localhost/v1' }],
  ['another provider without its address', { model: 'm', provider: 'ollama' }],
  ['a client that is none', { model: 'm', client: {} }],
  ['a client and a key', { model: 'm', client: new OpenAI({ apiKey: 'k' }), apiKey: 'k' }],
  ['a fetch that is none', { model: 'm', fetch: 'fetch' }],
  ['a dialect with an unknown word', { model: 'm', dialect: { maxTokens: 'x' } }],
  ['a header that is none', { model: 'm', attemptIdHeader: 'a b' }],
])('refuses %s', (_, options) => {
  let error: unknown;
  try {
    new OpenAILLM(options as OpenAILLMOptions);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).not.toContain('secret');
});

test('reads key and base URL at the first call, not before', async () => {
  const { fetch, requests } = fakeFetch();
  const llm = new OpenAILLM({ model: 'gpt-4o', fetch });
  vi.stubEnv('OPENAI_API_KEY', ' sk-from-the-environment\n');
  vi.stubEnv('OPENAI_BASE_URL', 'https://gateway.example/v1');
  await llm.generate('Hi');
  expect(requests[0]?.url).toBe('https://gateway.example/v1/chat/completions');
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer sk-from-the-environment');
});

test.each(['junk', 'ftp://host/v1', 'https://me:secret@host/v1'])(
  'a base URL in the environment that is none (%s) is refused before anything is sent',
  async (url) => {
    const { fetch, requests } = fakeFetch();
    vi.stubEnv('OPENAI_API_KEY', 'sk-key');
    vi.stubEnv('OPENAI_BASE_URL', url);
    const error = await new OpenAILLM({ model: 'gpt-4o', fetch })
      .generate('Hi')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain('OPENAI_BASE_URL');
    expect(String(error)).not.toContain('secret');
    expect(requests).toEqual([]);
  },
);

test('a key that is given goes before the environment', async () => {
  const { fetch, requests } = fakeFetch();
  vi.stubEnv('OPENAI_API_KEY', 'sk-from-the-environment');
  await new OpenAILLM({ model: 'gpt-4o', apiKey: 'sk-given', fetch }).generate('Hi');
  expect(requests[0]?.url).toBe('https://api.openai.com/v1/chat/completions');
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer sk-given');
});

test('a missing key says which variable, where to get one and how it begins; one that comes later is used', async () => {
  const { fetch, requests } = fakeFetch();
  const llm = new OpenAILLM({ model: 'gpt-4o', fetch });
  const outcomes: string[] = [];
  const call = () => llm.generate('Hi', { onAttempt: ({ outcome }) => outcomes.push(outcome) });
  await expect(call()).rejects.toThrow(/OPENAI_API_KEY.*https:\/\/platform\.openai\.com\/api-keys.*"sk-"/);
  await expect(llm.stream('Hi').result).rejects.toThrow(ConfigError);
  expect(requests).toEqual([]);
  vi.stubEnv('OPENAI_API_KEY', 'sk-late');
  await call();
  expect(outcomes).toEqual(['unsent', 'served']);
});

test('a key with a line break in it is refused without being shown', async () => {
  const llm = new OpenAILLM({ model: 'gpt-4o', apiKey: 'sk-first\nsecond' });
  const error = await llm.generate('Hi').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).not.toMatch(/first|second/);
});

test('OpenAI in Europe needs a key, too; a host of one’s own needs none', async () => {
  const { fetch, requests } = fakeFetch();
  const call = (baseURL: string) => new OpenAILLM({ model: 'gpt-4o', baseURL, fetch }).generate('Hi');
  await expect(call('https://eu.api.openai.com/v1')).rejects.toThrow(/OPENAI_API_KEY/);
  await call('http://localhost:11434/v1');
  expect(requests.map(({ url }) => url)).toEqual(['http://localhost:11434/v1/chat/completions']);
});

test('what is meant for OpenAI is never sent to another provider', async () => {
  const { fetch, requests } = fakeFetch();
  vi.stubEnv('OPENAI_API_KEY', 'sk-for-openai');
  vi.stubEnv('OPENAI_ADMIN_KEY', 'sk-admin');
  vi.stubEnv('OPENAI_ORG_ID', 'org-secret');
  vi.stubEnv('OPENAI_PROJECT_ID', 'proj-secret');
  vi.stubEnv('OPENAI_BASE_URL', 'https://gateway.example/v1');
  vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'X-Gateway-Token: secret\nX-Other: secret');
  const baseURL = 'http://localhost:11434/v1';
  await new OpenAILLM({ model: 'llama3.2', provider: 'ollama', baseURL, fetch }).generate('Hi');
  await new OpenAILLM({ model: 'llama3.2', provider: 'vllm', baseURL, apiKey: 'own', fetch }).generate('Hi');
  const [first, second] = requests;
  expect(first?.url).toBe(`${baseURL}/chat/completions`);
  expect(first?.headers.get('authorization')).toBe('Bearer none');
  expect(second?.headers.get('authorization')).toBe('Bearer own');
  expect(JSON.stringify([...(first?.headers ?? [])])).not.toMatch(/secret|sk-/);
});

test('uses a configured client as it is', async () => {
  const { fetch, requests } = fakeFetch();
  const client = new OpenAI({
    apiKey: 'sk-mine',
    baseURL: 'https://mine.example/v1',
    fetch,
    defaultHeaders: { 'x-mine': '1' },
  });
  const llm = new OpenAILLM({ model: 'gpt-4o', client });
  expect((await llm.generate('Hi')).text).toBe('Hi');
  expect(requests[0]?.headers.get('x-mine')).toBe('1');
  expect(requests[0]?.url).toBe('https://mine.example/v1/chat/completions');
});

test('makes one client for all calls', async () => {
  const { fetch, requests } = fakeFetch();
  const llm = new OpenAILLM({ model: 'gpt-4o', apiKey: 'sk-once', fetch });
  const first = llm.generate('Hi');
  vi.stubEnv('OPENAI_BASE_URL', 'https://too-late.example/v1');
  await Promise.all([first, llm.generate('Hi'), llm.stream('Hi').result.catch(() => {})]);
  expect(new Set(requests.map(({ url }) => new URL(url).host))).toEqual(new Set(['api.openai.com']));
});

test('sends the id of the attempt where somebody wants to see it', async () => {
  const { fetch, requests } = fakeFetch();
  const llm = new OpenAILLM({ model: 'gpt-4o', apiKey: 'k', fetch, attemptIdHeader: 'x-synapsekit-attempt' });
  const { usage } = await llm.generate('Hi');
  expect(requests[0]?.headers.get('x-synapsekit-attempt')).toBe(usage.attemptId);
  await new OpenAILLM({ model: 'gpt-4o', apiKey: 'k', fetch }).generate('Hi');
  expect(requests[1]?.headers.get('x-synapsekit-attempt')).toBeNull();
});

test('a dialect bends what is sent to an odd host', async () => {
  const { fetch, requests } = fakeFetch();
  const config: LLMConfig = { maxTokens: 9, temperature: 1 };
  const dialect = { maxTokensField: 'max_completion_tokens', extraBody: { top_k: 4 } } as const;
  await new OpenAILLM({ model: 'gpt-4o', apiKey: 'k', fetch, config, dialect }).generate('Hi');
  expect(requests[0]?.body).toMatchObject({ max_completion_tokens: 9, top_k: 4, temperature: 1 });
});

test.each(['o4-mini', 'gpt-6-luna'])(
  '%s thinks, and gets only the parameters that it accepts',
  async (model) => {
    await using simulated = await SimulatedProvider.start();
    const config = { temperature: 0.2, maxTokens: 400 };
    const llm = new OpenAILLM({ model, config, baseURL: simulated.openaiBaseURL });
    const { text, usage } = await llm.generate('What is 2 + 2?', { topP: 0.5, reasoningEffort: 'low' });
    expect(text).toContain('4');
    expect(usage.reasoningTokens).toBeGreaterThan(0);
    expect(usage.outputTokens).toBeGreaterThan(usage.reasoningTokens ?? 0);
    expect(simulated.requests[0]?.body).toEqual({
      model,
      messages: [{ role: 'user', content: 'What is 2 + 2?' }],
      max_completion_tokens: 400,
      reasoning_effort: 'low',
    });
  },
);

test('nothing is loaded before it is needed, and what is missing then is named', async () => {
  // A process of its own, in which neither package can be found.
  const script = `
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve(specifier, context, next) {
        if (!/^(openai|gpt-tokenizer)/.test(specifier)) return next(specifier, context);
        const name = specifier.split('/')[0];
        throw Object.assign(new Error("Cannot find package '" + name + "' imported from x"), { code: 'ERR_MODULE_NOT_FOUND' });
      },
    });
    const { OpenAILLM } = await import('@synapsekit/llm-openai');
    for (const config of [{}, { trackTokens: true }]) {
      const llm = new OpenAILLM({ model: 'gpt-4o', apiKey: 'sk-x', config });
      await llm.generate('Hi').catch((error) => console.log(error.name, error.message));
    }
    const client = { chat: { completions: { create: () => { throw new Error('sent'); } } } };
    const llm = new OpenAILLM({ model: 'gpt-4o', client, config: { trackTokens: true } });
    await llm.generate('Hi').catch((error) => console.log(error.name, error.message));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
  });
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^ConfigError .*"openai" is not installed.*npm install openai$/);
  expect(lines[2]).toMatch(/^ConfigError .*"gpt-tokenizer" is not installed.*npm install gpt-tokenizer$/);
});
