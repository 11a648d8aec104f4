import { ConfigError } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { ProviderLimiter } from './provider-limiter.ts';

/** Work that ends when it is told to. */
function work(limiter: ProviderLimiter, provider: string, signal?: AbortSignal) {
  const gate = Promise.withResolvers<void>();
  const state = { started: false, done: gate.resolve, promise: Promise.resolve() };
  state.promise = limiter.run(provider, signal, async () => {
    state.started = true;
    await gate.promise;
  });
  return state;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ProviderLimiter', () => {
  test('lets as many requests out to a provider as it may, and the next when one is back', async () => {
    const limiter = new ProviderLimiter({ perProvider: { openai: 2 } });
    const jobs = Array.from({ length: 4 }, () => work(limiter, 'api.openai.com'));
    const other = work(limiter, 'api.groq.com');
    await turn();
    expect(jobs.map(({ started }) => started)).toEqual([true, true, false, false]);
    expect(other.started).toBe(true);
    jobs[0]?.done();
    await turn();
    expect(jobs.map(({ started }) => started)).toEqual([true, true, true, false]);
    for (const job of [...jobs, other]) job.done();
    await Promise.all(jobs.map(({ promise }) => promise));
  });

  test('halves after a throttle, waits as long as it is told, and grows again one by one', async () => {
    const clock = new ManualClock();
    const limiter = new ProviderLimiter({ max: 8, clock });
    const jobs = Array.from({ length: 8 }, () => work(limiter, 'x'));
    await turn();
    limiter.throttled('x', 2_000);
    limiter.throttled('x', 2_000); // the same burst
    expect(limiter.limitOf('x')).toBe(4);
    for (const job of jobs) job.done();
    await turn();
    const later = work(limiter, 'x');
    await turn();
    expect(later.started).toBe(false);
    await clock.advance(1_999);
    await turn();
    expect(later.started).toBe(false);
    await clock.advance(1);
    await turn();
    expect(later.started).toBe(true);
    later.done();
    for (let round = 0; round < 5; round++) limiter.served('x');
    expect(limiter.limitOf('x')).toBe(5);
    for (let round = 0; round < 100; round++) limiter.served('x');
    expect(limiter.limitOf('x')).toBe(8);
  });

  test('lets go of who waits when its signal aborts, and of the place of work that throws', async () => {
    const limiter = new ProviderLimiter({ max: 1 });
    const first = work(limiter, 'x');
    const controller = new AbortController();
    const second = work(limiter, 'x', controller.signal);
    await turn();
    controller.abort(new Error('interrupted'));
    await expect(second.promise).rejects.toThrow('interrupted');
    first.done();
    await first.promise;
    await expect(limiter.run('x', undefined, () => Promise.reject(new Error('down')))).rejects.toThrow(
      'down',
    );
    await expect(limiter.run('x', controller.signal, async () => 1)).rejects.toThrow('interrupted');
    expect(await limiter.run('x', undefined, async () => 2)).toBe(2);
  });

  test('waits for a provider only while somebody waits', async () => {
    const clock = new ManualClock();
    const limiter = new ProviderLimiter({ max: 1, clock });
    limiter.throttled('x', 3_600_000);
    const controller = new AbortController();
    const jobs = [work(limiter, 'x', controller.signal), work(limiter, 'x', controller.signal)];
    await turn();
    expect(clock.pending).toBe(1);
    controller.abort(new Error('interrupted'));
    for (const { promise } of jobs) await expect(promise).rejects.toThrow('interrupted');
    expect(clock.pending).toBe(0);
    // The pause itself goes on, for who comes later.
    const later = work(limiter, 'x');
    await clock.advance(3_599_999);
    expect(later.started).toBe(false);
    await clock.advance(1);
    await turn();
    expect(later.started).toBe(true);
    later.done();
    await later.promise;
  });

  test('never has more than its number under way, however a thousand requests come and go', async () => {
    const limiter = new ProviderLimiter({ max: 7 });
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        limiter.run('x', undefined, async () => {
          most = Math.max(most, ++running);
          if (n % 4 > 0) await turn();
          running--;
          limiter.served('x');
        }),
      ),
    );
    expect([most, running]).toEqual([7, 0]);
  });

  test('refuses numbers that are none', () => {
    expect(() => new ProviderLimiter({ max: 0 })).toThrow(ConfigError);
    expect(() => new ProviderLimiter({ perProvider: { x: 1.5 } })).toThrow(ConfigError);
    const misspelt: object = { maximum: 1 };
    expect(() => new ProviderLimiter(misspelt)).toThrow(/no option "maximum"/);
  });
});
