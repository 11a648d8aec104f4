import { ConfigError } from '@synapsekit/core';
import { SimulatedProvider } from '@synapsekit/testing';
import { OpenAI } from 'openai';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type HostName, hosts, OpenAICompatibleLLM, type OpenAICompatibleLLMOptions } from './index.ts';

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

/** As each host documents it. Azure has an address for each resource. */
const addresses: Record<HostName, string | undefined> = {
  azure: undefined,
  cerebras: 'https://api.cerebras.ai/v1',
  deepseek: 'https://api.deepseek.com',
  fireworks: 'https://api.fireworks.ai/inference/v1',
  google: 'https://generativelanguage.googleapis.com/v1beta/openai',
  'lm-studio': 'http://localhost:1234/v1',
  mistral: 'https://api.mistral.ai/v1',
  ollama: 'http://localhost:11434/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  together: 'https://api.together.ai/v1',
  vllm: 'http://localhost:8000/v1',
  'x-ai': 'https://api.x.ai/v1',
};

const model = 'm-1';
const names = Object.keys(hosts) as HostName[];
const remote = names.filter(
  (name) => hosts[name].apiKeyPage !== undefined && hosts[name].baseURL !== undefined,
);
const local = names.filter((name) => hosts[name].apiKeyPage === undefined);

beforeEach(() => {
  const known = Object.values(hosts).flatMap((host) => [host.apiKeyVariable, host.baseURLVariable]);
  const openai = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_ORG_ID', 'OPENAI_CUSTOM_HEADERS'];
  for (const name of [...known, ...openai]) if (name !== undefined) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

test.each(names)('%s has a name, and an address or a variable for it', (name) => {
  const { provider, service, baseURL, baseURLVariable } = hosts[name];
  expect(provider).toBe(name);
  expect(service).not.toBe('');
  expect(baseURL ?? baseURLVariable).toBeDefined();
  expect(baseURL).toBe(addresses[name]);
  expect(new OpenAICompatibleLLM({ host: name, model })).toMatchObject({ provider, id: `${name}/m-1` });
});

test.each(remote)('%s is asked at its own address, with the key of its own variable', async (name) => {
  const { apiKeyVariable = '' } = hosts[name];
  const { fetch, requests } = fakeFetch();
  const llm = new OpenAICompatibleLLM({ host: name, model, fetch });
  vi.stubEnv('OPENAI_API_KEY', 'sk-openai');
  vi.stubEnv(apiKeyVariable, 'key-of-the-host');
  await llm.generate('Hi');
  expect(requests[0]?.url).toBe(`${addresses[name]}/chat/completions`);
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer key-of-the-host');
});

test.each(remote)('%s without a key says which variable and where to get one', async (name) => {
  const { fetch, requests } = fakeFetch();
  const { apiKeyVariable = '', apiKeyPage = '' } = hosts[name];
  vi.stubEnv('OPENAI_API_KEY', 'sk-openai');
  const call = new OpenAICompatibleLLM({ host: name, model, fetch }).generate('Hi');
  const error = await call.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).toContain(apiKeyVariable);
  expect(String(error)).toContain(apiKeyPage);
  expect(String(error)).not.toContain('undefined');
  expect(requests).toEqual([]);
});

test.each(local)('%s needs no key, and may be elsewhere', async (name) => {
  const { baseURL, baseURLVariable = '' } = hosts[name];
  const { fetch, requests } = fakeFetch();
  await new OpenAICompatibleLLM({ host: name, model, fetch }).generate('Hi');
  vi.stubEnv(baseURLVariable, 'http://gpu.example:9000/v1');
  await new OpenAICompatibleLLM({ host: name, model, fetch }).generate('Hi');
  expect(requests.map(({ url }) => url)).toEqual([
    `${baseURL}/chat/completions`,
    'http://gpu.example:9000/v1/chat/completions',
  ]);
});

test('nothing that OPENAI_… variables hold goes to another host', async () => {
  vi.stubEnv('OPENAI_API_KEY', 'sk-openai-secret');
  vi.stubEnv('OPENAI_ADMIN_KEY', 'sk-admin-secret');
  vi.stubEnv('OPENAI_ORG_ID', 'org-secret');
  vi.stubEnv('OPENAI_PROJECT_ID', 'proj-secret');
  vi.stubEnv('OPENAI_BASE_URL', 'https://openai-secret.example/v1');
  vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-gateway: header-secret');
  const { fetch, requests } = fakeFetch();
  await new OpenAICompatibleLLM({ host: 'ollama', model, fetch }).generate('Hi');
  const [request] = requests;
  expect(JSON.stringify([request?.url, [...(request?.headers ?? [])], request?.body])).not.toContain(
    'secret',
  );
});

test('a gateway under the name of a host needs no key; one that is given is used', async () => {
  const { fetch, requests } = fakeFetch();
  const baseURL = 'https://gateway.example/v1';
  await new OpenAICompatibleLLM({ host: 'mistral', model, baseURL, fetch }).generate('Hi');
  await new OpenAICompatibleLLM({ host: 'mistral', model, baseURL, apiKey: 'k-1', fetch }).generate('Hi');
  expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer none', 'Bearer k-1']);
});

test('Azure needs an address of its own, and takes max_completion_tokens', async () => {
  const { fetch, requests } = fakeFetch();
  const options = { host: 'azure', model: 'my-deployment', apiKey: 'k', fetch } as const;
  await expect(new OpenAICompatibleLLM(options).generate('Hi')).rejects.toThrow(
    /Azure OpenAI has no address.*`baseURL`, or set AZURE_OPENAI_BASE_URL/,
  );
  vi.stubEnv('AZURE_OPENAI_BASE_URL', 'https://mine.openai.azure.com/openai/v1');
  await new OpenAICompatibleLLM(options).generate('Hi', { maxTokens: 5 });
  expect(requests).toHaveLength(1);
  expect(requests[0]?.url).toBe('https://mine.openai.azure.com/openai/v1/chat/completions');
  expect(requests[0]?.body).toEqual({
    model: 'my-deployment',
    messages: [{ role: 'user', content: 'Hi' }],
    max_completion_tokens: 5,
  });
});

test('Mistral gets its own field for the seed, and no stream_options', async () => {
  await using simulated = await SimulatedProvider.start();
  const llm = new OpenAICompatibleLLM({ host: 'mistral', model: 'gpt-4o', baseURL: simulated.openaiBaseURL });
  await llm.stream('Hi', { seed: 0 }).result;
  expect(simulated.requests[0]?.body).toEqual({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'Hi' }],
    random_seed: 0,
    stream: true,
  });
});

