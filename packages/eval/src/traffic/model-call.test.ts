import { describe, expect, test } from 'vitest';
import { finderOf, type ProviderFinder } from '../relay/provider-of-host.ts';
import { AnswerReader } from './answer-reader.ts';
import { readProviders } from './hosts.ts';
import { classify, type ModelCall } from './model-call.ts';
import { readWireRequest } from './wire-request.ts';

const providerFinder = (baseURLs: Readonly<Record<string, string>>): ProviderFinder =>
  finderOf(readProviders(baseURLs));

async function callOf(path: string, body: unknown, method = 'POST'): Promise<ModelCall | string> {
  const request = await readWireRequest(`https://api.openai.com/v1${path}`, {
    method,
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
  const traffic = classify(request, providerFinder({}));
  return traffic.kind === 'model' ? traffic.call : traffic.kind;
}

const messages = [{ role: 'user', content: 'Grüße 👋🏽' }];

describe('what a request may cost', () => {
  test('chat: the bytes of the body bound the prompt', async () => {
    const body = { model: 'gpt-4o', messages, max_tokens: 7, service_tier: 'flex', stream: true, n: 3 };
    expect(await callOf('/chat/completions', body)).toEqual({
      endpoint: 'chat',
      provider: 'openai',
      model: 'gpt-4o',
      stream: true,
      serviceTier: 'flex',
      inputTokens: Buffer.byteLength(JSON.stringify(body)),
      outputTokens: 7,
      answers: 3,
      unbounded: undefined,
    });
  });

  test('images count at their most, however few bytes they have', async () => {
    const image = { type: 'image_url', image_url: { url: 'https://x.y/z.png' } };
    const call = await callOf('/chat/completions', {
      model: 'gpt-4o',
      max_completion_tokens: 1,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, image, image] }],
    });
    expect(call).toMatchObject({ outputTokens: 1, unbounded: undefined });
    expect((call as ModelCall).inputTokens).toBeGreaterThan(2 * 48_169);
  });

  test.each([
    ['/responses', { model: 'm', input: 'x', previous_response_id: 'resp_1' }],
    ['/responses', { model: 'm', input: 'x', conversation: 'conv_1' }],
    ['/responses', { model: 'm', prompt: { id: 'p' } }],
    [
      '/responses',
      { model: 'm', input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
    ],
    [
      '/chat/completions',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] },
    ],
  ])('what lies at the provider is bounded by the context window only: %s %j', async (path, body) => {
    expect(await callOf(path, body)).toMatchObject({ inputTokens: undefined, unbounded: undefined });
  });

  test.each([
    ['/responses', { model: 'm', input: 'x', tools: [{ type: 'code_interpreter' }] }],
    ['/responses', { model: 'm', input: 'x', background: true }],
    ['/chat/completions', { model: 'm', messages, web_search_options: {} }],
    ['/chat/completions', { model: 'm', messages, modalities: ['audio'] }],
    ['/chat/completions', { model: 'm', messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }],
    ['/chat/completions', { model: 'groq/compound-mini', messages }],
    ['/chat/completions', { model: 'gpt-4o-search-preview', messages }],
    ['/chat/completions', { model: 'm' }],
  ])('what is billed by use, or not in the answer, has no bound: %s %j', async (path, body) => {
    expect((await callOf(path, body)) as ModelCall).toMatchObject({ unbounded: expect.any(String) });
  });

  test('embeddings have no answer, batches of prompts have many, function tools are fine', async () => {
    expect(await callOf('/embeddings', { model: 'm', input: ['a', 'b'] })).toMatchObject({
      outputTokens: 0,
      unbounded: undefined,
    });
    expect(await callOf('/completions', { model: 'm', prompt: ['a', 'b'], n: 2, best_of: 3 })).toMatchObject({
      answers: 6,
    });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    expect(await callOf('/chat/completions', { model: 'm', messages, tools })).toMatchObject({
      unbounded: undefined,
      outputTokens: undefined,
    });
  });

  test('of two limits the larger one counts, and nonsense is none', async () => {
    const limits = { max_tokens: 500, max_completion_tokens: 10 };
    expect(await callOf('/chat/completions', { model: 'm', messages, ...limits })).toMatchObject({
      outputTokens: 500,
    });
    for (const max_tokens of [0, -1, 1.5, '7', null]) {
      expect(await callOf('/chat/completions', { model: 'm', messages, max_tokens })).toMatchObject({
        outputTokens: undefined,
      });
    }
  });

  test('reading is free, other posts are unknown', async () => {
    expect(await callOf('/models', undefined, 'GET')).toBe('free');
    expect(await callOf('/moderations', { input: 'x' })).toBe('free');
    expect(await callOf('/images/generations', { model: 'm' })).toBe('unknown');
    expect(await callOf('/chat/completions', { messages })).toBe('unknown');
  });
});

