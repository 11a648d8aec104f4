import { expect, expectTypeOf, test } from 'vitest';
import { defineLLM } from './define-llm.ts';
import type { LLM, LLMMiddleware } from './llm.ts';
import { wrap } from './wrap.ts';

declare module './llm.ts' {
  interface LLM {
    /** A capability that some later version adds. */
    warmUp?(): string;
  }
}

const base = defineLLM({ provider: 'test', model: 'm', generate: () => 'hi' });

const label =
  (name: string, log: string[]): LLMMiddleware =>
  (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,
    async generate(prompt, options) {
      log.push(name);
      return next.generate(prompt, options);
    },
    stream: (prompt, options) => next.stream(prompt, options),
  });

test('the first middleware is the outermost', async () => {
  const log: string[] = [];
  await wrap(base, label('retry', log), label('budget', log), label('track', log)).generate('x');
  expect(log).toEqual(['retry', 'budget', 'track']);
});

test('a capability that no middleware knows survives, with its own this', () => {
  class Warm {
    readonly provider = 'test';
    readonly model = 'm';
    readonly id = 'test/m';
    readonly capabilities = { contextWindow: 8 };
    readonly #heat = 'warm';
    generate = base.generate;
    stream = base.stream;
    warmUp(): string {
      return this.#heat;
    }
  }
  const wrapped: LLM = wrap(new Warm(), label('a', []), label('b', []));
  expect(wrapped.warmUp?.()).toBe('warm');
  expect(wrapped.capabilities).toEqual({ contextWindow: 8 });
  expectTypeOf(wrapped.warmUp).toEqualTypeOf<(() => string) | undefined>();
});

test('what a middleware offers itself is not replaced', () => {
  const closed: LLMMiddleware = (next) => ({
    ...next,
    availability: () => ({ available: false, error: new Error('closed') }),
  });
  expect(wrap(base, label('a', []), closed).availability?.().available).toBe(false);
});

test('what a middleware returns is not changed', () => {
  const backup = defineLLM({ provider: 'test', model: 'backup', generate: () => 'hi' });
  const broken: LLM = { ...base, availability: () => ({ available: false, error: new Error('open') }) };
  expect(wrap(broken, () => backup).id).toBe('test/backup');
  expect(backup.availability).toBeUndefined();
});

test('a frozen model with private fields can be returned', async () => {
  class Private {
    readonly provider = 'test';
    readonly model = 'p';
    readonly id = 'test/p';
    readonly #inner = base;
    generate: LLM['generate'] = (prompt) => this.#inner.generate(prompt);
    stream(prompt: string): ReturnType<LLM['stream']> {
      return this.#inner.stream(prompt);
    }
  }
  const frozen = Object.freeze(new Private());
  const wrapped = wrap({ ...base, availability: () => ({ available: true }) }, () => frozen as LLM);
  expect((await wrapped.stream('x').result).text).toBe('hi');
});

test.each([undefined, Promise.resolve(base), {}])('refuses a middleware that returns %o', (returned) => {
  expect(() => wrap(base, () => returned as never)).toThrow('must return a model');
});

test('a frozen model can be wrapped and returned', async () => {
  const frozen = Object.freeze({ ...base });
  expect((await wrap(base, () => frozen).generate('x')).text).toBe('hi');
});

test('without middleware it is the model itself', () => {
  expect(wrap(base)).toBe(base);
});
