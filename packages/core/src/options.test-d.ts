import { assertType, expectTypeOf, test } from 'vitest';
import type { CallOptions, Capabilities, LLM, LLMConfig, Message, Prompt, TimeLimits } from './index.ts';

test('an option may be left out or undefined, so that values can be passed on as they are', () => {
  const timeoutMs = undefined as number | undefined;
  assertType<CallOptions>({});
  assertType<CallOptions>({ timeoutMs, temperature: undefined, signal: undefined });
  assertType<LLMConfig>({ maxTokens: undefined, timeoutMs });
  assertType<Capabilities>({ contextWindow: undefined });
});

test('an option that does not exist, or has another type, does not compile', () => {
  // @ts-expect-error It is called maxTokens.
  assertType<CallOptions>({ max_tokens: 5 });
  // @ts-expect-error Milliseconds are a number.
  assertType<TimeLimits>({ timeoutMs: '5s' });
  // @ts-expect-error null is no absence.
  assertType<CallOptions>({ temperature: null });
  // @ts-expect-error There is no such choice.
  assertType<CallOptions>({ toolChoice: 'any' });
  // @ts-expect-error trackTokens belongs to the model, not to a call.
  assertType<CallOptions>({ trackTokens: true });
});

test('options are read, never written', () => {
  const options: CallOptions = { temperature: 1 };
  // @ts-expect-error
  options.temperature = 0;
  const lists = { stop: ['a'] as const, tools: [{ name: 't' }] as const };
  assertType<CallOptions>(lists);
});

test('a response format brings what its type needs, and nothing else', () => {
  assertType<CallOptions>({ responseFormat: { type: 'json-schema', name: 'n', schema: { type: 'object' } } });
  // @ts-expect-error A schema is missing.
  assertType<CallOptions>({ responseFormat: { type: 'json-schema', name: 'n' } });
  // @ts-expect-error Plain JSON has no schema.
  assertType<CallOptions>({ responseFormat: { type: 'json', schema: {} } });
});

test('a prompt is text or messages, each with what its role needs', () => {
  assertType<Prompt>('Hello');
  assertType<Prompt>([{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] as const);
  // @ts-expect-error Which call does it answer?
  assertType<Message>({ role: 'tool', content: '12 degrees' });
  // @ts-expect-error Only users show pictures.
  assertType<Message>({ role: 'system', content: [{ type: 'image', image: 'https://example.com/a.png' }] });
});

test('what a model offers beyond answering is optional', () => {
  expectTypeOf<LLM['capabilities']>().toEqualTypeOf<Capabilities | undefined>();
  expectTypeOf<NonNullable<LLM['availability']>>().returns.toMatchTypeOf<{ available: boolean }>();
  expectTypeOf<LLM['generate']>().parameters.toEqualTypeOf<[prompt: Prompt, options?: CallOptions | undefined]>();
});
