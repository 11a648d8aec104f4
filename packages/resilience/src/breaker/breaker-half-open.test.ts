import { CircuitBreakerOpen, ProviderError } from '@synapsekit/core';
import { seededRandom } from '@synapsekit/testing';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, down, fail, openCall, outcome } from '../../test/breakers.ts';

/** A breaker whose next caller is the probe. */
async function readyToProbe(options: Parameters<typeof breakerOnClock>[0] = {}) {
  const { breaker, clock } = breakerOnClock(options);
  await fail(breaker, 3);
  await clock.advance(60_000);
  return { breaker, clock };
}

const badRequest = new ProviderError('Bad.', { kind: 'bad-request', provider: 'p', model: 'm', status: 400 });

describe('a half-open circuit', () => {
  test('calls once for 1,000 callers and refuses the others while the probe is still out (14)', async () => {
    const { breaker } = await readyToProbe();
    const calls = Array.from({ length: 1_000 }, () => openCall(breaker));
    expect(calls.filter(({ called }) => called)).toHaveLength(1);
    const refused = await Promise.all(calls.slice(1).map(({ result }) => result));
    for (const { error } of refused as { error: unknown }[]) expect(error).toBeInstanceOf(CircuitBreakerOpen);
    expect(breaker.state).toBe('HALF_OPEN');
    calls[0]?.resolve('well');
    expect(await calls[0]?.result).toEqual({ value: 'well' });
    expect(breaker.state).toBe('CLOSED');
  });

  test('tells refused callers how long the probe may take at most', async () => {
    const { breaker, clock } = await readyToProbe({ probeLeaseMs: 5_000 });
    openCall(breaker);
    await clock.advance(1_000);
    expect(breaker.availability()).toMatchObject({ available: false, retryAfterMs: 4_000 });
    await expect(breaker.execute(() => 'answer')).rejects.toMatchObject({
      state: 'HALF_OPEN',
      retryAfterMs: 4_000,
      message: expect.stringContaining('in 4000 ms at the latest'),
    });
  });

  test('closes with an empty window (15)', async () => {
    const { breaker } = await readyToProbe();
    await breaker.execute(() => 'well');
    await fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker);
    expect(breaker.state).toBe('OPEN');
  });

  test('opens again for the whole time from when the probe failed (16)', async () => {
    const { breaker, clock } = await readyToProbe();
    const probe = openCall(breaker);
    await clock.advance(20_000);
    probe.reject(down);
    await probe.result;
    expect(breaker.retryAfterMs).toBe(60_000);
  });

  test('waits longer after each failed probe, up to a cap, and starts over after a success (16)', async () => {
    const { breaker, clock } = breakerOnClock({ recoveryBackoff: { factor: 2, maxSeconds: 300, jitter: 0 } });
    await fail(breaker, 3);
    const waits: (number | undefined)[] = [breaker.retryAfterMs];
    for (let probe = 0; probe < 4; probe++) {
      await clock.advance(breaker.retryAfterMs ?? 0);
      await fail(breaker);
      waits.push(breaker.retryAfterMs);
    }
    expect(waits).toEqual([60_000, 120_000, 240_000, 300_000, 300_000]);
    await clock.advance(300_000);
    await breaker.execute(() => 'well');
    await fail(breaker, 3);
    expect(breaker.retryAfterMs).toBe(60_000);
  });

  test('spreads the waits upward only, and not the first (16)', async () => {
    const random = seededRandom(1);
    const waits = new Set<number>();
    for (let run = 0; run < 50; run++) {
      const { breaker, clock } = breakerOnClock({ recoveryBackoff: { factor: 1, jitter: 0.2 }, random });
      await fail(breaker, 3);
      expect(breaker.retryAfterMs).toBe(60_000);
      await clock.advance(60_000);
      await fail(breaker);
      waits.add(breaker.retryAfterMs ?? 0);
    }
    expect(waits.size).toBe(50);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...waits)).toBeLessThan(72_000);
  });

  test('keeps the time constant unless told otherwise, as the tutorial says', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    for (let probe = 0; probe < 5; probe++) {
      await clock.advance(60_000);
      await fail(breaker);
      expect(breaker.retryAfterMs).toBe(60_000);
    }
  });

  test('gives the place of a hung probe to one other caller, and hears the old one no more (17)', async () => {
    const { breaker, clock } = await readyToProbe({ probeLeaseMs: 10_000 });
    const hung = openCall(breaker);
    await clock.advance(9_999);
    await fail(breaker);
    expect(breaker.stats().refusals).toBe(1);
    await clock.advance(1);
    const calls = Array.from({ length: 100 }, () => openCall(breaker));
    expect(calls.filter(({ called }) => called)).toHaveLength(1);
    hung.resolve('late');
    expect(await hung.result).toEqual({ value: 'late' });
    expect(breaker.state).toBe('HALF_OPEN');
    calls[0]?.reject(down);
    await calls[0]?.result;
    expect(breaker.state).toBe('OPEN');
  });

  test('lets the late failure of a hung probe change nothing (17)', async () => {
    const { breaker, clock } = await readyToProbe({ probeLeaseMs: 10_000 });
    const hung = openCall(breaker);
    await clock.advance(10_000);
    const second = openCall(breaker);
    hung.reject(down);
    await hung.result;
    expect(breaker.state).toBe('HALF_OPEN');
    second.resolve('well');
    await second.result;
    expect(breaker.state).toBe('CLOSED');
  });

  test('doubles the lease with each lapse, so that a slow model can still close its circuit', async () => {
    const { breaker, clock } = await readyToProbe({ probeLeaseMs: 10_000 });
    for (const leaseMs of [10_000, 20_000, 40_000, 80_000, 160_000, 160_000]) {
      const probe = openCall(breaker);
      expect(probe.called).toBe(true);
      expect(breaker.retryAfterMs).toBe(leaseMs);
      await clock.advance(leaseMs);
    }
  });

  test.each(['before', 'after'] as const)(
    'an aborted probe (%s its start) is neutral, the next caller probes (18)',
    async (when) => {
      const { breaker } = await readyToProbe();
      const controller = new AbortController();
      if (when === 'before') controller.abort(new Error('stop'));
      const aborted = openCall(breaker, { signal: controller.signal });
      expect(aborted.called).toBe(when === 'after');
      controller.abort(new Error('stop'));
      // At once: before anybody has waited for anything.
      expect(breaker.state).toBe('HALF_OPEN');
      const probe = openCall(breaker);
      expect(probe.called).toBe(true);
      expect(await aborted.result).toEqual({ error: controller.signal.reason });
      expect(breaker.stats()).toMatchObject({ failures: 3, successes: 0 });
    },
  );

  test('a bad request is neutral: a stream of nothing else never wedges it (19)', async () => {
    const { breaker } = await readyToProbe();
    for (let call = 0; call < 100; call++) {
      expect(await outcome(breaker.execute(() => Promise.reject(badRequest)))).toEqual({ error: badRequest });
    }
    expect(breaker.state).toBe('HALF_OPEN');
    await breaker.execute(() => 'well');
    expect(breaker.state).toBe('CLOSED');
  });

  test('a classify that throws counts as a failure, is reported, and the caller has his own error (20)', async () => {
    const fault = new Error('classify is broken');
    const { breaker } = await readyToProbe({
      classify: (error) => {
        if (error === down) return 'failure';
        throw fault;
      },
    });
    const faults = vi.fn();
    breaker.on('fault', faults);
    const error = new Error('probe');
    expect(await outcome(breaker.execute(() => Promise.reject(error)))).toEqual({ error });
    expect(breaker.state).toBe('OPEN');
    expect(faults).toHaveBeenCalledExactlyOnceWith({ breaker: 'test', source: 'classify', error: fault });
  });

  test('a validate that throws or says no counts as a failure, and the caller has his result (20)', async () => {
    const { breaker, clock } = await readyToProbe({
      validate: (result) => {
        if (result === 'broken') throw new Error('no');
        return result !== 'bad';
      },
    });
    const faults = vi.fn();
    breaker.on('fault', faults);
    expect(await breaker.execute(() => 'broken')).toBe('broken');
    expect(breaker.state).toBe('OPEN');
    expect(faults).toHaveBeenCalledTimes(1);
    await clock.advance(60_000);
    expect(await breaker.execute(() => 'bad')).toBe('bad');
    expect(breaker.state).toBe('OPEN');
    await clock.advance(60_000);
    expect(await breaker.execute(() => 'good')).toBe('good');
    expect(breaker.state).toBe('CLOSED');
  });

  test('a verdict that is none counts as a failure', async () => {
    for (const nonsense of [undefined, 'maybe', { openMs: Number.NaN }, { openMs: -1 }, null]) {
      const { breaker } = breakerOnClock({ classify: () => nonsense as 'neutral' });
      const faults = vi.fn();
      breaker.on('fault', faults);
      await fail(breaker, 3);
      expect(breaker.state).toBe('OPEN');
      expect(faults).toHaveBeenCalledTimes(3);
    }
  });

  test('with three permits admits exactly three; all must succeed (21)', async () => {
    const { breaker } = await readyToProbe({ halfOpenPermits: 3 });
    const calls = Array.from({ length: 10 }, () => openCall(breaker));
    expect(calls.filter(({ called }) => called)).toHaveLength(3);
    for (const [index, call] of calls.slice(0, 3).entries()) {
      expect(breaker.state).toBe('HALF_OPEN');
      // A success does not give its place to a fourth.
      if (index > 0) expect(breaker.tryAcquire()).toBeUndefined();
      call.resolve('well');
      await call.result;
    }
    expect(breaker.state).toBe('CLOSED');
  });

  test('with three permits opens on the first failure; a success after it is void (21)', async () => {
    const { breaker } = await readyToProbe({ halfOpenPermits: 3 });
    const [first, second, third] = [openCall(breaker), openCall(breaker), openCall(breaker)];
    first.resolve('well');
    await first.result;
    second.reject(down);
    await second.result;
    expect(breaker.state).toBe('OPEN');
    third.resolve('well');
    expect(await third.result).toEqual({ value: 'well' });
    expect(breaker.state).toBe('OPEN');
  });

  test('refuses who comes before the probe is back, in the same tick, and lets through who comes after (22)', async () => {
    const { breaker } = await readyToProbe();
    const probe = breaker.acquire();
    const before = openCall(breaker);
    probe.succeed();
    const after = openCall(breaker);
    expect([before.called, after.called]).toEqual([false, true]);
  });

  test('refuses a call that the probe itself makes through the same breaker (23)', async () => {
    const { breaker } = await readyToProbe();
    const inner = await breaker.execute(() => outcome(breaker.execute(() => 'inner')));
    expect(inner).toEqual({ error: expect.any(CircuitBreakerOpen) });
    expect(breaker.state).toBe('CLOSED');
  });
});
