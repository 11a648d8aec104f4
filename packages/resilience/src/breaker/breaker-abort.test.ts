import { getEventListeners } from 'node:events';
import { CallTimeoutError } from '@synapsekit/core';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, down, fail, openCall, outcome } from '../../test/breakers.ts';
import { keptBytes } from '../../test/heap.ts';
import { withTimeout } from '../with-timeout.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

describe('an abort', () => {
  test('before the call: nothing is called or counted, no probe is used (39)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(60_000);
    const before = breaker.stats();
    const fn = vi.fn();
    const signal = AbortSignal.abort(new Error('stop'));
    expect(await outcome(breaker.execute(fn, { signal }))).toEqual({ error: signal.reason });
    expect(fn).not.toHaveBeenCalled();
    expect(breaker.stats()).toEqual(before);
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  test('in flight reaches the caller at once and is neutral, however the call then ends (40)', async () => {
    for (const end of ['rejects', 'resolves'] as const) {
      const { breaker } = breakerOnClock({ failureThreshold: 1 });
      const controller = new AbortController();
      const call = openCall(breaker, { signal: controller.signal });
      controller.abort(new Error('stop'));
      expect(await call.result).toEqual({ error: controller.signal.reason });
      if (end === 'rejects') call.reject(down);
      else call.resolve('late');
      await Promise.resolve();
      expect(breaker.stats()).toMatchObject({ state: 'CLOSED', successes: 0, failures: 0, neutral: 1 });
    }
  });

  test('leaves nothing behind: 100,000 calls on one signal, no listener, no memory (40)', async () => {
    const { breaker } = breakerOnClock();
    const { signal } = new AbortController();
    const kept = await keptBytes(async () => {
      for (let call = 0; call < 50_000; call++) await breaker.execute(() => call, { signal });
    });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(kept).toBeLessThan(1_000_000);
    expect(breaker.stats().successes).toBe(100_000);
  });

  test('a million calls without a signal keep nothing either', async () => {
    const { breaker } = breakerOnClock();
    const kept = await keptBytes(async () => {
      for (let call = 0; call < 200_000; call++) await breaker.execute(() => call);
    });
    expect(kept).toBeLessThan(1_000_000);
  });

  test('by a time limit of ours counts, by one in the caller’s signal does not (41)', async () => {
    const { breaker, clock } = breakerOnClock({ failureThreshold: 1 });
    const hang = ({ signal }: { signal?: AbortSignal | undefined }) =>
      new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const timedOut = new AbortController();
    const theirs = outcome(breaker.execute(hang, { signal: timedOut.signal }));
    timedOut.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    expect(await theirs).toEqual({ error: timedOut.signal.reason });
    expect(breaker.state).toBe('CLOSED');
    const ours = outcome(breaker.execute(() => withTimeout(hang, 1_000, { clock })));
    await clock.advance(1_000);
    expect(await ours).toEqual({ error: expect.any(CallTimeoutError) });
    expect(breaker.state).toBe('OPEN');
  });
});

describe('what a breaker costs', () => {
  test('about a kilobyte each, 10,000 of them (65)', async () => {
    const breakers: CircuitBreaker[] = [];
    const kept = await keptBytes(async () => {
      for (let index = 0; index < 5_000; index++) breakers.push(new CircuitBreaker({ name: 'b' }));
    });
    expect(breakers).toHaveLength(10_000);
    expect(kept / 5_000).toBeLessThan(1_100);
  });
});
