import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CircuitBreakerOpen, channelNames } from '@synapsekit/core';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, down, fail, openCall, outcome } from '../../test/breakers.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

const hostile = new Proxy(new Error('hostile'), {
  get() {
    throw new Error('no');
  },
  has() {
    throw new Error('no');
  },
});

describe('functions of every kind', () => {
  test('a function that throws at once rejects and counts (33)', async () => {
    const { breaker } = breakerOnClock();
    const call = () => {
      throw down;
    };
    for (let time = 0; time < 3; time++)
      expect(await outcome(breaker.execute(call))).toEqual({ error: down });
    expect(breaker.state).toBe('OPEN');
  });

  test('a function may return a plain value or any thenable (33)', async () => {
    const { breaker } = breakerOnClock();
    // biome-ignore-start lint/suspicious/noThenProperty: thenables are what this is about
    const good = { then: (resolve: (value: number) => void) => resolve(1) } as PromiseLike<number>;
    const throwing = {
      then() {
        throw down;
      },
    } as PromiseLike<number>;
    const twofold = {
      then(resolve: (value: number) => void, reject: (error: unknown) => void) {
        resolve(2);
        reject(down);
      },
    } as PromiseLike<number>;
    // biome-ignore-end lint/suspicious/noThenProperty: as above
    expect(await breaker.execute(() => 0)).toBe(0);
    expect(await breaker.execute(() => good)).toBe(1);
    expect(await outcome(breaker.execute(() => throwing))).toEqual({ error: down });
    expect(await breaker.execute(() => twofold)).toBe(2);
    expect(breaker.stats()).toMatchObject({ successes: 3, failures: 1 });
  });

  test.each([
    ['undefined', undefined],
    ['a string', 'down'],
    ['a frozen object', Object.freeze({ down: true })],
    ['a hostile proxy', hostile],
  ])('rejections with %s reach the caller as they are, and count (33, 34)', async (_, error) => {
    const { breaker } = breakerOnClock();
    for (let time = 0; time < 3; time++) {
      const result = await outcome(breaker.execute(() => Promise.reject(error)));
      expect((result as { error: unknown }).error === error).toBe(true);
    }
    expect(breaker.state).toBe('OPEN');
  });

  test('an error keeps its identity and its stack (34)', async () => {
    const { breaker } = breakerOnClock();
    const error = new Error('mine');
    const { stack } = error;
    const controller = new AbortController();
    for (const signal of [undefined, controller.signal]) {
      const result = await outcome(breaker.execute(() => Promise.reject(error), { signal }));
      expect((result as { error: unknown }).error).toBe(error);
    }
    expect(error.stack).toBe(stack);
    expect(error.cause).toBeUndefined();
  });

  test('chains of causes that are cyclic, or 10,000 long, are judged in no time (38)', async () => {
    const cyclic = new Error('a');
    cyclic.cause = new Error('b', { cause: cyclic });
    let deep = new Error('root');
    for (let depth = 0; depth < 10_000; depth++) deep = new Error('layer', { cause: deep });
    for (const error of [cyclic, deep]) {
      const { breaker } = breakerOnClock({ failureThreshold: 1 });
      await fail(breaker, 1, error);
      expect(breaker.state).toBe('OPEN');
    }
  });

  test('no rejection is left unhandled, whatever becomes of the call (35)', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const { breaker } = breakerOnClock();
      const controller = new AbortController();
      const left = openCall(breaker, { signal: controller.signal });
      controller.abort(new Error('stop'));
      left.reject(down);
      await left.result;
      const thrown = new AbortController();
      const sync = breaker.execute(
        () => {
          thrown.abort(new Error('stop'));
          throw down;
        },
        { signal: thrown.signal },
      );
      expect(await outcome(sync)).toEqual({ error: thrown.signal.reason });
      await fail(breaker, 5);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});

describe('listeners and classifiers', () => {
  test('a listener that throws or rejects changes nothing, and the others are told (36)', async () => {
    const { breaker } = breakerOnClock();
    const faults = vi.fn();
    const last = vi.fn();
    const fault = new Error('listener');
    breaker.on('fault', faults);
    breaker.on('transition', () => {
      throw fault;
    });
    breaker.on('transition', async () => {
      throw fault;
    });
    breaker.on('transition', last);
    await fail(breaker, 2);
    expect(await outcome(breaker.execute(() => Promise.reject(down)))).toEqual({ error: down });
    expect(breaker.state).toBe('OPEN');
    expect(last).toHaveBeenCalledTimes(1);
    expect(faults.mock.calls).toEqual([
      [{ breaker: 'test', source: 'listener', error: fault }],
      [{ breaker: 'test', source: 'listener', error: fault }],
    ]);
  });

  test('faults that nobody listens to become one warning of the process (36)', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { breaker } = breakerOnClock();
    breaker.on('refusal', () => {
      throw new Error('a secret');
    });
    breaker.on('fault', () => {
      throw new Error('even this');
    });
    const stop = breaker.on('refusal', () => {});
    stop();
    breaker.open();
    await fail(breaker, 5);
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      'The listener function of circuit breaker "test" threw (Error). The call it was told about is not affected.',
      { type: 'SynapseKitWarning', code: 'SYNAPSEKIT_LISTENER' },
    );
  });

  test('a listener may end its own subscription, call the breaker, or reset it (36)', async () => {
    const { breaker, clock } = breakerOnClock();
    const inner: unknown[] = [];
    const stop = breaker.on('transition', ({ to }) => {
      stop();
      inner.push(to, breaker.state, breaker.tryAcquire());
    });
    breaker.on('transition', ({ to }) => {
      if (to === 'HALF_OPEN') breaker.reset();
    });
    await fail(breaker, 3);
    expect(inner).toEqual(['OPEN', 'OPEN', undefined]);
    await clock.advance(60_000);
    expect(await breaker.execute(() => 'well')).toBe('well');
    expect(breaker.state).toBe('CLOSED');
    expect(inner).toHaveLength(3);
  });

  test('classify is asked once per failure, and never about another breaker that is open (37)', async () => {
    const classify = vi.fn(() => 'failure' as const);
    const { breaker } = breakerOnClock({ classify });
    const nested = new CircuitBreakerOpen('open', { breaker: 'other', state: 'OPEN' });
    await fail(breaker, 10, nested);
    expect(classify).not.toHaveBeenCalled();
    expect(breaker.state).toBe('CLOSED');
    await fail(breaker, 3);
    expect(classify).toHaveBeenCalledTimes(3);
    await fail(breaker, 3);
    expect(classify).toHaveBeenCalledTimes(3);
  });

  test('a classify or validate that resets the breaker makes its own verdict void', async () => {
    const breaker: CircuitBreaker = new CircuitBreaker({
      name: 'test',
      failureThreshold: 1,
      classify: () => {
        breaker.reset();
        return 'failure';
      },
      validate: () => {
        breaker.reset();
        return false;
      },
    });
    await fail(breaker);
    await breaker.execute(() => 'well');
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.stats().failures).toBe(0);
  });

  test('an error that classify calls a success closes a half-open circuit', async () => {
    const { breaker, clock } = breakerOnClock({
      classify: (error) => (error === down ? 'failure' : 'success'),
    });
    await fail(breaker, 3);
    await clock.advance(60_000);
    await fail(breaker, 1, new Error('404, so it is there'));
    expect(breaker.state).toBe('CLOSED');
  });

  test('events tell the whole story, and the channel the same without errors', async () => {
    const { breaker, clock } = breakerOnClock();
    const events = vi.fn();
    const refusals = vi.fn();
    const published: unknown[] = [];
    const onMessage = (message: unknown) => published.push(message);
    breaker.on('transition', events);
    breaker.on('refusal', refusals);
    subscribe(channelNames.breaker, onMessage);
    try {
      await fail(breaker, 4);
      await clock.advance(60_000);
      await fail(breaker);
      await clock.advance(60_000);
      await breaker.execute(() => 'well');
    } finally {
      unsubscribe(channelNames.breaker, onMessage);
    }
    const told = (from: string, to: string, reason: string) => ({ breaker: 'test', from, to, reason });
    expect(events.mock.calls.flat()).toEqual([
      { ...told('CLOSED', 'OPEN', 'failures'), openMs: 60_000, cause: down },
      told('OPEN', 'HALF_OPEN', 'recovery-timeout'),
      { ...told('HALF_OPEN', 'OPEN', 'probe-failed'), openMs: 60_000, cause: down },
      told('OPEN', 'HALF_OPEN', 'recovery-timeout'),
      told('HALF_OPEN', 'CLOSED', 'probe-succeeded'),
    ]);
    expect(published).toEqual([
      { version: 1, ...told('CLOSED', 'OPEN', 'failures') },
      { version: 1, ...told('OPEN', 'HALF_OPEN', 'recovery-timeout') },
      { version: 1, ...told('HALF_OPEN', 'OPEN', 'probe-failed') },
      { version: 1, ...told('OPEN', 'HALF_OPEN', 'recovery-timeout') },
      { version: 1, ...told('HALF_OPEN', 'CLOSED', 'probe-succeeded') },
    ]);
    expect(refusals.mock.calls).toEqual([[{ breaker: 'test', state: 'OPEN', retryAfterMs: 60_000 }]]);
  });
});