describe('whose host it is', () => {
  test.each([
    ['https://api.openai.com/v1', 'openai'],
    ['https://eu.api.openai.com/v1', 'openai'],
    ['https://acme.openai.azure.com/openai', 'azure'],
    ['https://api.groq.com/openai/v1', 'groq'],
    ['https://notopenai.com/v1', undefined],
    ['http://localhost:1234/v1', undefined],
  ])('%s: %s', (url, provider) => {
    expect(providerFinder({})(new URL(url))).toBe(provider);
  });

  test('base URLs are told apart by their longest beginning, and only by whole parts', () => {
    const find = providerFinder({
      'http://gate:1/': 'groq',
      'http://gate:1/v1': 'openai',
    });
    expect(find(new URL('http://gate:1/v1/chat/completions'))).toBe('openai');
    expect(find(new URL('http://gate:1/v12/chat'))).toBe('groq');
    expect(find(new URL('http://gate:2/v1'))).toBeUndefined();
    expect(() => providerFinder({ nonsense: 'x' })).toThrow(/base URLs/);
  });
});

describe('what an answer says about its cost', () => {
  const read = (endpoint: ModelCall['endpoint'], type: string, text: string, size = 5): unknown => {
    const reader = new AnswerReader(endpoint, type);
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    return reader.end();
  };

  test('a response of the responses API, whole and streamed, in whatever pieces it comes', () => {
    const response = {
      model: 'gpt-4o-2024-08-06',
      service_tier: 'flex',
      usage: {
        input_tokens: 100,
        input_tokens_details: { cached_tokens: 40 },
        output_tokens: 20,
        output_tokens_details: { reasoning_tokens: 5 },
      },
    };
    const facts = {
      usage: {
        inputTokens: 100,
        outputTokens: 20,
        cachedInputTokens: 40,
        reasoningTokens: 5,
        source: 'provider',
      },
      servedModel: 'gpt-4o-2024-08-06',
      serviceTier: 'flex',
    };
    expect(read('responses', 'application/json', JSON.stringify(response, undefined, 2))).toEqual(facts);
    const events = [
      `event: response.created\ndata: ${JSON.stringify({ response: { ...response, usage: null } })}`,
      `event: response.output_text.delta\ndata: ${JSON.stringify({ delta: 'Grüße "usage"' })}`,
      `event: response.completed\r\ndata: ${JSON.stringify({ response })}`,
    ];
    for (const size of [1, 7, 10_000]) {
      expect(read('responses', 'text/event-stream; charset=utf-8', events.join('\n\n'), size)).toEqual(facts);
    }
  });

  test('embeddings tell prompt tokens only', () => {
    const body = JSON.stringify({ model: 'e', data: [], usage: { prompt_tokens: 8, total_tokens: 8 } });
    expect(read('embeddings', 'application/json', body)).toMatchObject({
      usage: { inputTokens: 8, outputTokens: 0 },
    });
  });

  test.each(['', '<html>', '{}', '{"usage":{"prompt_tokens":"many"}}', '[1]'])('nothing in %j', (text) => {
    expect(read('chat', 'application/json', text)).toMatchObject({ usage: undefined });
    expect(read('chat', 'text/event-stream', `data: ${text}\n\ndata: [DONE]`)).toMatchObject({
      usage: undefined,
    });
  });
});
