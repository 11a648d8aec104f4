import { describe, expect, test } from 'vitest';
import { breakerOnClock, down, fail, openCall } from '../../test/breakers.ts';

describe('late results', () => {
  test('a failure of a call from before the outage does not disturb the probe (24)', async () => {
    const { breaker, clock } = breakerOnClock();
    const late = openCall(breaker);
    await fail(breaker, 3);
    await clock.advance(60_000);
    const probe = openCall(breaker);
    late.reject(down);
    expect(await late.result).toEqual({ error: down });
    expect(breaker.state).toBe('HALF_OPEN');
    probe.resolve('well');
    await probe.result;
    expect(breaker.state).toBe('CLOSED');
  });

  test('a success of such a call closes neither an open nor a half-open circuit (25)', async () => {
    const { breaker, clock } = breakerOnClock();
    const [first, second] = [openCall(breaker), openCall(breaker)];
    await fail(breaker, 3);
    first.resolve('late');
    expect(await first.result).toEqual({ value: 'late' });
    expect(breaker.state).toBe('OPEN');
    await clock.advance(60_000);
    openCall(breaker);
    second.resolve('later');
    await second.result;
    expect(breaker.state).toBe('HALF_OPEN');
  });

  test('failures of such calls do not open a circuit that has recovered (26, 27)', async () => {
    const { breaker, clock } = breakerOnClock();
    const late = Array.from({ length: 20 }, () => openCall(breaker));
    await fail(breaker, 3);
    await clock.advance(60_000);
    await breaker.execute(() => 'well');
    for (const call of late) call.reject(down);
    for (const call of late) expect(await call.result).toEqual({ error: down });
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.stats().late).toBe(20);
    await fail(breaker, 2);
    expect(breaker.state).toBe('CLOSED');
  });

  test.each(['close', 'reset', 'isolate', 'restore', 'open'] as const)(
    '%s makes all verdicts of calls in flight void (28)',
    async (act) => {
      const { breaker } = breakerOnClock();
      const calls = Array.from({ length: 3 }, () => openCall(breaker));
      const snapshot = breaker.snapshot();
      if (act === 'restore') breaker.restore(snapshot);
      else if (act === 'isolate') breaker.isolate().release();
      else breaker[act]();
      const before = breaker.state;
      for (const call of calls) call.reject(down);
      await Promise.all(calls.map(({ result }) => result));
      expect(breaker.state).toBe(before);
      expect(breaker.stats()).toMatchObject({ failures: 0, late: 3 });
    },
  );

  test('closing by hand while the probe is out makes its verdict void (28)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(60_000);
    const probe = openCall(breaker);
    breaker.close();
    probe.reject(down);
    await probe.result;
    expect(breaker.state).toBe('CLOSED');
  });

  test('reset starts all counters over', async () => {
    const { breaker } = breakerOnClock();
    await fail(breaker, 5);
    breaker.reset();
    expect(breaker.stats()).toEqual({
      state: 'CLOSED',
      isolated: false,
      successes: 0,
      failures: 0,
      neutral: 0,
      late: 0,
      refusals: 0,
      transitions: 0,
    });
  });
});
