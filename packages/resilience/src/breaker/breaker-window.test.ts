import { CircuitBreakerOpen, ConfigError } from '@synapsekit/core';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, down, fail, openCall, outcome } from '../../test/breakers.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

// The numbers are those of the scenarios in the research on circuit breakers.
describe('the window of failures', () => {
  test('opens on the N-th failure, which rejects with its own error; the next call is refused uncalled (1)', async () => {
    const { breaker } = breakerOnClock();
    await fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    expect(await outcome(breaker.execute(() => Promise.reject(down)))).toEqual({ error: down });
    expect(breaker.state).toBe('OPEN');
    const fn = vi.fn(() => 'answer');
    await expect(breaker.execute(fn)).rejects.toBeInstanceOf(CircuitBreakerOpen);
    expect(fn).not.toHaveBeenCalled();
  });

  test.each([
    [9_999, 'OPEN'],
    [10_000, 'CLOSED'],
    [10_001, 'CLOSED'],
  ])('failures %i ms apart, first to last, leave it %s (2)', async (ms, state) => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 2);
    await clock.advance(ms);
    await fail(breaker);
    expect(breaker.state).toBe(state);
  });

  test('places a failure where it ends: calls longer than the window still trip it (3)', async () => {
    const { breaker, clock } = breakerOnClock();
    const calls = [openCall(breaker), openCall(breaker), openCall(breaker)];
    await clock.advance(30_000);
    for (const call of calls) call.reject(down);
    await Promise.all(calls.map(({ result }) => result));
    expect(breaker.state).toBe('OPEN');
  });

  test('is not reset by successes in between (4)', async () => {
    const { breaker } = breakerOnClock();
    await fail(breaker, 2);
    await breaker.execute(() => 'well');
    await fail(breaker);
    expect(breaker.state).toBe('OPEN');
  });

  test.each([24 * 3_600_000, 2 ** 31])(
    'knows no stale failures after %i idle milliseconds (5)',
    async (ms) => {
      const { breaker, clock } = breakerOnClock();
      await fail(breaker, 2);
      await clock.advance(ms);
      await fail(breaker, 2);
      expect(breaker.state).toBe('CLOSED');
      await fail(breaker);
      expect(breaker.state).toBe('OPEN');
    },
  );

  test('may be shorter than the clock can tell: failures at the same time count (5)', async () => {
    const { breaker } = breakerOnClock({ windowSeconds: 1e-9 });
    await fail(breaker, 3);
    expect(breaker.state).toBe('OPEN');
  });

  test('opens on the first failure with a threshold of 1 (6)', async () => {
    const { breaker } = breakerOnClock({ failureThreshold: 1 });
    await fail(breaker);
    expect(breaker.state).toBe('OPEN');
  });

  test('counts to 100,000 (6)', () => {
    const { breaker } = breakerOnClock({ failureThreshold: 100_000 });
    for (let call = 1; call < 100_000; call++) breaker.acquire().fail(down);
    expect(breaker.state).toBe('CLOSED');
    breaker.acquire().fail(down);
    expect(breaker.state).toBe('OPEN');
  });

  test.each([
    { failureThreshold: 0 },
    { failureThreshold: -1 },
    { failureThreshold: 1.5 },
    { failureThreshold: Number.NaN },
    { failureThreshold: Infinity },
    { windowSeconds: 0 },
    { windowSeconds: Number.NaN },
    { recoveryTimeout: -1 },
    { recoveryTimeout: 0 },
    { halfOpenPermits: 0 },
    { probeLeaseMs: 0 },
    { name: '' },
    { recoveryBackoff: { factor: 0.5 } },
    { recoveryBackoff: { maxSeconds: 59 } },
    { recoveryBackoff: { jitter: 2 } },
    { recoveryBackoff: { maximum: 3 } as object },
    { rule: { consecutive: 0 } },
    { rule: { failureRate: 0 } },
    { rule: { failureRate: 1.1 } },
    { rule: { failureRate: 0.5, minimumCalls: 0 } },
    { rule: { failureRate: 0.5, consecutive: 2 } as { consecutive: number } },
    { rule: { consecutive: 3 }, failureThreshold: 3 },
    { rule: { consecutive: 3 }, windowSeconds: 3 },
    { failureTreshold: 3 } as object,
  ])('refuses %j at construction (6)', (options) => {
    expect(() => new CircuitBreaker({ name: 'test', ...options })).toThrow(ConfigError);
  });

  test('opens once for 50 calls that fail together, and the others do not push the end out (8)', async () => {
    const { breaker, clock } = breakerOnClock({ failureThreshold: 5 });
    const transitions = vi.fn();
    breaker.on('transition', transitions);
    const calls = Array.from({ length: 50 }, () => openCall(breaker));
    for (const [index, call] of calls.entries()) {
      call.reject(down);
      await call.result;
      if (index >= 4) await clock.advance(100);
    }
    expect(transitions.mock.calls).toEqual([
      [{ breaker: 'test', from: 'CLOSED', to: 'OPEN', reason: 'failures', openMs: 60_000, cause: down }],
    ]);
    expect(breaker.retryAfterMs).toBe(60_000 - 46 * 100);
    expect(breaker.stats()).toMatchObject({ failures: 5, late: 45, transitions: 1 });
  });
});

