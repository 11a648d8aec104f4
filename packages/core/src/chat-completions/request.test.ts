import { expect, test } from 'vitest';
import type { CallOptions, LLMConfig } from '../options.ts';
import type { Prompt } from '../prompt.ts';
import type { Dialect } from './dialect.ts';
import { toChatBody } from './request.ts';

const body = (
  options: CallOptions = {},
  more: { prompt?: Prompt; config?: LLMConfig; dialect?: Dialect; stream?: boolean } = {},
) =>
  toChatBody({
    model: 'm',
    prompt: more.prompt ?? 'Hi',
    options,
    config: {},
    dialect: {},
    stream: false,
    ...more,
  });

const messages = [{ role: 'user', content: 'Hi' }];

test('says nothing that nobody set', () => {
  expect(body()).toEqual({ model: 'm', messages });
});

test('takes from the configuration what the call leaves open', () => {
  const config = { temperature: 0.2, maxTokens: 100 };
  expect(body({}, { config })).toMatchObject({ temperature: 0.2, max_tokens: 100 });
  expect(body({ temperature: 0, maxTokens: 5 }, { config })).toMatchObject({ temperature: 0, max_tokens: 5 });
});

test('sends every option by its name on the wire', () => {
  expect(
    body({
      topP: 0.9,
      stop: ['a', 'b'],
      seed: 7,
      logprobs: 3,
      reasoningEffort: 'low',
      serviceTier: 'flex',
      responseFormat: { type: 'json' },
    }),
  ).toEqual({
    model: 'm',
    messages,
    top_p: 0.9,
    stop: ['a', 'b'],
    seed: 7,
    logprobs: true,
    top_logprobs: 3,
    reasoning_effort: 'low',
    service_tier: 'flex',
    response_format: { type: 'json_object' },
  });
  expect(body({ logprobs: true, stop: 'end' })).toEqual({
    model: 'm',
    messages,
    logprobs: true,
    stop: 'end',
  });
  expect(body({ logprobs: false })).toEqual({ model: 'm', messages });
});

test('asks for usage in streams, unless the host cannot', () => {
  expect(body({}, { stream: true })).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  expect(body({}, { stream: true, dialect: { streamUsage: false } })).toEqual({
    model: 'm',
    messages,
    stream: true,
  });
});

test('sends tools, and what goes with them only where there are some', () => {
  const tools = [
    { name: 'now' },
    { name: 'add', description: 'Adds', parameters: { type: 'object' }, strict: true },
  ];
  expect(body({ tools, toolChoice: { name: 'add' }, parallelToolCalls: false })).toMatchObject({
    tools: [
      { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } },
      {
        type: 'function',
        function: { name: 'add', description: 'Adds', parameters: { type: 'object' }, strict: true },
      },
    ],
    tool_choice: { type: 'function', function: { name: 'add' } },
    parallel_tool_calls: false,
  });
  expect(body({ toolChoice: 'none', parallelToolCalls: true })).toEqual({ model: 'm', messages });
  expect(() => body({ toolChoice: 'required' })).toThrow(/no tools/);
});

test('holds to a schema exactly unless told otherwise, by the caller first', () => {
  const responseFormat = { type: 'json-schema', name: 'n', schema: { type: 'object' } } as const;
  const strictOf = (options: CallOptions, dialect: Dialect = {}) =>
    (body(options, { dialect }).response_format as { json_schema: { strict: boolean } }).json_schema.strict;
  expect(strictOf({ responseFormat })).toBe(true);
  expect(strictOf({ responseFormat }, { strictSchemas: false })).toBe(false);
  expect(strictOf({ responseFormat: { ...responseFormat, strict: true } }, { strictSchemas: false })).toBe(
    true,
  );
  expect(body({ responseFormat }).response_format).toEqual({
    type: 'json_schema',
    json_schema: { name: 'n', schema: { type: 'object' }, strict: true },
  });
  expect(body({ responseFormat: { type: 'text' } }).response_format).toEqual({ type: 'text' });
});

test('spares a reasoning model what it refuses, until its reasoning is off', () => {
  const dialect = {
    maxTokensField: 'max_completion_tokens',
    sampling: 'without-reasoning',
    effortWithTools: 'none',
  } as const;
  const options = { temperature: 0.5, topP: 0.5, logprobs: 2, maxTokens: 9 };
  expect(body(options, { dialect })).toEqual({ model: 'm', messages, max_completion_tokens: 9 });
  expect(body({ ...options, reasoningEffort: 'none' }, { dialect })).toMatchObject({
    temperature: 0.5,
    top_p: 0.5,
    top_logprobs: 2,
    reasoning_effort: 'none',
  });
  const tools = [{ name: 'now' }];
  expect(body({ tools }, { dialect }).reasoning_effort).toBe('none');
  expect(body({ tools, reasoningEffort: 'high' }, { dialect }).reasoning_effort).toBe('high');
});

test('adds what the host wants in every request, without overriding the call', () => {
  const dialect = { extraBody: { reasoning_format: 'parsed', seed: 1 } };
  expect(body({ seed: 2 }, { dialect })).toMatchObject({ reasoning_format: 'parsed', seed: 2 });
});

test('writes a whole conversation', () => {
  const toolCalls = [{ id: 'c1', name: 'add', argumentsText: '{"a":1}', arguments: { a: 1 } }];
  const prompt: Prompt = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Look' }], name: 'ada' },
    { role: 'assistant', toolCalls },
    { role: 'tool', toolCallId: 'c1', content: '2' },
    { role: 'assistant', content: 'Two.' },
  ];
  expect(body({}, { prompt }).messages).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Look' }], name: 'ada' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: '2' },
    { role: 'assistant', content: 'Two.' },
  ]);
});

test('sends images by URL and by bytes', () => {
  const backing = new Uint8Array([9, 1, 2, 3, 9]);
  const bytes = backing.subarray(1, 4); // a view: its neighbours must not travel along
  const images = [
    { type: 'image', image: 'https://example.com/a.png', detail: 'low' },
    { type: 'image', image: new URL('https://example.com/b.png') },
    { type: 'image', image: bytes, mediaType: 'image/png' },
  ] as const;
  expect(body({}, { prompt: [{ role: 'user', content: images }] }).messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://example.com/b.png' } },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } },
      ],
    },
  ]);
});

test('refuses an image that cannot be sent, without repeating it', () => {
  const image = (part: object): Prompt => [{ role: 'user', content: [{ type: 'image', ...part } as never] }];
  expect(() => body({}, { prompt: image({ image: new Uint8Array(3) }) })).toThrow(/mediaType/);
  expect(() => body({}, { prompt: image({ image: 'aGVsbG8' }) })).toThrow(/URL/);
  expect(() => body({}, { prompt: [{ role: 'user', content: [{ type: 'audio' } as never] }] })).toThrow(
    /"text" or/,
  );
});
