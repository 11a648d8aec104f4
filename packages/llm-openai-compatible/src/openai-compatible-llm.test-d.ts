import type { LLM } from '@synapsekit/core';
import { assertType, expectTypeOf, test } from 'vitest';
import { type Host, type HostName, OpenAICompatibleLLM, type OpenAICompatibleLLMOptions } from './index.ts';

test('a host is one that is known by name, or a description of another', () => {
  assertType<OpenAICompatibleLLMOptions>({ host: 'ollama', model: 'llama3.2' });
  assertType<OpenAICompatibleLLMOptions>({ host: { provider: 'mine', service: 'Mine' }, model: 'x' });
  expectTypeOf<'openrouter'>().toMatchTypeOf<HostName>();
  // @ts-expect-error Nobody knows that host.
  assertType<OpenAICompatibleLLMOptions>({ host: 'olama', model: 'llama3.2' });
  // @ts-expect-error What is it called?
  assertType<Host>({ service: 'Mine' });
  // @ts-expect-error Which model?
  assertType<OpenAICompatibleLLMOptions>({ host: 'ollama' });
});

test('it is an LLM', () => {
  expectTypeOf(OpenAICompatibleLLM).instance.toMatchTypeOf<LLM>();
});
