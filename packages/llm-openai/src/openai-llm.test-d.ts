import type { LLM } from '@synapsekit/core';
import { type AzureOpenAI, OpenAI } from 'openai';
import { assertType, expectTypeOf, test } from 'vitest';
import { OpenAILLM, type OpenAILLMOptions } from './index.ts';

test('only a model is needed, and every option may be undefined', () => {
  assertType<OpenAILLMOptions>({ model: 'gpt-4o' });
  assertType<OpenAILLMOptions>({ model: 'gpt-4o', apiKey: process.env.SOME_KEY, config: undefined });
  // @ts-expect-error Which model?
  assertType<OpenAILLMOptions>({});
  // @ts-expect-error Time limits stand in config.
  assertType<OpenAILLMOptions>({ model: 'gpt-4o', timeoutMs: 5 });
});

test('the clients of the official package are clients', () => {
  expectTypeOf<OpenAI>().toMatchTypeOf<NonNullable<OpenAILLMOptions['client']>>();
  expectTypeOf<AzureOpenAI>().toMatchTypeOf<NonNullable<OpenAILLMOptions['client']>>();
  // @ts-expect-error The class is none.
  assertType<OpenAILLMOptions>({ model: 'gpt-4o', client: OpenAI });
});

test('it is an LLM', () => {
  expectTypeOf(OpenAILLM).instance.toMatchTypeOf<LLM>();
  expectTypeOf(OpenAILLM).constructorParameters.toEqualTypeOf<[options: OpenAILLMOptions]>();
});
