import type { LLM } from '@synapsekit/core';
import { Groq } from 'groq-sdk';
import { assertType, expectTypeOf, test } from 'vitest';
import { GroqLLM, type GroqLLMOptions } from './index.ts';

test('only a model is needed, and every option may be undefined', () => {
  assertType<GroqLLMOptions>({ model: 'llama-3.1-8b-instant' });
  assertType<GroqLLMOptions>({
    model: 'llama-3.1-8b-instant',
    apiKey: process.env.SOME_KEY,
    baseURL: undefined,
  });
  // @ts-expect-error Which model?
  assertType<GroqLLMOptions>({});
  // @ts-expect-error It is called apiKey.
  assertType<GroqLLMOptions>({ model: 'llama-3.1-8b-instant', key: 'x' });
});

test('the client of the official package is a client; the class is none', () => {
  expectTypeOf<Groq>().toMatchTypeOf<NonNullable<GroqLLMOptions['client']>>();
  // @ts-expect-error The class is none.
  assertType<GroqLLMOptions>({ model: 'llama-3.1-8b-instant', client: Groq });
});

test('it is an LLM', () => {
  expectTypeOf(GroqLLM).instance.toMatchTypeOf<LLM>();
});