describe('the rule of consecutive failures', () => {
  test('is reset by a success, and knows no window (4)', async () => {
    const { breaker, clock } = breakerOnClock({ rule: { consecutive: 3 } });
    await fail(breaker, 2);
    await breaker.execute(() => 'well');
    await fail(breaker, 2);
    await clock.advance(24 * 3_600_000);
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker);
    expect(breaker.state).toBe('OPEN');
  });
});

describe('the rule of the failure rate', () => {
  const rate = { rule: { failureRate: 0.5, minimumCalls: 10 }, windowSeconds: 10 };

  test('does not open before there were enough calls (7)', async () => {
    const { breaker } = breakerOnClock(rate);
    await fail(breaker, 9);
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker);
    expect(breaker.state).toBe('OPEN');
  });

  test('opens when half of the calls have failed, and not before', async () => {
    const { breaker } = breakerOnClock(rate);
    for (let call = 0; call < 10; call++) await breaker.execute(() => 'well');
    await fail(breaker, 9);
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker);
    expect(breaker.state).toBe('OPEN');
  });

  test('leaves out calls in flight, refused and neutral ones (7)', async () => {
    const { breaker } = breakerOnClock({
      ...rate,
      classify: (error) => (error === down ? 'failure' : 'neutral'),
    });
    Array.from({ length: 100 }, () => openCall(breaker));
    await fail(breaker, 50, new Error('bad request'));
    using isolation = breaker.isolate();
    await fail(breaker, 50);
    isolation.release();
    await fail(breaker, 9);
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker);
    expect(breaker.state).toBe('OPEN');
  });

  test('forgets what is older than the window, however long nothing happened', async () => {
    const { breaker, clock } = breakerOnClock(rate);
    for (const idleMs of [10_000, 14_500, 100_500]) {
      await fail(breaker, 9);
      await clock.advance(idleMs);
    }
    await fail(breaker, 9);
    expect(breaker.state).toBe('CLOSED');
    await clock.advance(24 * 3_600_000);
    await fail(breaker, 9);
    expect(breaker.state).toBe('CLOSED');
  });

  test('counts calls that take longer than the window (opossum never opens on them)', async () => {
    const { breaker, clock } = breakerOnClock(rate);
    const calls = Array.from({ length: 10 }, () => openCall(breaker));
    await clock.advance(60_000);
    for (const call of calls) call.reject(down);
    await Promise.all(calls.map(({ result }) => result));
    expect(breaker.state).toBe('OPEN');
  });
});
