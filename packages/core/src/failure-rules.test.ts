import { describe, expect, test } from 'vitest';
import {
  BudgetExceededError,
  CallTimeoutError,
  CircuitBreakerOpen,
  ConfigError,
  ProviderError,
  ToolArgumentsError,
} from './errors.ts';
import { failureRule, failureRules, isNetworkError } from './failure-rules.ts';

const providerError = (kind: keyof typeof failureRules, emitted = false) =>
  new ProviderError('x', { kind, provider: 'p', model: 'm', emitted });

describe('failureRule', () => {
  test.each(Object.keys(failureRules) as (keyof typeof failureRules)[])('takes %s from the table', (kind) => {
    expect(failureRule(providerError(kind))).toEqual(failureRules[kind]);
  });

  test('nothing starts over once content was handed out', () => {
    expect(failureRule(providerError('connection', true))).toEqual({
      health: 'failure',
      retry: false,
      failover: false,
    });
    const stalled = new CallTimeoutError('x', { phase: 'idle', timeoutMs: 1, emitted: true });
    expect(failureRule(stalled)).toMatchObject({ health: 'failure', retry: false });
  });

  test('an abort goes nowhere, whatever error it shows', () => {
    expect(failureRule(providerError('server'), AbortSignal.abort())).toEqual({
      health: 'neutral',
      retry: false,
      failover: false,
    });
  });

  test('our own refusals say nothing about the provider', () => {
    const refusal = new BudgetExceededError('x', {
      guard: 'g',
      limit: 'daily',
      limitUsd: '1',
      committedUsd: '1',
      heldUsd: '0',
      neededUsd: '1',
      fits: 'window',
    });
    expect(failureRule(refusal)).toEqual({ health: 'neutral', retry: false, failover: 'smaller-hold' });
    expect(failureRule(new CircuitBreakerOpen('x', { breaker: 'b', state: 'OPEN' }))).toMatchObject({
      health: 'neutral',
      failover: true,
    });
    expect(failureRule(new ConfigError('x'))).toMatchObject({ health: 'neutral', failover: false });
  });

  test('arguments that fit no schema are the model’s fault, not the host’s: another try may do better', () => {
    const error = new ToolArgumentsError('x', { tool: 't', toolCallId: '1', issues: [] });
    expect(failureRule(error)).toEqual({ health: 'neutral', retry: true, failover: true });
  });

  test('an unknown error is a failure that another may make good; a bug is nobody’s to repeat', () => {
    expect(failureRule(new Error('Simulated outage'))).toEqual({
      health: 'failure',
      retry: false,
      failover: true,
    });
    expect(failureRule(undefined)).toMatchObject({ health: 'failure' });
    expect(failureRule(new TypeError('x is not a function'))).toMatchObject({
      retry: false,
      failover: false,
    });
  });
});

describe('isNetworkError', () => {
  test.each(['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_SOCKET'])(
    'finds %s along the causes',
    (code) => {
      const error = new Error('outer', {
        cause: new TypeError('fetch failed', { cause: Object.assign(new Error(), { code }) }),
      });
      expect(isNetworkError(error)).toBe(true);
      expect(failureRule(error)).toMatchObject({ retry: true });
    },
  );

  test('survives cycles and getters that throw', () => {
    const cyclic = new Error('a') as Error & { cause?: unknown };
    cyclic.cause = cyclic;
    expect(isNetworkError(cyclic)).toBe(false);
    const hostile = {
      get code(): string {
        throw new Error('no');
      },
    };
    expect(isNetworkError(hostile)).toBe(false);
  });
});

test('a hostile error of our own family has a rule, too', () => {
  const strange = providerError('constructor' as never);
  expect(failureRule(strange)).toEqual({ health: 'failure', retry: true, failover: true });
  const hostile = providerError('server');
  Object.defineProperty(hostile, 'emitted', {
    get() {
      throw new Error('no');
    },
  });
  expect(failureRule(hostile)).toEqual(failureRules.server);
});
