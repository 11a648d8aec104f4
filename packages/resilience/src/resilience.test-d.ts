import type { LLM, LLMMiddleware } from '@synapsekit/core';
import { assertType, expectTypeOf, test } from 'vitest';
import {
  breakOn,
  CircuitBreaker,
  CircuitBreakerOpen,
  type CircuitBreakerOptions,
  type CircuitState,
  fallbackChain,
  type RetryOptions,
  retry,
  timeout,
  withRetry,
  withTimeout,
} from './index.ts';

const breaker = new CircuitBreaker({ name: 'openai' });

test('execute gives a promise of what its function gives', () => {
  expectTypeOf(breaker.execute(async () => 5)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(breaker.execute(({ signal }) => (signal?.aborted ? 'a' : 'b'))).resolves.toEqualTypeOf<
    'a' | 'b'
  >();
  expectTypeOf(withRetry(async () => 5)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(withTimeout(async () => 5, 1)).toEqualTypeOf<Promise<number>>();
});

test('states are those of resilience4j', () => {
  expectTypeOf<CircuitState>().toEqualTypeOf<'CLOSED' | 'OPEN' | 'HALF_OPEN'>();
  expectTypeOf<CircuitBreakerOpen['state']>().toEqualTypeOf<'OPEN' | 'HALF_OPEN' | 'ISOLATED'>();
  expectTypeOf(CircuitBreakerOpen).instance.toMatchTypeOf<Error>();
});

test('every option may be undefined, and none may be misspelt', () => {
  assertType<CircuitBreakerOptions>({ name: 'a', recoveryTimeout: 30, clock: undefined });
  // @ts-expect-error It is called recoveryTimeout, in seconds.
  assertType<CircuitBreakerOptions>({ name: 'a', recoveryTimeoutMs: 30_000 });
  // @ts-expect-error Whose breaker?
  assertType<CircuitBreakerOptions>({});
  assertType<RetryOptions>({ maxAttempts: 2, baseDelayMs: undefined });
  // @ts-expect-error It is called maxAttempts.
  assertType<RetryOptions>({ retries: 2 });
});

test('guards are middleware; a chain of models is a model', () => {
  expectTypeOf(breakOn(breaker)).toEqualTypeOf<LLMMiddleware>();
  expectTypeOf(retry()).toEqualTypeOf<LLMMiddleware>();
  expectTypeOf(timeout({ idleMs: 5 })).toEqualTypeOf<LLMMiddleware>();
  expectTypeOf(fallbackChain([{} as LLM])).toMatchTypeOf<LLM>();
});
