import { expect, test } from 'vitest';
import { openaiCapabilities } from './capabilities.ts';
import { openaiDialect } from './dialect.ts';

test.each([
  'gpt-4o',
  'gpt-4o-mini-2024-07-18',
  'gpt-4.1-nano',
  'gpt-3.5-turbo',
  'gpt-5-chat-latest',
  'chatgpt-4o-latest',
  'ft:gpt-4o:acme::1',
])('%s takes every parameter', (model) => {
  expect(openaiDialect(model)).toEqual({});
});

test.each(['o1', 'o3-mini', 'o4-mini-2025-04-16', 'gpt-5', 'gpt-5-nano', 'gpt-5.1', 'ft:o4-mini:acme::1'])(
  '%s takes no sampling parameters',
  (model) => {
    expect(openaiDialect(model)).toEqual({
      maxTokensField: 'max_completion_tokens',
      sampling: 'without-reasoning',
    });
  },
);

test.each(['gpt-5.4', 'gpt-5.4-mini', 'gpt-5.6-terra', 'gpt-5.10', 'gpt-6-luna', 'gpt-6.2-sol'])(
  '%s calls tools only without reasoning',
  (model) => {
    expect(openaiDialect(model)).toMatchObject({ sampling: 'without-reasoning', effortWithTools: 'none' });
  },
);

test('knows what the models can do, by their names and their snapshots', () => {
  expect(openaiCapabilities('gpt-4o')).toEqual({
    contextWindow: 128_000,
    maxOutputTokens: 16_384,
    tools: true,
    images: true,
    jsonSchema: true,
    logprobs: true,
  });
  expect(openaiCapabilities('gpt-4o-mini-2024-07-18')).toEqual(openaiCapabilities('gpt-4o-mini'));
  expect(openaiCapabilities('ft:gpt-4o:acme::1')).toEqual(openaiCapabilities('gpt-4o'));
  expect(openaiCapabilities('o3-mini')).toMatchObject({ images: false, logprobs: false, tools: true });
  expect(openaiCapabilities('gpt-6-astra')).toMatchObject({ tools: false });
  expect(openaiCapabilities('gpt-99')).toBeUndefined();
  expect(openaiCapabilities('toString')).toBeUndefined();
});
