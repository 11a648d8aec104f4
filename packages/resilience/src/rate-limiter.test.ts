import { getEventListeners } from 'node:events';
import { ConfigError, RateLimitedError } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outcome } from '../test/breakers.ts';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.ts';

function limiterOnClock(options: RateLimiterOptions) {
  const clock = new ManualClock();
  return { clock, limiter: new RateLimiter({ clock, ...options }) };
}

/** Starts so many calls and notes when each is admitted. */
function acquireAll(limiter: RateLimiter, clock: ManualClock, tokens: readonly number[]) {
  const admitted: { readonly call: number; readonly atMs: number }[] = [];
  const all = tokens.map(async (amount, call) => {
    const grant = await limiter.acquire({ tokens: amount });
    admitted.push({ call, atMs: clock.monotonic() });
    return grant;
  });
  return { admitted, all: Promise.all(all) };
}

describe('a rate limiter', () => {
  test('lets a full minute’s worth through at once, and then as fast as the limit fills (57)', async () => {
    const { limiter, clock } = limiterOnClock({ requestsPerMinute: 6 });
    const { admitted, all } = acquireAll(limiter, clock, Array(9).fill(0));
    await clock.advance(60_000);
    await all;
    expect(admitted.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 0, 0, 10_000, 20_000, 30_000]);
  });

  test('counts tokens beside requests, and waits for whichever is short (57)', async () => {
    const { limiter, clock } = limiterOnClock({ requestsPerMinute: 60, tokensPerMinute: 6_000 });
    const { admitted, all } = acquireAll(limiter, clock, [6_000, 1_000]);
    await clock.advance(60_000);
    await all;
    expect(admitted.map(({ atMs }) => atMs)).toEqual([0, 10_000]);
    expect(limiter.remaining()).toEqual({ requests: 60, tokens: 5_000 });
  });

  test('serves who came first: small calls do not starve a large one (57)', async () => {
    const { limiter, clock } = limiterOnClock({ tokensPerMinute: 6_000 });
    const { admitted, all } = acquireAll(limiter, clock, [6_000, 5_000, 1, 1, 1]);
    await clock.advance(120_000);
    await all;
    expect(admitted.map(({ call }) => call)).toEqual([0, 1, 2, 3, 4]);
    expect(admitted[1]?.atMs).toBe(50_000);
  });

  test('refuses at once what is larger than the whole bucket: it would never fit (57)', async () => {
    const { limiter } = limiterOnClock({ tokensPerMinute: 6_000 });
    const { error } = (await outcome(limiter.acquire({ tokens: 6_001 }))) as { error: RateLimitedError };
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ code: 'rate-limited', resource: 'tokens', retryAfterMs: undefined });
    expect(limiter.remaining().tokens).toBe(6_000);
  });

  test('refuses at once who would wait too long, and says how long', async () => {
    const { limiter, clock } = limiterOnClock({ requestsPerMinute: 6, maxWaitMs: 15_000 });
    for (let call = 0; call < 6; call++) await limiter.acquire();
    const first = limiter.acquire();
    await expect(limiter.acquire()).rejects.toMatchObject({ resource: 'requests', retryAfterMs: 20_000 });
    expect(limiter.queued).toBe(1);
    await clock.advance(10_000);
    await first;
    const never = new RateLimiter({ requestsPerMinute: 1, maxWaitMs: 0, clock });
    await never.acquire();
    await expect(never.acquire()).rejects.toMatchObject({ retryAfterMs: 60_000 });
  });

  test('gives back what a call did not use, and the next one goes at once (57)', async () => {
    const { limiter, clock } = limiterOnClock({ tokensPerMinute: 6_000 });
    const grant = await limiter.acquire({ tokens: 6_000 });
    const next = acquireAll(limiter, clock, [3_000]);
    await clock.advance(1_000);
    expect(next.admitted).toEqual([]);
    grant.settle({ requests: 1, tokens: 1_000 });
    await next.all;
    expect(next.admitted).toEqual([{ call: 0, atMs: 1_000 }]);
    expect(limiter.remaining().tokens).toBe(2_100);
  });

  test('lets nobody who comes now pass one who has waited, though there is enough for both', async () => {
    const { limiter, clock } = limiterOnClock({ tokensPerMinute: 6_000 });
    const grant = await limiter.acquire({ tokens: 6_000 });
    const order: string[] = [];
    const first = limiter.acquire({ tokens: 3_000 }).then(() => order.push('first'));
    await clock.advance(1_000);
    grant.settle({ requests: 1, tokens: 0 });
    const second = limiter.acquire({ tokens: 1_000 }).then(() => order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(limiter.remaining().tokens).toBe(2_000);
  });

  test('makes a call that used more pay by waiting, and never shows less than nothing (57)', async () => {
    const { limiter, clock } = limiterOnClock({ tokensPerMinute: 6_000 });
    const grant = await limiter.acquire({ tokens: 1_000 });
    grant.settle({ requests: 1, tokens: 8_000 });
    grant.settle({ requests: 0, tokens: 0 }); // too late
    expect(limiter.remaining().tokens).toBe(0);
    expect(limiter.waitMs(1_000)).toBe(30_000);
    await clock.advance(20_000);
    expect(limiter.remaining().tokens).toBe(0);
    await clock.advance(10_000);
    expect(limiter.remaining().tokens).toBe(1_000);
  });

  test('lets the estimate stand for a call that nobody settles', async () => {
    const { limiter } = limiterOnClock({ tokensPerMinute: 6_000 });
    {
      using grant = await limiter.acquire({ tokens: 1_000 });
      expect(grant).toBeDefined();
    }
    expect(limiter.remaining().tokens).toBe(5_000);
  });

  test('pauses for as long as a 429 asks, and takes what is left to be nothing (57)', async () => {
    const { limiter, clock } = limiterOnClock({ requestsPerMinute: 60, tokensPerMinute: 6_000 });
    limiter.throttled(30_000);
    expect(limiter.remaining()).toEqual({ requests: 0, tokens: 0 });
    const { admitted, all } = acquireAll(limiter, clock, [100, 100]);
    await clock.advance(60_000);
    await all;
    expect(admitted.map(({ atMs }) => atMs)).toEqual([30_000, 30_000]);
    limiter.throttled();
    expect(limiter.waitMs()).toBe(1_000);
  });

  test('takes no harm from a provider that talks nonsense', () => {
    const { limiter } = limiterOnClock({ requestsPerMinute: 60, tokensPerMinute: 6_000 });
    limiter.sync({ remainingRequests: Number.NaN, remainingTokens: Number.NaN });
    expect(limiter.remaining()).toEqual({ requests: 60, tokens: 6_000 });
    limiter.throttled(Number.NaN);
    expect(limiter.waitMs()).toBe(1_000);
    limiter.throttled(Infinity);
    expect(limiter.waitMs()).toBe(3_600_000);
  });

  test('of several pauses the latest end counts', () => {
    const { limiter } = limiterOnClock({ requestsPerMinute: 60 });
    limiter.pause(10_000);
    limiter.pause(1_000);
    expect(limiter.waitMs()).toBe(10_000);
    expect(() => limiter.pause(-1)).toThrow(ConfigError);
  });

  test('refuses those in the queue whom a pause makes too late, at once', async () => {
    const { limiter, clock } = limiterOnClock({ requestsPerMinute: 60, maxWaitMs: 5_000 });
    for (let call = 0; call < 60; call++) await limiter.acquire();
    const waiting = Array.from({ length: 3 }, () => outcome(limiter.acquire()));
    await clock.advance(0);
    limiter.pause(20_000);
    for (const result of await Promise.all(waiting)) {
      expect(result).toMatchObject({ error: { code: 'rate-limited', retryAfterMs: 20_000 } });
    }
    expect(limiter.queued).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('believes the provider about what is left, where the limit is the same (57)', () => {
    const { limiter } = limiterOnClock({ requestsPerMinute: 60, tokensPerMinute: 6_000 });
    limiter.sync({ limitRequests: 14_400, remainingRequests: 3, limitTokens: 6_000, remainingTokens: 1_500 });
    expect(limiter.remaining()).toEqual({ requests: 60, tokens: 1_500 });
    limiter.sync({ limitTokens: 6_000, remainingTokens: 5_999 });
    expect(limiter.remaining().tokens).toBe(1_500);
    limiter.sync({ remainingTokens: -7 });
    expect(limiter.remaining().tokens).toBe(0);
  });

  test('lets go of those who abort while they wait, and wakes the next (43)', async () => {
    const { limiter, clock } = limiterOnClock({ tokensPerMinute: 6_000, maxWaitMs: 1e6 });
    await limiter.acquire({ tokens: 6_000 });
    const [first, second] = [new AbortController(), new AbortController()];
    const aborted = [
      outcome(limiter.acquire({ tokens: 6_000, signal: first.signal })),
      outcome(limiter.acquire({ tokens: 3_000, signal: second.signal })),
    ];
    const last = acquireAll(limiter, clock, [1_000]);
    await clock.advance(1_000);
    second.abort(new Error('second'));
    first.abort(new Error('first'));
    expect(await Promise.all(aborted)).toEqual([
      { error: first.signal.reason },
      { error: second.signal.reason },
    ]);
    await clock.advance(9_000);
    await last.all;
    expect(last.admitted).toEqual([{ call: 0, atMs: 10_000 }]);
    expect([limiter.queued, clock.pending]).toEqual([0, 0]);
    for (const { signal } of [first, second]) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(await outcome(limiter.acquire({ signal: first.signal }))).toEqual({ error: first.signal.reason });
  });

  test('1,000 at once: each is served, in order, at the pace of the limit', async () => {
    const { limiter, clock } = limiterOnClock({ requestsPerMinute: 600, maxWaitMs: 1e9 });
    const { admitted, all } = acquireAll(limiter, clock, Array(1_000).fill(0));
    await clock.advance(60_000);
    await all;
    expect(admitted.map(({ call }) => call)).toEqual([...Array(1_000).keys()]);
    expect(admitted.at(-1)?.atMs).toBe(40_000);
  });

  test('never lets more through in any stretch of time than the bucket and its filling allow', async () => {
    const step = fc.record({
      tokens: fc.integer({ min: 0, max: 600 }),
      thenMs: fc.integer({ min: 0, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { limiter, clock } = limiterOnClock({
          requestsPerMinute: 5,
          tokensPerMinute: 600,
          maxWaitMs: 1e9,
        });
        const admitted: { atMs: number; tokens: number }[] = [];
        for (const { tokens, thenMs } of steps) {
          void limiter.acquire({ tokens }).then(() => admitted.push({ atMs: clock.monotonic(), tokens }));
          if (thenMs > 10_000) await clock.advance(thenMs);
          const { requests = 0, tokens: left = 0 } = limiter.remaining();
          expect(Math.min(requests, left)).toBeGreaterThanOrEqual(0);
        }
        await clock.advance(3_600_000);
        expect(admitted).toHaveLength(steps.length);
        for (const [from, { atMs }] of admitted.entries()) {
          let tokens = 0;
          for (const [index, later] of admitted.slice(from).entries()) {
            tokens += later.tokens;
            const minutes = (later.atMs - atMs) / 60_000;
            expect(tokens).toBeLessThanOrEqual(600 * (1 + minutes) + 1e-3);
            expect(index + 1).toBeLessThanOrEqual(5 * (1 + minutes) + 1e-3);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    {},
    { requestsPerMinute: 0 },
    { tokensPerMinute: -1 },
    { requestsPerMinute: 1, maxWaitMs: Number.NaN },
    { rpm: 5 } as object,
  ])('refuses %j at construction', (options) => {
    expect(() => new RateLimiter(options)).toThrow(ConfigError);
  });

  test('refuses an estimate that is no number', async () => {
    const { limiter } = limiterOnClock({ tokensPerMinute: 10 });
    await expect(limiter.acquire({ tokens: Number.NaN })).rejects.toBeInstanceOf(ConfigError);
  });
});
