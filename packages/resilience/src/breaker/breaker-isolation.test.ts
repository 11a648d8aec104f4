import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { breakerOnClock, down, fail, openCall, outcome } from '../../test/breakers.ts';

describe('isolation by hand', () => {
  test('lasts until everybody has released it; releasing twice does no harm (63)', async () => {
    const { breaker } = breakerOnClock();
    const [first, second] = [breaker.isolate(), breaker.isolate()];
    first.release();
    first.release();
    expect(breaker.isolated).toBe(true);
    expect(breaker.state).toBe('OPEN');
    expect(breaker.retryAfterMs).toBeUndefined();
    await expect(breaker.execute(() => 'answer')).rejects.toMatchObject({
      state: 'ISOLATED',
      retryAfterMs: undefined,
      message: expect.stringContaining('isolated by hand'),
    });
    second.release();
    expect(breaker.isolated).toBe(false);
    expect(await breaker.execute(() => 'answer')).toBe('answer');
  });

  test('ends with its block (63)', () => {
    const { breaker } = breakerOnClock();
    {
      using isolation = breaker.isolate();
      expect(isolation).toBeDefined();
      expect(breaker.availability()).toMatchObject({ available: false, error: { state: 'ISOLATED' } });
    }
    expect(breaker.availability()).toEqual({ available: true });
  });

  test('makes the verdict of a probe void, and another may probe afterwards (63)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(60_000);
    const probe = openCall(breaker);
    breaker.isolate().release();
    expect(breaker.state).toBe('HALF_OPEN');
    probe.resolve('well');
    await probe.result;
    expect(breaker.state).toBe('HALF_OPEN');
    await breaker.execute(() => 'well');
    expect(breaker.state).toBe('CLOSED');
  });

  test('lies over the state: an outage goes on under it', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    const isolation = breaker.isolate();
    await clock.advance(30_000);
    isolation.release();
    expect(breaker.retryAfterMs).toBe(30_000);
    breaker.isolate();
    breaker.close();
    expect(breaker.state).toBe('OPEN');
    expect(breaker.tryAcquire()).toBeUndefined();
  });

  test('is told as a transition to ISOLATED and back', async () => {
    const { breaker } = breakerOnClock();
    const events = vi.fn();
    breaker.on('transition', events);
    const [first, second] = [breaker.isolate(), breaker.isolate()];
    second.release();
    first.release();
    expect(events.mock.calls.flat()).toEqual([
      { breaker: 'test', from: 'CLOSED', to: 'ISOLATED', reason: 'manual' },
      { breaker: 'test', from: 'ISOLATED', to: 'CLOSED', reason: 'manual' },
    ]);
  });
});

describe('a permit', () => {
  test('without a verdict is neutral at the end of its block (64)', async () => {
    const { breaker, clock } = breakerOnClock();
    await fail(breaker, 3);
    await clock.advance(60_000);
    {
      using permit = breaker.acquire();
      expect(permit.probe).toBe(true);
    }
    expect(breaker.state).toBe('HALF_OPEN');
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  test('takes one verdict: the first (64)', () => {
    const { breaker } = breakerOnClock({ failureThreshold: 1 });
    const permit = breaker.acquire();
    expect(permit.settled).toBe(false);
    permit.succeed();
    permit.fail(down);
    permit.neutral();
    expect(permit.settled).toBe(true);
    expect(breaker.stats()).toMatchObject({ state: 'CLOSED', successes: 1, failures: 0, neutral: 0 });
  });

  test('of an earlier generation does nothing (64)', () => {
    const { breaker } = breakerOnClock({ failureThreshold: 1 });
    const permits = [breaker.acquire(), breaker.acquire(), breaker.acquire()];
    breaker.reset();
    permits[0]?.fail(down);
    permits[1]?.succeed();
    permits[2]?.neutral();
    expect(breaker.stats()).toMatchObject({
      state: 'CLOSED',
      late: 3,
      successes: 0,
      failures: 0,
      neutral: 0,
    });
  });

  test('hands its result to validate', () => {
    const { breaker } = breakerOnClock({ failureThreshold: 1, validate: (result) => result !== 'bad' });
    breaker.acquire().succeed();
    breaker.acquire().succeed('good');
    expect(breaker.state).toBe('CLOSED');
    breaker.acquire().succeed('bad');
    expect(breaker.state).toBe('OPEN');
  });
});

test('execute keeps the type of what it calls (66)', async () => {
  const { breaker } = breakerOnClock();
  expectTypeOf(breaker.execute(async () => 1)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(breaker.execute(() => 'text')).toEqualTypeOf<Promise<string>>();
  expectTypeOf(breaker.execute(({ signal }) => ({ signal }))).toEqualTypeOf<
    Promise<{ signal: AbortSignal | undefined }>
  >();
  expect(await outcome(breaker.execute(({ signal }) => signal))).toEqual({ value: undefined });
  const { signal } = new AbortController();
  expect(await breaker.execute((context) => context.signal === signal, { signal })).toBe(true);
});
