import { getEventListeners } from 'node:events';
import { CallTimeoutError, ConfigError, type StreamEvent, wrap } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test, vi } from 'vitest';
import { outcome } from '../test/breakers.ts';
import { keptBytes } from '../test/heap.ts';
import { attemptsOf, endsNormally, hang, model, read } from '../test/models.ts';
import { type TimeoutOptions, timeout } from './timeout.ts';
import { withTimeout } from './with-timeout.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A model that streams these pieces, each after so many milliseconds; Infinity hangs, heeding nothing. */
function slowStream(
  clock: ManualClock,
  pieces: readonly (readonly [afterMs: number, StreamEvent | string])[],
) {
  return model({
    async *stream() {
      for (const [afterMs, piece] of pieces) {
        if (afterMs === Infinity) await new Promise(() => {});
        await clock.sleep(afterMs);
        yield piece;
      }
      return undefined;
    },
  });
}

describe('withTimeout', () => {
  test('gives the result of a function that is in time, and leaves no timer or listener', async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    expect(await withTimeout(() => 'plain', 1_000, { clock, signal })).toBe('plain');
    const slow = withTimeout(() => clock.sleep(999).then(() => 'slow'), 1_000, { clock, signal });
    await clock.advance(999);
    expect(await slow).toBe('slow');
    expect(clock.pending).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('aborts the signal of the function with the very error that the caller gets', async () => {
    const clock = new ManualClock();
    let reason: unknown;
    const result = outcome(
      withTimeout(
        ({ signal }) => {
          signal.addEventListener('abort', () => (reason = signal.reason));
          return hang(signal);
        },
        1_000,
        { clock },
      ),
    );
    await clock.advance(1_000);
    const { error } = (await result) as { error: CallTimeoutError };
    expect(error).toBeInstanceOf(CallTimeoutError);
    expect(error).toMatchObject({ code: 'timeout', phase: 'total', timeoutMs: 1_000, emitted: false });
    expect(reason).toBe(error);
  });

  test('leaves a function behind that does not heed it, and handles its rejection (35)', async () => {
    const clock = new ManualClock();
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const late = Promise.withResolvers<never>();
      const result = outcome(withTimeout(() => late.promise, 1_000, { clock }));
      await clock.advance(1_000);
      expect(await result).toEqual({ error: expect.any(CallTimeoutError) });
      late.reject(new Error('late'));
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });

  test('lets a function that heeds it finish its bookkeeping first', async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    const result = withTimeout(
      async ({ signal }) => {
        try {
          await hang(signal);
        } finally {
          for (let step = 0; step < 20; step++) await Promise.resolve();
          order.push('booked');
        }
      },
      1_000,
      { clock },
    ).catch(() => order.push('timed out'));
    await clock.advance(1_000);
    await result;
    expect(order).toEqual(['booked', 'timed out']);
  });

  test('is a timeout also where the answer comes in the same turn: one verdict (42)', async () => {
    const clock = new ManualClock();
    const result = outcome(withTimeout(({ signal }) => hang(signal).catch(() => 'answer'), 1_000, { clock }));
    await clock.advance(1_000);
    expect(await result).toEqual({ error: expect.any(CallTimeoutError) });
  });

  test('tells a timeout of the caller from its own (41)', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const result = outcome(
      withTimeout(() => new Promise<never>(() => {}), 1_000, { clock, signal: controller.signal }),
    );
    controller.abort(new DOMException('mine', 'TimeoutError'));
    expect(await result).toEqual({ error: controller.signal.reason });
    expect(clock.pending).toBe(0);
    const never = vi.fn();
    const again = outcome(withTimeout(never, 1_000, { clock, signal: controller.signal }));
    expect(await again).toEqual({ error: controller.signal.reason });
    expect(never).not.toHaveBeenCalled();
  });

  test('keeps nothing of 20,000 calls on one signal', async () => {
    const { signal } = new AbortController();
    const kept = await keptBytes(async () => {
      for (let call = 0; call < 10_000; call++) await withTimeout(() => call, 60_000, { signal });
    });
    expect(kept).toBeLessThan(1_000_000);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test.each([0, -1, Number.NaN, Infinity])('refuses %s milliseconds', async (ms) => {
    await expect(withTimeout(() => 1, ms)).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('timeout: whole answers', () => {
  test('are given up in time, and their attempt is reported before the caller hears of it', async () => {
    const clock = new ManualClock();
    const llm = wrap(
      model({ generate: (_, { signal }) => hang(signal) }),
      timeout({ totalMs: 1_000, clock }),
    );
    const seen = attemptsOf();
    const outcomes = llm.generate('?', seen.options).catch(() => [...seen.outcomes]);
    await clock.advance(1_000);
    expect(await outcomes).toEqual(['unanswered']);
  });

  test('are not limited where only streams are', async () => {
    const clock = new ManualClock();
    const inner = model({ generate: () => clock.sleep(60_000).then(() => 'answer') });
    const result = wrap(inner, timeout({ idleMs: 1, firstTokenMs: 1, clock })).generate('?');
    await clock.advance(60_000);
    expect((await result).text).toBe('answer');
  });

  test.each([{}, { totalMs: 0 }, { idleMs: -1 }, { firstTokenMs: Number.NaN }, { ms: 5 } as TimeoutOptions])(
    'refuses %j at construction',
    (options) => {
      expect(() => timeout(options)).toThrow(ConfigError);
    },
  );
});

describe('timeout: streams', () => {
  test('have a limit until their first content, which keep-alives and empty pieces do not meet (49)', async () => {
    const clock = new ManualClock();
    const quiet = slowStream(clock, [
      [300, ''],
      [300, { type: 'usage', usage: { inputTokens: 1, outputTokens: 0 } }],
      [300, ''],
      [300, 'late'],
    ]);
    const result = read(
      wrap(quiet, timeout({ firstTokenMs: 1_000, clock })).stream('?', { includeUsage: true }),
    );
    await clock.advance(1_000);
    expect(await result).toMatchObject({
      text: '',
      error: { phase: 'first-token', timeoutMs: 1_000, emitted: false },
    });
  });

  test('may be as slow as they like after the first content, if nothing limits that (49)', async () => {
    const clock = new ManualClock();
    const slow = slowStream(clock, [
      [999, 'a'],
      [100_000, 'b'],
    ]);
    const result = read(wrap(slow, timeout({ firstTokenMs: 1_000, clock })).stream('?'));
    await clock.advance(101_000);
    expect(await result).toEqual({ text: 'ab' });
  });

  test('may not fall silent between pieces; empty ones do not count (48)', async () => {
    const clock = new ManualClock();
    const stalling = slowStream(clock, [
      [0, 'a'],
      [900, 'b'],
      [900, ''],
      [900, 'late'],
    ]);
    const result = read(wrap(stalling, timeout({ idleMs: 1_000, clock })).stream('?'));
    await clock.advance(3_000);
    expect(await result).toMatchObject({
      text: 'ab',
      error: { phase: 'idle', timeoutMs: 1_000, emitted: true },
    });
  });

  test('are not given up because their consumer is slow (48)', async () => {
    const clock = new ManualClock();
    const llm = wrap(
      slowStream(clock, [
        [0, 'a'],
        [900, 'b'],
        [900, { type: 'finish', finishReason: 'stop' }],
        [900, { type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } }],
      ]),
      timeout({ idleMs: 2_000, clock }),
    );
    const stream = llm.stream('?', { includeUsage: true })[Symbol.asyncIterator]();
    const types: (string | undefined)[] = [];
    for (;;) {
      const step = stream.next();
      await clock.advance(900);
      const { done, value } = await step;
      if (done === true) break;
      types.push(value.type);
      await clock.advance(3_600_000); // an hour between one piece and the next
    }
    expect(types).toEqual(['text', 'text', 'finish', 'usage']);
  });

  test('in total are limited too, and there a slow consumer counts', async () => {
    const clock = new ManualClock();
    const llm = wrap(
      slowStream(clock, [
        [0, 'a'],
        [0, 'b'],
      ]),
      timeout({ totalMs: 1_000, clock }),
    );
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    const first = stream.next();
    await clock.advance(0);
    await first;
    await clock.advance(1_000);
    await expect(stream.next()).rejects.toMatchObject({ phase: 'total', emitted: true });
  });

  test('that heed nothing are left behind', async () => {
    const clock = new ManualClock();
    for (const times of [{ totalMs: 1_000 }, { firstTokenMs: 1_000 }]) {
      const deaf = slowStream(clock, [[Infinity, 'never']]);
      const result = read(wrap(deaf, timeout({ ...times, clock })).stream('?'));
      await clock.advance(1_000);
      expect(await result).toMatchObject({ error: { code: 'timeout' } });
    }
    const deafLater = slowStream(clock, [
      [0, 'a'],
      [Infinity, 'never'],
    ]);
    const result = read(wrap(deafLater, timeout({ idleMs: 1_000, clock })).stream('?'));
    await clock.advance(1_000);
    expect(await result).toMatchObject({ text: 'a', error: { phase: 'idle' } });
  });

  test('that end normally when they are given up, as SDKs do, have timed out all the same', async () => {
    const clock = new ManualClock();
    const result = read(wrap(endsNormally(2), timeout({ idleMs: 1_000, clock })).stream('?'));
    await clock.advance(1_000);
    expect(await result).toMatchObject({ text: '0 1 ', error: { code: 'timeout', phase: 'idle' } });
  });

  test('report their attempt as partial, and end with the one error', async () => {
    const clock = new ManualClock();
    const inner = model({
      async *stream(_, { signal }) {
        yield 'a';
        await hang(signal);
        return undefined;
      },
    });
    const seen = attemptsOf();
    const stream = wrap(inner, timeout({ idleMs: 1_000, clock })).stream('?', seen.options);
    const result = read(stream);
    await clock.advance(1_000);
    const { error } = await result;
    expect(seen.outcomes).toEqual(['partial']);
    expect(await outcome(stream.result)).toEqual({ error });
  });

  test('that are left early hand out what came, and leave no timer', async () => {
    const clock = new ManualClock();
    const llm = wrap(model(), timeout({ totalMs: 1_000, firstTokenMs: 1_000, idleMs: 1_000, clock }));
    const stream = llm.stream('?');
    for await (const event of stream) {
      expect(event).toEqual({ type: 'text', text: 'ans' });
      break;
    }
    expect(await stream.result).toMatchObject({ text: 'ans', finishReason: 'aborted' });
    expect(clock.pending).toBe(0);
  });

  test('that are aborted end with the caller’s reason', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const inner = model({
      async *stream(_, { signal }) {
        await hang(signal);
        yield 'never';
        return undefined;
      },
    });
    const result = read(
      wrap(inner, timeout({ totalMs: 1_000, clock })).stream('?', { signal: controller.signal }),
    );
    await nextTurn();
    controller.abort(new Error('stop'));
    expect(await result).toEqual({ text: '', error: controller.signal.reason });
    expect(clock.pending).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('whose content lies in the socket while the process is busy are not blamed', async () => {
    const arrived = Promise.withResolvers<void>();
    const inner = model({
      async *stream() {
        await arrived.promise;
        yield 'a';
        return undefined;
      },
    });
    const result = read(wrap(inner, timeout({ firstTokenMs: 5 })).stream('?'));
    await nextTurn();
    setImmediate(arrived.resolve); // as input does: after the timers
    const untilMs = performance.now() + 10;
    while (performance.now() < untilMs);
    expect(await result).toEqual({ text: 'a' });
  });

  test('cost a timer per limit, not per piece', async () => {
    const clock = new ManualClock();
    const timer = vi.spyOn(clock, 'timer');
    const many = slowStream(
      clock,
      Array.from({ length: 500 }, () => [0, 'a '] as const),
    );
    const sleeps = vi.spyOn(clock, 'sleep').mockImplementation(() => Promise.resolve());
    await read(wrap(many, timeout({ idleMs: 1_000, clock })).stream('?'));
    expect(sleeps).toHaveBeenCalledTimes(500);
    expect(timer).toHaveBeenCalledTimes(1);
  });
});
