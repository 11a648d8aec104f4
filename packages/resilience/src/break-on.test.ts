import {
  createGenerationStream,
  defineLLM,
  type GenerationStream,
  isSynapseError,
  type LLM,
  type StreamEvent,
  wrap,
} from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, down, fail, outcome } from '../test/breakers.ts';
import { endsNormally, hang, model, providerError, read, script, take } from '../test/models.ts';
import { breakOn } from './break-on.ts';
import { timeout } from './timeout.ts';

const truncated = providerError('truncated', { emitted: true });

/** A model that streams so many words and then does something else. */
function streaming(words: number, then: (signal: AbortSignal) => Promise<unknown> | unknown = () => {}): LLM {
  return model({
    async *stream(_, { signal }) {
      for (let word = 0; word < words; word++) yield `${word} `;
      await then(signal as AbortSignal);
      return undefined;
    },
  });
}

async function guarded(
  llm: LLM,
  { halfOpen = false, ...options }: { halfOpen?: boolean } & Parameters<typeof breakerOnClock>[0] = {},
) {
  const { breaker, clock } = breakerOnClock({ failureThreshold: 1, ...options });
  if (halfOpen) {
    await fail(breaker);
    await clock.advance(60_000);
  }
  return { breaker, clock, llm: wrap(llm, breakOn(breaker)) };
}

describe('breakOn: whole answers', () => {
  test('pass, and refusals come without a call', async () => {
    const inner = script(down, 'answer');
    const { llm, breaker, clock } = await guarded(inner);
    await expect(llm.generate('?')).rejects.toBe(down);
    expect(llm.availability?.()).toMatchObject({ available: false, retryAfterMs: 60_000 });
    await expect(llm.generate('?')).rejects.toMatchObject({
      code: 'circuit-open',
      breaker: 'test',
      cause: down,
    });
    expect(inner.calls()).toBe(1);
    await clock.advance(60_000);
    expect(llm.availability?.()).toEqual({ available: true });
    expect((await llm.generate('?')).text).toBe('answer');
    expect(breaker.state).toBe('CLOSED');
  });

  test('of a model that is not available itself say so', async () => {
    const refused = { available: false, error: down } as const;
    const { breaker } = breakerOnClock();
    const llm = wrap({ ...model(), availability: () => refused }, breakOn(breaker));
    expect(llm.availability?.()).toBe(refused);
  });

  test('are neutral when their caller aborts, whatever the model then does (40)', async () => {
    for (const end of ['rejects', 'resolves'] as const) {
      const controller = new AbortController();
      const { llm, breaker } = await guarded(
        model({
          generate: () => {
            controller.abort(new Error('stop'));
            if (end === 'rejects') throw down;
            return 'late';
          },
        }),
      );
      await outcome(llm.generate('?', { signal: controller.signal }));
      expect(breaker.stats()).toMatchObject({ state: 'CLOSED', successes: 0, failures: 0, neutral: 1 });
    }
  });

  test('are shown to validate', async () => {
    const { llm, breaker } = await guarded(script('{}'), {
      validate: (result) => (result as { text: string }).text !== '{}',
    });
    expect((await llm.generate('?')).text).toBe('{}');
    expect(breaker.state).toBe('OPEN');
  });
});