test('what the user says of a model outweighs what is known of the host', () => {
  expect(new OpenAICompatibleLLM({ host: 'deepseek', model }).capabilities).toEqual({ jsonSchema: false });
  const capabilities = { jsonSchema: true, contextWindow: 9 };
  expect(new OpenAICompatibleLLM({ host: 'deepseek', model, capabilities }).capabilities).toEqual(
    capabilities,
  );
  const more = new OpenAICompatibleLLM({ host: 'deepseek', model, capabilities: { contextWindow: 64_000 } });
  expect(more.capabilities).toEqual({ jsonSchema: false, contextWindow: 64_000 });
});

test('the dialect of the call outweighs that of the host, field by field', async () => {
  const { fetch, requests } = fakeFetch();
  const dialect = { seedField: 'seed', extraBody: { safe_prompt: true } } as const;
  const llm = new OpenAICompatibleLLM({ host: 'mistral', model, apiKey: 'k', fetch, dialect });
  await llm.generate('Hi', { seed: 7 });
  expect(requests[0]?.body).toMatchObject({ seed: 7, safe_prompt: true });
  expect(requests[0]?.body).not.toHaveProperty('random_seed');
});

test('a host of the user’s own is described once', async () => {
  const { fetch, requests } = fakeFetch();
  vi.stubEnv('ACME_API_KEY', 'acme-1');
  const host = {
    provider: 'acme',
    service: 'Acme',
    baseURL: 'https://api.acme.example/v1',
    apiKeyVariable: 'ACME_API_KEY',
    apiKeyPage: 'https://acme.example/keys',
    dialect: { maxTokensField: 'max_completion_tokens' },
  } as const;
  const llm = new OpenAICompatibleLLM({ host, model, fetch });
  await llm.generate('Hi', { maxTokens: 3 });
  expect(llm.id).toBe('acme/m-1');
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer acme-1');
  expect(requests[0]?.body).toMatchObject({ max_completion_tokens: 3 });
});

test('uses a configured client as it is', async () => {
  const { fetch, requests } = fakeFetch();
  const client = new OpenAI({ apiKey: 'mine', baseURL: 'https://mine.example/v1', fetch });
  await new OpenAICompatibleLLM({ host: 'openrouter', model, client }).generate('Hi');
  expect(requests[0]?.url).toBe('https://mine.example/v1/chat/completions');
});

const own = { provider: 'acme', service: 'Acme' };

test.each<[string, object, RegExp]>([
  ['no host', { model }, /host must be a name/],
  ['a misspelt host', { host: 'mistrall', model }, /Did you mean "mistral"/],
  ['an unknown host', { host: 'wundertüte', model }, /Known are: azure, .*can be described/],
  ['a host by the name of something else', { host: 'toString', model }, /There is no host/],
  ['no model', { host: 'ollama' }, /model/],
  ['an unknown option', { host: 'ollama', model, retries: 3 }, /no option "retries". It has: host, model/],
  ['a wrong base URL', { host: 'ollama', model, baseURL: 'localhost' }, /baseURL/],
  ['a description with an unknown field', { host: { ...own, url: 'x' }, model }, /no option "url"/],
  ['a description without a service', { host: { provider: 'acme' }, model }, /host.service/],
  [
    'a description with a wrong variable',
    { host: { ...own, apiKeyVariable: 5 }, model },
    /host.apiKeyVariable/,
  ],
  ['a description of OpenAI', { host: { ...own, provider: 'openai' }, model }, /llm-openai/],
  ['a wrong address', { host: { ...own, baseURL: 'ftp://x' }, model }, /host.baseURL/],
  [
    'a field that no host has',
    { host: 'ollama', model, dialect: { seedField: 'model' } },
    /"seed" or "random_seed"/,
  ],
  ['the same of a host', { host: { ...own, dialect: { maxTokensField: 7 } }, model }, /^host\.dialect\.max/],
  ['a wrong dialect', { host: { ...own, dialect: { maxTokens: 1 } }, model }, /dialect has no option/],
])('refuses %s', (_, options, message) => {
  const make = () => new OpenAICompatibleLLM(options as OpenAICompatibleLLMOptions);
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(message);
});
