import { CircuitBreakerOpen, isSynapseError, ProviderError } from '@synapsekit/core';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, down, fail, outcome } from '../../test/breakers.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

const quota = (retryAfterMs?: number) =>
  new ProviderError('Out of quota.', {
    kind: 'quota',
    provider: 'openai',
    model: 'gpt-4o',
    status: 429,
    retryAfterMs,
  });

describe('an open circuit', () => {
  test('refuses within the same turn, with the wait that is left and the failure that opened it (9)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(15_000);
    const settled = vi.fn();
    const refused = breaker.execute(() => 'answer').catch(settled);
    await refused;
    const error = settled.mock.lastCall?.[0] as CircuitBreakerOpen;
    expect(error).toBeInstanceOf(CircuitBreakerOpen);
    expect(isSynapseError(error, 'circuit-open')).toBe(true);
    expect(error).toMatchObject({ breaker: 'test', state: 'OPEN', retryAfterMs: 45_000, cause: down });
    expect(error.message).toBe(
      'Circuit breaker "test" is OPEN: nothing was sent. Its next probe may go out in 45000 ms; until then ask another provider.',
    );
  });

  test('refuses before any other promise that is due can settle (9)', async () => {
    const { breaker } = breakerOnClock();
    await fail(breaker, 3);
    const order: string[] = [];
    const refused = breaker.execute(() => 'answer').catch(() => order.push('refused'));
    const other = Promise.resolve().then(() => order.push('other'));
    await Promise.all([refused, other]);
    expect(order[0]).toBe('refused');
  });

  test('gives its refusals a stack trace only on request', async () => {
    const { breaker } = breakerOnClock();
    const debugged = breakerOnClock({ captureStack: true }).breaker;
    const limit = Error.stackTraceLimit;
    breaker.open();
    debugged.open();
    expect(() => breaker.acquire()).toThrow(
      expect.objectContaining({ stack: expect.not.stringContaining('\n    at ') }),
    );
    expect(() => debugged.acquire()).toThrow(
      expect.objectContaining({ stack: expect.stringContaining('\n    at ') }),
    );
    expect(Error.stackTraceLimit).toBe(limit);
  });

  test('lets the probe through exactly when the time is over, not a millisecond before (10)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(59_999);
    expect(breaker.retryAfterMs).toBe(1);
    expect(breaker.tryAcquire()).toBeUndefined();
    await clock.advance(1);
    expect(breaker.retryAfterMs).toBe(0);
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  test('reads as HALF_OPEN when the time is over, and reading it changes nothing (11)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    const events = vi.fn();
    breaker.on('transition', events);
    await clock.advance(60_000);
    for (let read = 0; read < 1_000; read++) {
      expect(breaker.state).toBe('HALF_OPEN');
      expect(breaker.availability()).toEqual({ available: true });
    }
    expect(events).not.toHaveBeenCalled();
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', openForMs: 0 });
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  test('keeps count of refusals and nothing else of them (12)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    const before = breaker.snapshot();
    for (let call = 0; call < 1_000_000; call++) breaker.tryAcquire();
    expect(breaker.stats()).toMatchObject({ refusals: 1_000_000, failures: 3 });
    expect(breaker.snapshot()).toEqual(before);
    await clock.advance(60_000);
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  test('needs nobody to wake it: a loop that was blocked past the time probes with the next call (13)', async () => {
    let nowMs = 0;
    const clock = { ...breakerOnClock().clock, monotonic: () => nowMs, now: () => 0 } as never;
    const breaker = new CircuitBreaker({ name: 'blocked', failureThreshold: 1, recoveryTimeout: 1, clock });
    await fail(breaker);
    nowMs = 1_000_000;
    await expect(breaker.execute(() => 'well')).resolves.toBe('well');
    expect(breaker.state).toBe('CLOSED');
  });

  test('owns no timer, so it keeps no process alive (13, 65)', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    const breakers = Array.from(
      { length: 10_000 },
      (_, index) => new CircuitBreaker({ name: `b${index}`, failureThreshold: 1 }),
    );
    for (const breaker of breakers) breaker.acquire().fail(down);
    expect(breakers.every(({ state }) => state === 'OPEN')).toBe(true);
    expect(timers()).toBe(before);
  });

  test('says through availability what a call would be refused with', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(20_000);
    expect(breaker.availability()).toMatchObject({
      available: false,
      retryAfterMs: 40_000,
      error: { code: 'circuit-open', breaker: 'test', state: 'OPEN' },
    });
    expect(breaker.stats().refusals).toBe(0);
  });

  test('can be opened by hand, for the later of two times, and closed again', async () => {
    const { breaker } = breakerOnClock();
    breaker.open(5_000);
    expect(breaker.retryAfterMs).toBe(5_000);
    breaker.open(1_000);
    expect(breaker.retryAfterMs).toBe(5_000);
    breaker.open();
    expect(breaker.retryAfterMs).toBe(60_000);
    breaker.close();
    expect(breaker.state).toBe('CLOSED');
    expect(() => breaker.open(Number.NaN)).toThrow('ms must be');
    expect(await breaker.execute(() => 'well')).toBe('well');
  });
});

describe('verdicts that open for a time of their own', () => {
  test.each([
    [undefined, 15 * 60_000],
    [120_000, 120_000],
    [0, 0],
    [36_000_000, 3_600_000],
  ])('a quota that asks to wait %s ms opens for %i ms at once', async (retryAfterMs, openMs) => {
    const { breaker } = breakerOnClock();
    const fatal = vi.fn();
    breaker.on('fatal', fatal);
    const error = quota(retryAfterMs);
    await fail(breaker, 1, error);
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', openForMs: openMs });
    expect(fatal).toHaveBeenCalledExactlyOnceWith({ breaker: 'test', error });
  });

  test('a probe that finds the quota gone opens again for as long as the provider asks', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(60_000);
    await fail(breaker, 1, quota(600_000));
    expect(breaker.retryAfterMs).toBe(600_000);
  });

  test('a classify of your own may say so too, for at most a day', async () => {
    const { breaker } = breakerOnClock({ classify: () => ({ openMs: 1e12 }) });
    await fail(breaker);
    expect(breaker.retryAfterMs).toBe(24 * 3_600_000);
  });

  test('a refused key is told as fatal and does not count', async () => {
    const { breaker } = breakerOnClock();
    const fatal = vi.fn();
    breaker.on('fatal', fatal);
    const error = new ProviderError('Wrong key.', {
      kind: 'auth',
      provider: 'openai',
      model: 'gpt-4o',
      status: 401,
    });
    await fail(breaker, 10, error);
    expect(breaker.state).toBe('CLOSED');
    expect(fatal).toHaveBeenCalledTimes(10);
    expect(breaker.stats()).toMatchObject({ failures: 0, neutral: 10 });
  });

  test('a 429 does not count: the provider is well', async () => {
    const { breaker } = breakerOnClock();
    const throttled = new ProviderError('Slow down.', {
      kind: 'rate-limit',
      provider: 'openai',
      model: 'gpt-4o',
      status: 429,
      retryAfterMs: 5_000,
    });
    await fail(breaker, 100, throttled);
    expect(breaker.state).toBe('CLOSED');
    expect(await outcome(breaker.execute(() => 'well'))).toEqual({ value: 'well' });
  });
});
