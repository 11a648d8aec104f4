import { getEventListeners } from 'node:events';
import { BulkheadFullError, ConfigError, wrap } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { breakerOnClock, outcome } from '../test/breakers.ts';
import { hang, model, read, take } from '../test/models.ts';
import { breakOn } from './break-on.ts';
import { Bulkhead, type BulkheadOptions } from './bulkhead.ts';
import { bulkhead } from './limit-concurrency.ts';
import { withTimeout } from './with-timeout.ts';

/** Work that ends when the test says so. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let started = false;
  return {
    resolve,
    reject,
    fn: () => {
      started = true;
      return promise;
    },
    get started(): boolean {
      return started;
    },
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a bulkhead', () => {
  test('runs so many at once, queues so many, and refuses the others at once (60)', async () => {
    const places = new Bulkhead({ maxConcurrent: 2, maxQueued: 2 });
    const jobs = Array.from({ length: 5 }, work);
    const results = jobs.map(({ fn }) => outcome(places.run(fn)));
    const refused = await results[4];
    expect(refused).toEqual({ error: expect.any(BulkheadFullError) });
    expect(refused).toMatchObject({ error: { code: 'bulkhead-full', maxConcurrent: 2, maxQueued: 2 } });
    expect(jobs.map(({ started }) => started)).toEqual([true, true, false, false, false]);
    expect([places.running, places.queued, places.full]).toEqual([2, 2, true]);
    jobs[1]?.resolve('b');
    await results[1];
    await settle();
    expect(jobs.map(({ started }) => started)).toEqual([true, true, true, false, false]);
    for (const job of jobs) job.resolve('done');
    await Promise.all(results);
    expect([places.running, places.queued, places.full]).toEqual([0, 0, false]);
  });

  test('keeps the order, and nobody who comes later takes a place that is handed on (60)', async () => {
    const places = new Bulkhead({ maxConcurrent: 1, maxQueued: 100 });
    const order: number[] = [];
    const first = work();
    const all = [places.run(first.fn)];
    for (let job = 0; job < 20; job++) all.push(places.run(() => String(order.push(job))));
    first.resolve('go');
    await all[0];
    const late = places.run(() => String(order.push(99)));
    await Promise.all([...all, late]);
    expect(order).toEqual([...Array(20).keys(), 99]);
  });

  test('lets go of those who abort while they wait (43, 60)', async () => {
    const places = new Bulkhead({ maxConcurrent: 1, maxQueued: 2 });
    const first = work();
    const running = places.run(first.fn);
    const controller = new AbortController();
    const { signal } = controller;
    const [gone, kept] = [work(), work()];
    const aborted = outcome(places.run(gone.fn, { signal }));
    const waiting = places.run(kept.fn);
    await settle();
    expect(places.full).toBe(true);
    controller.abort(new Error('stop'));
    expect(await aborted).toEqual({ error: signal.reason });
    expect([places.queued, places.full]).toEqual([1, false]);
    first.resolve('go');
    await running;
    await settle();
    expect([gone.started, kept.started]).toEqual([false, true]);
    kept.resolve('done');
    expect(await waiting).toBe('done');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(await outcome(places.run(gone.fn, { signal }))).toEqual({ error: signal.reason });
    expect(places.running).toBe(0);
  });

  test('keeps the place of a call until it has really ended, though its caller has gone (42)', async () => {
    const places = new Bulkhead({ maxConcurrent: 1 });
    const controller = new AbortController();
    const job = work();
    const result = outcome(places.run(job.fn, { signal: controller.signal }));
    await settle();
    controller.abort(new Error('stop'));
    expect(await result).toEqual({ error: controller.signal.reason });
    expect(places.full).toBe(true);
    job.reject(new Error('at last'));
    await settle();
    expect(places.full).toBe(false);

    const timed = work();
    const late = outcome(withTimeout(() => places.run(timed.fn), 1));
    expect(await late).toMatchObject({ error: { code: 'timeout' } });
    expect(places.full).toBe(true);
    timed.resolve('at last');
    await settle();
    expect(places.full).toBe(false);
  });

  test('gives the place back after every kind of end', async () => {
    const places = new Bulkhead({ maxConcurrent: 1 });
    await outcome(
      places.run(() => {
        throw new Error('at once');
      }),
    );
    await outcome(places.run(() => Promise.reject(new Error('later'))));
    expect(await places.run(() => 'plain')).toBe('plain');
    await settle();
    const leave = await places.enter();
    leave();
    leave();
    expect(places.running).toBe(0);
  });

  test('1,000 at once: never more than ten run, all are served, in order', async () => {
    const places = new Bulkhead({ maxConcurrent: 10, maxQueued: 990 });
    let running = 0;
    let most = 0;
    const started: number[] = [];
    const jobs = Array.from({ length: 1_000 }, (_, job) =>
      places.run(async () => {
        started.push(job);
        most = Math.max(most, ++running);
        await settle();
        running--;
      }),
    );
    await Promise.all(jobs);
    expect(most).toBe(10);
    expect(started).toEqual([...Array(1_000).keys()]);
  });

  test.each([
    { maxConcurrent: 0 },
    { maxConcurrent: 1, maxQueued: -1 },
    { maxConcurrent: 1, queue: 3 } as BulkheadOptions,
  ])('refuses %j at construction', (options) => {
    expect(() => new Bulkhead(options)).toThrow(ConfigError);
    expect(() => bulkhead(options)).toThrow(ConfigError);
  });
});

describe('bulkhead around a model', () => {
  test('shares its places among models, and says when it is full', async () => {
    const places = new Bulkhead({ maxConcurrent: 1 });
    const busy = wrap(model({ generate: (_, { signal }) => hang(signal) }), bulkhead(places));
    const other = wrap(model(), bulkhead(places));
    const controller = new AbortController();
    const call = outcome(busy.generate('?', { signal: controller.signal }));
    expect(other.availability?.()).toMatchObject({ available: false, error: { code: 'bulkhead-full' } });
    await expect(other.generate('?')).rejects.toBeInstanceOf(BulkheadFullError);
    expect(await read(other.stream('?'))).toMatchObject({ error: { code: 'bulkhead-full' } });
    controller.abort(new Error('stop'));
    await call;
    expect(other.availability?.()).toEqual({ available: true });
    expect((await other.generate('?')).text).toBe('answer');
  });

  test('holds a place for a stream from its first pull to its end, also when it is left', async () => {
    const places = new Bulkhead({ maxConcurrent: 1 });
    const llm = wrap(model(), bulkhead(places));
    const unread = llm.stream('?');
    expect(places.running).toBe(0);
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    await stream.next();
    expect(places.running).toBe(1);
    await stream.return?.();
    expect(places.running).toBe(0);
    await take(llm.stream('?'), 1);
    expect(await read(unread)).toEqual({ text: 'answer' });
    expect(places.running).toBe(0);
  });

  test('a wait in its queue does not hold the probe of the breaker inside it (59)', async () => {
    const { breaker, clock } = breakerOnClock({ failureThreshold: 1 });
    breaker.open();
    await clock.advance(60_000);
    const places = new Bulkhead({ maxConcurrent: 1, maxQueued: 1 });
    const llm = wrap(model(), bulkhead(places), breakOn(breaker));
    const leave = await places.enter();
    const waiting = llm.generate('?');
    await settle();
    expect(breaker.availability()).toEqual({ available: true });
    leave();
    expect((await waiting).text).toBe('answer');
    expect(breaker.state).toBe('CLOSED');
  });
});
