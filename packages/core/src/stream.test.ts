import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import type { Generation } from './generation.ts';
import { createGenerationStream, type GenerationStream, relay, type StreamEvent } from './stream.ts';

const generation = (text: string, finishReason: Generation['finishReason'] = 'stop'): Generation => ({
  text,
  toolCalls: [],
  finishReason,
  usage: { inputTokens: 1, outputTokens: 1 },
  attempts: [],
  provider: 'test',
  model: 'm',
  servedBy: 'test/m',
  servedModel: 'm',
  latencyMs: 0,
  failures: [],
});

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A stream of the words, with what happened to it. */
function words(list: readonly string[], options: { signal?: AbortSignal } = {}) {
  const log: string[] = [];
  const stream = createGenerationStream(async function* (context) {
    log.push('start');
    let text = '';
    try {
      for (const word of list) {
        context.signal.throwIfAborted();
        text += word;
        context.partial(generation(text, 'aborted'));
        yield { type: 'text', text: word };
        await tick();
      }
      log.push('end');
      return generation(text);
    } finally {
      log.push('cleanup');
    }
  }, options);
  return { stream, log };
}

async function read(stream: GenerationStream): Promise<string> {
  let text = '';
  for await (const event of stream) if (event.type === 'text') text += event.text;
  return text;
}

describe('a stream', () => {
  test('does nothing before it is read', async () => {
    const { log } = words(['a']);
    await tick();
    expect(log).toEqual([]);
  });

  test('gives its events and then its result', async () => {
    const { stream } = words(['a', 'b']);
    expect(await read(stream)).toBe('ab');
    expect((await stream.result).text).toBe('ab');
  });

  test('runs for whoever only wants the result', async () => {
    const { stream, log } = words(['a', 'b']);
    expect((await stream.result).text).toBe('ab');
    expect(log).toEqual(['start', 'end', 'cleanup']);
  });

  test('gives every event also when the result was asked for first', async () => {
    const { stream } = words(['a', 'b', 'c']);
    const result = stream.result;
    expect(await read(stream)).toBe('abc');
    expect((await result).text).toBe('abc');
  });

  test('gives its result also to a reader who waits for it before he reads on', async () => {
    const { stream } = words(['a', 'b', 'c']);
    const seen: string[] = [];
    for await (const event of stream) {
      if (event.type === 'text') seen.push(event.text);
      if (seen.length === 1) expect((await stream.result).text).toBe('abc');
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('hands out 100,000 events that were read ahead in linear time', async () => {
    const stream = createGenerationStream(async function* () {
      for (let i = 0; i < 100_000; i++) yield { type: 'text', text: 'a' };
      return generation('');
    });
    await stream.result;
    const before = performance.now();
    expect((await read(stream)).length).toBe(100_000);
    expect(performance.now() - before).toBeLessThan(1_500); // by shift() it takes 6 s
  });

  test('can be read only once', async () => {
    const { stream } = words(['a']);
    await read(stream);
    expect(() => stream[Symbol.asyncIterator]()).toThrow('read only once');
  });

  test('yields its text alone', async () => {
    const pieces = [];
    for await (const piece of words(['a', 'b']).stream.textStream) pieces.push(piece);
    expect(pieces).toEqual(['a', 'b']);
  });

  test('runs in the async context where it was created', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const stream = storage.run('creator', () =>
      createGenerationStream(async function* () {
        seen.push(storage.getStore());
        yield { type: 'text', text: 'a' };
        await tick();
        seen.push(storage.getStore());
        return generation('a');
      }),
    );
    await storage.run('reader', () => read(stream));
    expect(seen).toEqual(['creator', 'creator']);
  });

  test('an error reaches the reader once and the result', async () => {
    const failing = (): AsyncGenerator<StreamEvent, Generation, undefined> =>
      (async function* () {
        yield { type: 'text', text: 'a' } as const;
        throw new Error('cut');
      })();
    const stream = createGenerationStream(failing);
    await expect(read(stream)).rejects.toThrow('cut');
    await expect(stream.result).rejects.toThrow('cut');
  });
});

describe('leaving a stream early', () => {
  test('runs the source’s cleanup and resolves the result with what came', async () => {
    const { stream, log } = words(['a', 'b', 'c']);
    for await (const event of stream) if (event.type === 'text' && event.text === 'b') break;
    expect(log).toEqual(['start', 'cleanup']);
    expect(await stream.result).toMatchObject({ text: 'ab', finishReason: 'aborted' });
  });

  test('passes through a middleware’s stream', async () => {
    const { stream, log } = words(['a', 'b', 'c']);
    const outer = createGenerationStream((context) => relay(context, stream));
    for await (const _ of outer) break;
    expect(log).toEqual(['start', 'cleanup']);
    expect(await outer.result).toMatchObject({ text: 'a', finishReason: 'aborted' });
  });

  test('is prompt while the source is waiting', async () => {
    let aborted = false;
    const stream = createGenerationStream(async function* (context) {
      yield { type: 'text', text: 'a' };
      context.partial(generation('a', 'aborted'));
      await new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => {
          aborted = true;
          reject(context.signal.reason);
        });
      });
      return generation('never');
    });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    await iterator.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(aborted).toBe(true);
    expect((await stream.result).text).toBe('a');
  });

  test('is prompt for a reader of the text alone', async () => {
    const stream = createGenerationStream(async function* (context) {
      yield { type: 'text', text: 'a' };
      await new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason));
      });
      return generation('never');
    });
    const iterator = stream.textStream[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    await iterator.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test('forgets what was read ahead', async () => {
    const { stream } = words(['a', 'b']);
    await stream.result;
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('before it began sends nothing', async () => {
    const { stream, log } = words(['a']);
    await stream[Symbol.asyncIterator]().return?.();
    expect(log).toEqual([]);
    await expect(stream.result).rejects.toMatchObject({ code: 'stream-abandoned' });
  });
});

describe('aborting a stream', () => {
  test('before it began sends nothing and rejects with the reason', async () => {
    const { stream, log } = words(['a'], { signal: AbortSignal.abort('no') });
    await expect(read(stream)).rejects.toBe('no');
    await expect(stream.result).rejects.toBe('no');
    expect(log).toEqual([]);
  });

  test('cleans up at once even when the reader is busy elsewhere', async () => {
    const controller = new AbortController();
    const { stream, log } = words(['a', 'b', 'c'], { signal: controller.signal });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort(new Error('enough'));
    await tick();
    expect(log).toEqual(['start', 'cleanup']);
    await expect(iterator.next()).rejects.toThrow('enough');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await expect(stream.result).rejects.toThrow('enough');
  });

  test('ends a source that does not mind', async () => {
    const controller = new AbortController();
    let closed = false;
    const stream = createGenerationStream(
      async function* () {
        try {
          for (;;) {
            await tick();
            yield { type: 'text', text: 'a' };
          }
        } finally {
          closed = true;
        }
      },
      { signal: controller.signal },
    );
    const reading = read(stream);
    setImmediate(() => controller.abort('enough'));
    await expect(reading).rejects.toBe('enough');
    expect(closed).toBe(true);
  });

  test('1,000 streams on one signal leave no listener', async () => {
    const controller = new AbortController();
    await Promise.all(
      Array.from({ length: 1_000 }, () => read(words(['a'], { signal: controller.signal }).stream)),
    );
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

test('a result nobody asked for is no unhandled rejection', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  const stream = createGenerationStream(async function* () {
    yield { type: 'text', text: 'a' };
    throw new Error('cut');
  });
  await read(stream).catch(() => {});
  await tick();
  await tick();
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
