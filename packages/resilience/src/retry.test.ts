import { getEventListeners } from 'node:events';
import {
  CircuitBreakerOpen,
  ConfigError,
  isNetworkError,
  type LLM,
  type ProviderErrorKind,
  wrap,
} from '@synapsekit/core';
import { ManualClock, seededRandom } from '@synapsekit/testing';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, outcome } from '../test/breakers.ts';
import { attemptsOf, hang, model, providerError, read, script, take } from '../test/models.ts';
import { breakOn } from './break-on.ts';
import { retry, withRetry } from './retry.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RetryEvent, RetryOptions } from './retry-policy.ts';
import { timeout } from './timeout.ts';

const lost = providerError('connection');

/** `llm` with retries that wait on a clock which is always moved to the end of the wait. */
function retrying(llm: LLM, options: RetryOptions = {}) {
  const clock = new ManualClock();
  const waits: number[] = [];
  const hurried = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    timer: clock.timer.bind(clock),
    sleep: async (ms: number) => {
      waits.push(ms);
      await clock.advance(ms);
    },
  };
  return { llm: wrap(llm, retry({ jitter: 0, clock: hurried, ...options })), waits, clock };
}

describe('retry', () => {
  test('asks again, at growing distances up to a cap, and gives up with the last error', async () => {
    const errors = [1, 2, 3, 4, 5].map((n) => providerError('server', { status: 500 + n }));
    const inner = script(...errors);
    const { llm, waits } = retrying(inner, { maxAttempts: 5, baseDelayMs: 100, maxDelayMs: 350 });
    await expect(llm.generate('?')).rejects.toBe(errors[4]);
    expect(inner.calls()).toBe(5);
    expect(waits).toEqual([100, 200, 350, 350]);
  });

  test('by default asks three times, after half a second and a second', async () => {
    const { llm, waits } = retrying(script(lost));
    await expect(llm.generate('?')).rejects.toBe(lost);
    expect(waits).toEqual([500, 1_000]);
  });

  test('says which attempts may have cost something, the failed ones too', async () => {
    let calls = 0;
    const inner = model({
      async *stream() {
        calls++;
        if (calls === 1) throw lost; // refused: free
        yield 'answer';
        return undefined;
      },
    });
    const { llm } = retrying(inner);
    const seen = attemptsOf();
    const generation = await llm.stream('?', seen.options).result;
    expect(seen.outcomes).toEqual(['refused', 'served']);
    expect(generation.attempts.map(({ outcome: end }) => end)).toEqual(['served']);

    const clock = new ManualClock();
    let tries = 0;
    const slow = model({ generate: (_, { signal }) => (++tries === 1 ? hang(signal) : 'answer') });
    const patient = wrap(
      slow,
      retry({ baseDelayMs: 0, jitter: 0, clock }),
      timeout({ totalMs: 1_000, clock }),
    );
    const second = patient.generate('?');
    await clock.advance(2_000);
    expect((await second).attempts.map(({ outcome: end }) => end)).toEqual(['unanswered', 'served']);
  });

  test.each<[ProviderErrorKind, boolean]>([
    ['connection', true],
    ['server', true],
    ['malformed', true],
    ['truncated', true],
    ['rate-limit', true],
    ['capacity', true],
    ['conflict', true],
    ['quota', false],
    ['auth', false],
    ['permission', false],
    ['model-not-found', false],
    ['context-length', false],
    ['too-large', false],
    ['content-filter', false],
    ['bad-request', false],
  ])('of a failure of kind %s retries: %s', async (kind, retried) => {
    const inner = script(providerError(kind), 'answer');
    const { llm } = retrying(inner);
    await outcome(llm.generate('?'));
    expect(inner.calls()).toBe(retried ? 2 : 1);
  });

  test('never retries open circuits or errors that nobody knows (54)', async () => {
    for (const error of [new CircuitBreakerOpen('open', { breaker: 'b', state: 'OPEN' }), new Error('?')]) {
      const inner = script(error, 'answer');
      await expect(retrying(inner).llm.generate('?')).rejects.toBe(error);
      expect(inner.calls()).toBe(1);
    }
  });

  test('does not wait for a circuit that its own failure has opened: fails at once with that failure (54)', async () => {
    const inner = script(lost);
    const { breaker, clock } = breakerOnClock({ failureThreshold: 2 });
    const llm = wrap(inner, retry({ maxAttempts: 5, clock }), breakOn(breaker));
    const result = outcome(llm.generate('?'));
    await clock.advance(1_000);
    expect(await result).toEqual({ error: lost });
    expect(inner.calls()).toBe(2);
    expect(clock.pending).toBe(0);
  });

  test('can be told what to retry, by error and attempt', async () => {
    const odd = new Error('odd');
    const inner = script(odd, odd, odd, 'answer');
    const { llm } = retrying(inner, {
      maxAttempts: 9,
      retryOn: (error, attempt) => error === odd && attempt < 3,
    });
    await expect(llm.generate('?')).rejects.toBe(odd);
    expect(inner.calls()).toBe(3);
  });

  test('is not harmed by listeners and predicates that throw', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const boom = () => {
      throw new Error('mine');
    };
    expect((await retrying(script(lost, 'answer'), { onRetry: boom }).llm.generate('?')).text).toBe('answer');
    await expect(retrying(script(lost), { retryOn: boom }).llm.generate('?')).rejects.toBe(lost);
    expect(warn).toHaveBeenCalledTimes(2);
  });

  test('tells of each retry before it waits', async () => {
    const events: RetryEvent[] = [];
    const { llm } = retrying(script(lost, lost, 'answer'), { onRetry: (event) => events.push(event) });
    await llm.generate('?');
    expect(events).toEqual([
      { attempt: 1, error: lost, delayMs: 500 },
      { attempt: 2, error: lost, delayMs: 1_000 },
    ]);
  });

  test.each([
    { maxAttempts: 0 },
    { maxAttempts: 1.5 },
    { baseDelayMs: -1 },
    { factor: 0.5 },
    { jitter: 1.1 },
    { maxDelayMs: 10 },
    { maxElapsedMs: 0 },
    { maxRetryAfterMs: Number.NaN },
    { attempts: 3 } as RetryOptions,
  ])('refuses %j at construction', (options) => {
    expect(() => retry(options)).toThrow(ConfigError);
  });
});