describe('breakOn: streams', () => {
  test('take their leave when they are read, not when they are made (50)', async () => {
    const { llm, breaker } = await guarded(streaming(2), { halfOpen: true });
    const unread = llm.stream('?');
    expect(unread).toBeDefined();
    expect(await read(llm.stream('?'))).toEqual({ text: '0 1 ' });
    expect(breaker.state).toBe('CLOSED');
  });

  test.each([0, 3])('that fail after %i pieces deliver them in order and count once (44)', async (pieces) => {
    const { llm, breaker } = await guarded(streaming(pieces, () => Promise.reject(down)));
    expect(await read(llm.stream('?'))).toEqual({ text: ['', '', '', '0 1 2 '][pieces], error: down });
    expect(breaker.stats()).toMatchObject({ state: 'OPEN', failures: 1, successes: 0 });
  });

  test('that end without their terminator count (45)', async () => {
    const { llm, breaker } = await guarded(streaming(2, () => Promise.reject(truncated)));
    expect((await read(llm.stream('?'))).error).toBe(truncated);
    expect(breaker.state).toBe('OPEN');
  });

  test('that are left after some content are a success, and their source is closed once (46)', async () => {
    const closed = vi.fn();
    const inner = model({
      async *stream() {
        try {
          for (;;) yield 'word ';
        } finally {
          closed();
        }
      },
    });
    const { llm, breaker } = await guarded(inner);
    expect(await take(llm.stream('?'), 2)).toBe(2);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(breaker.stats()).toMatchObject({ successes: 1, neutral: 0, failures: 0 });
  });

  test('that are left before any content are neutral, and the next caller probes (46)', async () => {
    const inner = streaming(0, hang);
    const { llm, breaker } = await guarded(inner, { halfOpen: true });
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    const pending = stream.next();
    expect(breaker.tryAcquire()).toBeUndefined();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(breaker.stats()).toMatchObject({ successes: 0, neutral: 1 });
    expect(breaker.tryAcquire()?.probe).toBe(true);
  });

  test('that are aborted are neutral, also where the source then ends normally, as SDKs do (47)', async () => {
    for (const inner of [streaming(2, hang), endsNormally(2)]) {
      const { llm, breaker } = await guarded(inner);
      const controller = new AbortController();
      const stream = llm.stream('?', { signal: controller.signal });
      const events: StreamEvent[] = [];
      const ended = outcome(
        (async () => {
          for await (const event of stream) {
            events.push(event);
            if (events.length === 2) setImmediate(() => controller.abort(new Error('stop')));
          }
        })(),
      );
      await ended;
      expect(events).toHaveLength(2);
      expect(breaker.stats()).toMatchObject({ state: 'CLOSED', successes: 0, neutral: 1, failures: 0 });
    }
  });

  test('that are aborted while their consumer is busy are neutral at once', async () => {
    const { llm, breaker } = await guarded(streaming(5));
    const controller = new AbortController();
    const stream = llm.stream('?', { signal: controller.signal })[Symbol.asyncIterator]();
    await stream.next();
    controller.abort(new Error('stop'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(breaker.stats()).toMatchObject({ neutral: 1, successes: 0 });
    await expect(stream.next()).rejects.toBe(controller.signal.reason);
  });

  test('that stall count, by the idle timeout inside the breaker (48)', async () => {
    const clock = new ManualClock();
    const { breaker } = breakerOnClock({ failureThreshold: 1, clock });
    const llm = wrap(streaming(2, hang), breakOn(breaker), timeout({ idleMs: 1_000, clock }));
    const result = read(llm.stream('?'));
    await clock.advance(1_000);
    expect(await result).toMatchObject({
      text: '0 1 ',
      error: { code: 'timeout', phase: 'idle', emitted: true },
    });
    expect(breaker.state).toBe('OPEN');
  });

  test('settle a probe with their first content; what fails after it counts once, in the closed circuit (49)', async () => {
    const tail = Promise.withResolvers<void>();
    const { llm, breaker } = await guarded(
      streaming(1, () => tail.promise),
      { halfOpen: true },
    );
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    await stream.next();
    expect(breaker.state).toBe('CLOSED');
    tail.reject(down);
    expect(await outcome(stream.next())).toEqual({ error: down });
    expect(breaker.stats()).toMatchObject({ state: 'OPEN', failures: 2, successes: 1 });
  });

  test('what fails after a probe changes nothing once the circuit has been opened again (49)', async () => {
    const tail = Promise.withResolvers<void>();
    const { llm, breaker } = await guarded(
      streaming(1, () => tail.promise),
      { halfOpen: true },
    );
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    await stream.next();
    breaker.open(5);
    tail.reject(down);
    expect(await outcome(stream.next())).toEqual({ error: down });
    expect(breaker.retryAfterMs).toBe(5);
  });

  test('whose answer has no content at all settle a probe with their end', async () => {
    const empty = defineLLM({ provider: 'test', model: 'empty', generate: () => '' });
    const { llm, breaker } = await guarded(empty, { halfOpen: true });
    expect((await llm.stream('?').result).text).toBe('');
    expect(breaker.state).toBe('CLOSED');
  });

  test('empty pieces are no content: the probe is still out', async () => {
    const { llm, breaker } = await guarded(
      model({
        async *stream() {
          yield '';
          yield 'word';
          return undefined;
        },
      }),
      { halfOpen: true },
    );
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    await stream.next();
    expect(breaker.state).toBe('HALF_OPEN');
    await stream.next();
    expect(breaker.state).toBe('CLOSED');
    await stream.return?.();
  });

  test('survive two reads at once, and a return while one is pending (52)', async () => {
    const { llm, breaker } = await guarded(streaming(3));
    const stream = llm.stream('?')[Symbol.asyncIterator]();
    const [first, second] = await Promise.all([stream.next(), stream.next()]);
    expect([first.value, second.value]).toEqual([
      { type: 'text', text: '0 ' },
      { type: 'text', text: '1 ' },
    ]);
    const pending = stream.next();
    await stream.return?.();
    await pending;
    expect(breaker.stats()).toMatchObject({ successes: 1, failures: 0, neutral: 0 });
  });

  test('of a source without return are closed all the same (52)', async () => {
    const plain = (): GenerationStream => {
      const inner = model().stream('?');
      return {
        result: inner.result,
        textStream: inner.textStream,
        [Symbol.asyncIterator]: () => {
          const iterator = inner[Symbol.asyncIterator]();
          return { next: () => iterator.next() };
        },
      };
    };
    const { llm, breaker } = await guarded({ ...model(), stream: plain });
    expect(await take(llm.stream('?'), 1)).toBe(1);
    expect(breaker.stats()).toMatchObject({ successes: 1 });
  });

  test('hand out the partial answer to whoever leaves early', async () => {
    const { llm } = await guarded(streaming(5));
    const stream = llm.stream('?');
    await take(stream, 2);
    expect(await stream.result).toMatchObject({ text: '0 1 ', finishReason: 'aborted' });
  });

  test('1,000 at once at half-open: one is asked', async () => {
    let asked = 0;
    const inner: LLM = {
      ...model(),
      stream: () =>
        createGenerationStream(async function* (context) {
          asked++;
          await new Promise((resolve) => setImmediate(resolve));
          yield { type: 'text', text: 'answer' };
          return model().generate('?', { signal: context.signal });
        }),
    };
    const { llm, breaker } = await guarded(inner, { halfOpen: true });
    const results = await Promise.all(Array.from({ length: 1_000 }, () => read(llm.stream('?'))));
    expect(asked).toBe(1);
    expect(results.filter(({ error }) => isSynapseError(error, 'circuit-open'))).toHaveLength(999);
    expect(breaker.state).toBe('CLOSED');
  });
});
