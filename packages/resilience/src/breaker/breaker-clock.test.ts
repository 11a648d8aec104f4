import { type Clock, ConfigError } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { breakerOnClock, fail } from '../../test/breakers.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

/** A clock that reads what the test says, however wrong. */
function brokenClock(): { readonly clock: Clock; monotonicMs: number } {
  const state = {
    monotonicMs: 0,
    clock: {
      now: () => 0,
      monotonic: () => state.monotonicMs,
      sleep: () => Promise.reject(new Error('a breaker never sleeps')),
      timer: () => {
        throw new Error('a breaker sets no timer');
      },
    },
  };
  return state;
}

function openBreaker() {
  const time = brokenClock();
  const breaker = new CircuitBreaker({
    name: 'test',
    failureThreshold: 1,
    recoveryTimeout: 60,
    clock: time.clock,
  });
  breaker.open();
  return { breaker, time };
}

describe('time', () => {
  test.each([-3_600_000, 3_600_000])(
    'a wall clock that jumps by %i ms changes nothing (30)',
    async (jumpMs) => {
      const { breaker, clock } = breakerOnClock();
      await fail(breaker, 2);
      clock.setWall(clock.now() + jumpMs);
      await fail(breaker);
      expect(breaker.retryAfterMs).toBe(60_000);
      clock.setWall(clock.now() + jumpMs);
      await clock.advance(59_999);
      expect(breaker.state).toBe('OPEN');
      await clock.advance(1);
      expect(breaker.state).toBe('HALF_OPEN');
    },
  );

  test('a monotonic clock that steps back loses no time and wins none (31)', () => {
    const { breaker, time } = openBreaker();
    time.monotonicMs = 20_000;
    expect(breaker.retryAfterMs).toBe(40_000);
    time.monotonicMs = 15_000;
    expect(breaker.retryAfterMs).toBe(40_000);
    time.monotonicMs = 54_999;
    expect(breaker.retryAfterMs).toBe(1);
    expect(breaker.tryAcquire()).toBeUndefined();
    time.monotonicMs = 55_000;
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  test('a clock that went back by a day does not keep the circuit open for a day (31)', () => {
    const { breaker, time } = openBreaker();
    time.monotonicMs = -86_400_000;
    expect(breaker.retryAfterMs).toBe(60_000);
    time.monotonicMs += 60_000;
    expect(breaker.state).toBe('HALF_OPEN');
  });

  test('failures are never of a negative age (31)', () => {
    const time = brokenClock();
    const breaker = new CircuitBreaker({
      name: 'test',
      failureThreshold: 3,
      windowSeconds: 10,
      clock: time.clock,
    });
    for (const atMs of [8_000, 3_000, 5_000]) {
      time.monotonicMs = atMs;
      breaker.acquire().fail(new Error('down'));
    }
    expect(breaker.state).toBe('OPEN');
  });

  test('a clock that stands still never lets a probe through, and counts failures all the same (31)', async () => {
    const time = brokenClock();
    const breaker = new CircuitBreaker({ name: 'test', failureThreshold: 3, clock: time.clock });
    await fail(breaker, 3);
    expect(breaker.state).toBe('OPEN');
    expect(breaker.retryAfterMs).toBe(60_000);
  });

  test.each([Number.NaN, Infinity, -Infinity])(
    'a reading of %s counts as the last good one (31)',
    (reading) => {
      const { breaker, time } = openBreaker();
      time.monotonicMs = 10_000;
      expect(breaker.retryAfterMs).toBe(50_000);
      time.monotonicMs = reading;
      expect(breaker.retryAfterMs).toBe(50_000);
      time.monotonicMs = 60_000;
      expect(breaker.state).toBe('HALF_OPEN');
    },
  );

  test('a clock that cannot tell the time is refused at construction (31)', () => {
    const time = brokenClock();
    time.monotonicMs = Number.NaN;
    expect(() => new CircuitBreaker({ name: 'test', clock: time.clock })).toThrow(ConfigError);
  });

  test('after a sleep of eight hours that the clock has counted, the next call probes (32)', () => {
    const { breaker, time } = openBreaker();
    time.monotonicMs = 8 * 3_600_000;
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });
});