describe('the waits that providers ask for', () => {
  test.each([
    [0, 0],
    [0.4, 0.4],
    [1_500, 1_500],
    [60_000, 60_000],
  ])('%s ms are waited in full (53)', async (retryAfterMs, waitMs) => {
    const { llm, waits } = retrying(script(providerError('rate-limit', { retryAfterMs }), 'answer'));
    await llm.generate('?');
    expect(waits).toEqual([waitMs]);
  });

  test('longer than we grant: fails now, and the error says how long (53)', async () => {
    for (const retryAfterMs of [60_001, 35 * 86_400_000, Number.MAX_VALUE, Infinity]) {
      const { llm, waits } = retrying(script(providerError('rate-limit', { retryAfterMs })));
      await expect(llm.generate('?')).rejects.toMatchObject({ retryAfterMs });
      expect(waits).toEqual([]);
    }
  });

  test('of 35 days, if we grant them, overflow no timer (53)', async () => {
    vi.spyOn(globalThis, 'setTimeout');
    const controller = new AbortController();
    const llm = wrap(
      script(providerError('rate-limit', { retryAfterMs: 35 * 86_400_000 })),
      retry({ maxRetryAfterMs: 1e10 }),
    );
    const result = outcome(llm.generate('?', { signal: controller.signal }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(vi.mocked(setTimeout).mock.calls.every(([, ms]) => (ms ?? 0) <= 2 ** 31 - 1)).toBe(true);
    controller.abort(new Error('stop'));
    expect(await result).toEqual({ error: controller.signal.reason });
  });

  test('that are no time are as good as none (53)', async () => {
    for (const retryAfterMs of [Number.NaN, -5]) {
      const { llm, waits } = retrying(script(providerError('rate-limit', { retryAfterMs }), 'answer'));
      await llm.generate('?');
      expect(waits).toEqual([500]);
    }
  });

  test('are never cut short, and two clients come back apart (55)', async () => {
    const random = seededRandom(7);
    for (const retryAfterMs of [0, 100, 30_000]) {
      const waits = new Set<number>();
      for (let client = 0; client < 100; client++) {
        const inner = script(providerError('rate-limit', { retryAfterMs }), 'answer');
        const { llm, waits: own } = retrying(inner, { jitter: 0.5, random });
        await llm.generate('?');
        expect(own[0]).toBeGreaterThanOrEqual(retryAfterMs);
        expect(own[0]).toBeLessThanOrEqual(retryAfterMs + 4_000);
        waits.add(Math.floor(own[0] ?? 0));
      }
      expect(waits.size).toBeGreaterThan(50);
    }
  });

  test('beyond the deadline: fails now (53)', async () => {
    const inner = script(providerError('rate-limit', { retryAfterMs: 5_000 }), 'answer');
    const { llm, waits } = retrying(inner, { maxElapsedMs: 4_999 });
    await expect(llm.generate('?')).rejects.toMatchObject({ retryAfterMs: 5_000 });
    expect(waits).toEqual([]);
    const fits = retrying(script(providerError('rate-limit', { retryAfterMs: 5_000 }), 'answer'), {
      maxElapsedMs: 5_000,
    });
    expect((await fits.llm.generate('?')).text).toBe('answer');
  });

  test('the deadline counts the attempts as well as the waits', async () => {
    const { llm, waits, clock } = retrying(
      model({
        generate: async () => {
          await clock.advance(900);
          throw lost;
        },
      }),
      { maxAttempts: 10, baseDelayMs: 100, factor: 1, maxElapsedMs: 2_500 },
    );
    await expect(llm.generate('?')).rejects.toBe(lost);
    expect(waits).toEqual([100, 100]);
  });
});

describe('the retry budget', () => {
  test('empty means no retry; successes fill it (54)', async () => {
    const budget = new RetryBudget({ capacity: 2, depositPerSuccess: 0.5 });
    const failing = () => outcome(retrying(script(lost), { budget, maxAttempts: 2 }).llm.generate('?'));
    const inner = script(lost);
    await failing();
    await failing();
    expect(budget.available).toBe(0);
    await outcome(retrying(inner, { budget }).llm.generate('?'));
    expect(inner.calls()).toBe(1);
    for (let call = 0; call < 2; call++) await retrying(script('answer'), { budget }).llm.generate('?');
    expect(budget.available).toBe(1);
    await read(retrying(script('answer'), { budget }).llm.stream('?'));
    for (let call = 0; call < 9; call++) await withRetry(() => 'answer', { budget });
    expect(budget.available).toBe(2);
  });

  test('bounds the load on an outage: 1,000 calls at once make ten retries, not two thousand', async () => {
    const inner = script(lost);
    const budget = new RetryBudget();
    const llm = wrap(inner, retry({ budget, baseDelayMs: 0 }));
    await Promise.all(Array.from({ length: 1_000 }, () => outcome(llm.generate('?'))));
    expect(inner.calls()).toBe(1_010);
  });

  test('of ten successes makes one retry', () => {
    const budget = new RetryBudget({ capacity: 1 });
    expect([budget.tryWithdraw(), budget.tryWithdraw()]).toEqual([true, false]);
    for (let success = 0; success < 10; success++) budget.deposit();
    expect([budget.tryWithdraw(), budget.tryWithdraw()]).toEqual([true, false]);
    expect(() => new RetryBudget({ capacity: -1 })).toThrow(ConfigError);
  });
});

describe('retried streams', () => {
  test('start over only before their first content, and leave no trace of the failed try (51)', async () => {
    let calls = 0;
    const inner = model({
      async *stream() {
        calls++;
        yield { type: 'usage', usage: { inputTokens: calls, outputTokens: 0 } };
        if (calls < 3) throw lost;
        yield 'answer';
        return undefined;
      },
    });
    const { llm } = retrying(inner);
    const texts: string[] = [];
    const counts: number[] = [];
    for await (const event of llm.stream('?', { includeUsage: true })) {
      if (event.type === 'text') texts.push(event.text);
      if (event.type === 'usage') counts.push(event.usage.inputTokens);
    }
    expect(texts).toEqual(['answer']);
    expect(counts[0]).toBe(3);
    expect(counts).not.toContain(1);
    expect(counts).not.toContain(2);
  });

  test('that fail after it fail with their own error, asked once (51)', async () => {
    const inner = vi.fn(async function* () {
      yield 'ans';
      throw lost;
    });
    const { llm } = retrying(model({ stream: inner as never }));
    expect(await read(llm.stream('?'))).toEqual({ text: 'ans', error: lost });
    expect(inner).toHaveBeenCalledTimes(1);
  });

  test('that are left early hand out what came, with all attempts', async () => {
    const inner = script(lost, 'answer');
    const { llm } = retrying(inner);
    const stream = llm.stream('?');
    await take(stream, 2);
    const partial = await stream.result;
    expect(partial).toMatchObject({ text: 'an', finishReason: 'aborted' });
    expect(partial.attempts.map(({ outcome: end }) => end)).toEqual(['partial']);
  });

  test('that are left while they wait to start over end at once', async () => {
    const clock = new ManualClock();
    const llm = wrap(script(lost), retry({ clock }));
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    const pending = stream.next();
    await clock.advance(0);
    expect(clock.pending).toBe(1);
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(clock.pending).toBe(0);
  });
});

describe('an abort', () => {
  test('during a wait reaches the caller within a turn and leaves nothing behind (43)', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const { signal } = controller;
    const inner = script(lost);
    const calls = [
      outcome(wrap(inner, retry({ clock })).generate('?', { signal })),
      read(wrap(inner, retry({ clock })).stream('?', { signal })),
      outcome(withRetry(() => Promise.reject(lost), { clock, signal })),
    ];
    await clock.advance(0);
    expect(clock.pending).toBe(3);
    controller.abort(new Error('stop'));
    for (const call of calls) expect(await call).toMatchObject({ error: signal.reason });
    expect(clock.pending).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(inner.calls()).toBe(2);
  });

  test('is never retried, and its reason is what the caller gets', async () => {
    const controller = new AbortController();
    const inner = model({
      generate: () => {
        controller.abort(new Error('stop'));
        throw lost;
      },
    });
    const { llm, waits } = retrying(inner, { retryOn: () => true });
    const result = await outcome(llm.generate('?', { signal: controller.signal }));
    expect(result).toEqual({ error: controller.signal.reason });
    expect(waits).toEqual([]);
  });
});

describe('withRetry', () => {
  test('calls a function until it succeeds, and tells it which attempt it is', async () => {
    const clock = new ManualClock();
    const seen: number[] = [];
    const reset = Object.assign(new Error('socket'), { code: 'ECONNRESET' });
    const result = withRetry(
      ({ attempt }) => {
        seen.push(attempt);
        if (attempt < 3) throw reset;
        return 'page';
      },
      { retryOn: isNetworkError, clock },
    );
    await clock.advance(10_000);
    expect(await result).toBe('page');
    expect(seen).toEqual([1, 2, 3]);
  });

  test('leaves a function behind that does not heed an abort', async () => {
    const controller = new AbortController();
    const result = outcome(withRetry(() => new Promise<never>(() => {}), { signal: controller.signal }));
    controller.abort(new Error('stop'));
    expect(await result).toEqual({ error: controller.signal.reason });
    expect(await outcome(withRetry(() => 'never', { signal: controller.signal }))).toEqual({
      error: controller.signal.reason,
    });
  });

  test('refuses wrong options', async () => {
    await expect(withRetry(() => 1, { maxAttempts: 0 })).rejects.toBeInstanceOf(ConfigError);
  });

  test('1,000 interleaved calls, each with its own count', async () => {
    const clock = new ManualClock();
    const calls = Array.from({ length: 1_000 }, (_, index) =>
      withRetry(
        async ({ attempt }) => {
          await new Promise((resolve) => setImmediate(resolve));
          if (attempt <= index % 3) throw lost;
          return attempt;
        },
        { clock, random: seededRandom(index) },
      ),
    );
    await clock.advance(60_000);
    await clock.advance(60_000);
    expect(await Promise.all(calls)).toEqual(calls.map((_, index) => (index % 3) + 1));
  });
});
