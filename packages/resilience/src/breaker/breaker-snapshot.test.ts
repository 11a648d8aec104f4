import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, fail } from '../../test/breakers.ts';
import type { BreakerSnapshot } from './breaker-snapshot.ts';

const viaJson = (snapshot: BreakerSnapshot): unknown => JSON.parse(JSON.stringify(snapshot));

describe('a snapshot', () => {
  test('survives JSON: an open circuit stays open for the rest of its time (61)', async () => {
    const before = breakerOnClock();
    await fail(before.breaker, 3);
    await before.clock.advance(20_000);
    const after = breakerOnClock();
    after.clock.setWall(before.clock.now());
    const events = vi.fn();
    after.breaker.on('transition', events);
    expect(after.breaker.restore(viaJson(before.breaker.snapshot()))).toBe(true);
    expect(after.breaker.retryAfterMs).toBe(40_000);
    expect(events).toHaveBeenCalledExactlyOnceWith({
      breaker: 'test',
      from: 'CLOSED',
      to: 'OPEN',
      reason: 'restored',
      openMs: 40_000,
    });
  });

  test('counts the time that passed between saving and restoring', async () => {
    const before = breakerOnClock();
    await fail(before.breaker, 3);
    const after = breakerOnClock();
    after.clock.setWall(before.clock.now() + 50_000);
    after.breaker.restore(before.breaker.snapshot());
    expect(after.breaker.retryAfterMs).toBe(10_000);
  });

  test('of a half-open circuit is one that is open with nothing left: its probe is gone (61)', async () => {
    const before = breakerOnClock();
    await fail(before.breaker, 3);
    await before.clock.advance(60_000);
    before.breaker.acquire();
    const snapshot = before.breaker.snapshot();
    expect(snapshot).toMatchObject({ state: 'OPEN', openForMs: 0, openings: 1 });
    const after = breakerOnClock();
    after.breaker.restore(snapshot);
    expect(after.breaker.state).toBe('HALF_OPEN');
    expect(after.breaker.tryAcquire()?.probe).toBe(true);
  });

  test('keeps the failures of the window, as old as they are by then', async () => {
    const before = breakerOnClock();
    await fail(before.breaker);
    await before.clock.advance(5_000);
    await fail(before.breaker);
    const snapshot = before.breaker.snapshot();
    expect(snapshot.window).toEqual([5_000, 0]);
    const soon = breakerOnClock();
    soon.breaker.restore(snapshot);
    await fail(soon.breaker);
    expect(soon.breaker.state).toBe('OPEN');
    const later = breakerOnClock();
    later.clock.setWall(snapshot.savedAtMs + 5_000);
    later.breaker.restore(snapshot);
    await fail(later.breaker);
    expect(later.breaker.state).toBe('CLOSED');
  });

  test('keeps consecutive failures, and the calls of a rate', async () => {
    const consecutive = breakerOnClock({ rule: { consecutive: 3 } });
    await fail(consecutive.breaker, 2);
    const next = breakerOnClock({ rule: { consecutive: 3 } });
    next.breaker.restore(consecutive.breaker.snapshot());
    await fail(next.breaker);
    expect(next.breaker.state).toBe('OPEN');

    const rule = { failureRate: 0.5, minimumCalls: 10 };
    const rate = breakerOnClock({ rule });
    await fail(rate.breaker, 9);
    await rate.breaker.execute(() => 'well');
    const again = breakerOnClock({ rule });
    again.breaker.restore(rate.breaker.snapshot());
    await fail(again.breaker);
    expect(again.breaker.state).toBe('OPEN');
  });

  test('keeps the back-off', async () => {
    const options = { recoveryBackoff: { jitter: 0 } };
    const before = breakerOnClock(options);
    await fail(before.breaker, 3);
    await before.clock.advance(60_000);
    await fail(before.breaker);
    const after = breakerOnClock(options);
    after.breaker.restore(before.breaker.snapshot());
    expect(after.breaker.retryAfterMs).toBe(120_000);
    await after.clock.advance(120_000);
    await fail(after.breaker);
    expect(after.breaker.retryAfterMs).toBe(240_000);
  });

  test('of a machine whose clock is wrong cannot hold the circuit open for longer than its longest recovery (61)', () => {
    const { breaker, clock } = breakerOnClock();
    const snapshot = { ...breaker.snapshot(), state: 'OPEN', openForMs: 1e12 };
    breaker.restore({ ...snapshot, savedAtMs: clock.now() + 3_600_000 });
    expect(breaker.retryAfterMs).toBe(60_000);
  });

  test('of another breaker, version or kind is refused, told and without effect (61)', async () => {
    const { breaker } = breakerOnClock();
    await fail(breaker, 2);
    const before = breaker.snapshot();
    const faults = vi.fn();
    breaker.on('fault', faults);
    const wrong = [
      { ...before, breaker: 'other' },
      { ...before, version: 2 },
      { ...before, state: 'HALF_OPEN' },
      { ...before, openForMs: Number.NaN },
      { ...before, window: [-1] },
      { ...before, window: 'none' },
      null,
      undefined,
      'garbage',
    ];
    for (const garbage of wrong) expect(breaker.restore(garbage)).toBe(false);
    expect(faults).toHaveBeenCalledTimes(wrong.length);
    expect(faults.mock.lastCall?.[0]).toMatchObject({ source: 'restore', error: { code: 'config' } });
    expect(breaker.snapshot()).toEqual(before);
  });

  test('of any content whatever never throws and never opens beyond the longest recovery', () => {
    const { breaker } = breakerOnClock();
    const base = breaker.snapshot();
    const part = fc.record(
      {
        state: fc.oneof(fc.constantFrom('OPEN', 'CLOSED'), fc.anything()),
        openForMs: fc.oneof(fc.double(), fc.anything()),
        openings: fc.oneof(fc.nat(), fc.double(), fc.anything()),
        rule: fc.oneof(fc.constantFrom('failures', 'rate', 'consecutive'), fc.anything()),
        window: fc.oneof(fc.array(fc.double()), fc.anything()),
        savedAtMs: fc.oneof(fc.double(), fc.anything()),
      },
      { noNullPrototype: true, requiredKeys: [] },
    );
    fc.assert(
      fc.property(part, (changes) => {
        breaker.restore({ ...base, ...changes });
        expect(breaker.retryAfterMs).toBeLessThanOrEqual(60_000);
        breaker.reset();
      }),
      { numRuns: 1_000 },
    );
  });
});
