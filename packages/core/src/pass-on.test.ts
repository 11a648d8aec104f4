import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import type { Generation } from './generation.ts';
import {
  createGenerationStream,
  type GenerationStream,
  passOn,
  relay,
  type StreamEvent,
  type StreamWatch,
} from './stream.ts';

const generation = (text: string): Generation => ({
  text,
  toolCalls: [],
  finishReason: 'stop',
  usage: { inputTokens: 1, outputTokens: 1 },
  attempts: [],
  provider: 'test',
  model: 'm',
  servedBy: 'test/m',
  servedModel: 'm',
  latencyMs: 0,
  failures: [],
});

const text = (piece: string): StreamEvent => ({ type: 'text', text: piece });
const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A stream of these words; an error in place of a word is thrown. */
function words(list: readonly (string | Error)[], signal?: AbortSignal, log: string[] = []) {
  return createGenerationStream(
    async function* (context) {
      let said = '';
      try {
        for (const word of list) {
          if (word instanceof Error) throw word;
          said += word;
          context.partial(generation(said));
          yield text(word);
        }
        return generation(said);
      } finally {
        log.push('cleanup');
      }
    },
    { signal },
  );
}

/** `stream` behind so many layers that pass it on. */
function behind(layers: number, stream: GenerationStream, watch?: StreamWatch): GenerationStream {
  let outer = stream;
  for (let i = 0; i < layers; i++) {
    const inner = outer;
    outer = createGenerationStream((context) => passOn(context, inner, watch));
  }
  return outer;
}

/** The same events as an async iterable that is none of ours. */
function foreign(stream: GenerationStream): GenerationStream {
  const iterator = stream[Symbol.asyncIterator]();
  return {
    get result() {
      return stream.result;
    },
    textStream: stream.textStream,
    [Symbol.asyncIterator]: () => ({
      next: () => iterator.next(),
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

async function read(stream: GenerationStream): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const event of stream) if (event.type === 'text') seen.push(event.text);
  return seen;
}

describe.each([
  ['one layer', (stream: GenerationStream, watch?: StreamWatch) => behind(1, stream, watch)],
  ['three layers', (stream: GenerationStream, watch?: StreamWatch) => behind(3, stream, watch)],
  [
    'a layer round a relay',
    (stream: GenerationStream, watch?: StreamWatch) =>
      behind(
        1,
        createGenerationStream((context) => relay(context, stream)),
        watch,
      ),
  ],
  [
    'a layer round a foreign stream',
    (stream: GenerationStream, watch?: StreamWatch) => behind(1, foreign(stream), watch),
  ],
])('passOn, %s', (_, through) => {
  test('gives every event, in order, and the result', async () => {
    const stream = through(words(['a', 'b', 'c']));
    expect(await read(stream)).toEqual(['a', 'b', 'c']);
    expect((await stream.result).text).toBe('abc');
  });

  test('answers those who ask without waiting for the one before, in their order', async () => {
    const iterator = through(words(['a', 'b', 'c']))[Symbol.asyncIterator]();
    const steps = await Promise.all(Array.from({ length: 5 }, () => iterator.next()));
    const end = { done: true, value: undefined };
    expect(steps).toEqual([
      ...['a', 'b', 'c'].map((piece) => ({ done: false, value: text(piece) })),
      end,
      end,
    ]);
  });

  test('gives its result to a reader in the middle of it, who still gets every event', async () => {
    const stream = through(words(['a', 'b', 'c']));
    const seen: string[] = [];
    for await (const event of stream) {
      if (event.type === 'text') seen.push(event.text);
      if (seen.length === 1) expect((await stream.result).text).toBe('abc');
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('tells of a failure once, to the reader and in the result', async () => {
    const stream = through(words(['a', new Error('cut')]));
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await expect(iterator.next()).rejects.toThrow('cut');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await expect(stream.result).rejects.toThrow('cut');
  });

  test('cleans up inside when its consumer leaves, and keeps what came', async () => {
    const log: string[] = [];
    const stream = through(words(['a', 'b', 'c'], undefined, log));
    for await (const event of stream) if (event.type === 'text' && event.text === 'b') break;
    expect(log).toEqual(['cleanup']);
    expect((await stream.result).text).toBe('ab');
  });

  test('shows each event to the watch before it is handed out, and stops when that has seen enough', async () => {
    const log: string[] = [];
    const stream = through(words(['a', 'b', 'c']), {
      came: (event) => {
        const piece = event.type === 'text' ? event.text : '';
        log.push(`watch ${piece}`);
        return piece !== 'b';
      },
    });
    for await (const event of stream) if (event.type === 'text') log.push(event.text);
    expect(log.filter((entry, index) => log.indexOf(entry) === index)).toEqual([
      'watch a',
      'a',
      'watch b',
      'b',
      'c',
    ]);
  });

  test.each(['asked', 'came'] as const)('fails with what the watch throws when %s', async (when) => {
    const log: string[] = [];
    const fail = (): never => {
      throw new Error('no more');
    };
    const stream = through(words(['a', 'b'], undefined, log), { [when]: fail });
    await expect(read(stream)).rejects.toThrow('no more');
    await expect(stream.result).rejects.toThrow('no more');
    // Nothing was sent where nobody got as far as to ask.
    expect(log).toEqual(when === 'came' ? ['cleanup'] : []);
  });

  test('runs the watch in the context of the stream, whoever reads it', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = new Set<string | undefined>();
    const note = (): boolean => {
      seen.add(storage.getStore());
      return true;
    };
    const stream = storage.run('creator', () => through(words(['a', 'b']), { asked: note, came: note }));
    await storage.run('reader', () => read(stream));
    expect([...seen]).toEqual(['creator']);
  });
});

describe('passOn', () => {
  test('ends at an abort although the stream within does not hear of it', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const endless = createGenerationStream(async function* () {
      try {
        for (;;) {
          await tick();
          yield text('a');
        }
      } finally {
        log.push('cleanup');
      }
    });
    const stream = createGenerationStream((context) => passOn(context, endless), {
      signal: controller.signal,
    });
    const reading = read(stream);
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(reading).rejects.toThrow('enough');
    expect(log).toEqual(['cleanup']);
    await expect(stream.result).rejects.toThrow('enough');
  });

  test('ends at an abort while nobody reads', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const stream = createGenerationStream(
      (context) => passOn(context, words(['a', 'b', 'c'], context.signal, log)),
      { signal: controller.signal },
    );
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort(new Error('enough'));
    await tick();
    expect(log).toEqual(['cleanup']);
    await expect(iterator.next()).rejects.toThrow('enough');
  });

  test('lets the source go on afterwards, and pass on another stream', async () => {
    const stream = createGenerationStream(async function* (context) {
      yield text('<');
      const first = yield* passOn(context, words(['a', 'b']));
      yield text('|');
      try {
        yield* passOn(context, words(['c', new Error('cut')]));
      } catch {
        yield text('!');
      }
      const last = yield* passOn(context, words(['d']));
      yield text('>');
      return generation(first.text + last.text);
    });
    const iterator = stream[Symbol.asyncIterator]();
    // All at once: one pull per step, whatever the source is about.
    const steps = await Promise.all(Array.from({ length: 9 }, () => iterator.next()));
    const pieces = steps.map((step) => (step.value?.type === 'text' ? step.value.text : step.done));
    expect(pieces).toEqual(['<', 'a', 'b', '|', 'c', '!', 'd', '>', true]);
    expect((await stream.result).text).toBe('abd');
  });

  test('1,000 at once do not mix', async () => {
    const all = Array.from({ length: 1_000 }, (_, index) => {
      const list = Array.from({ length: 5 }, (_, piece) => `${index}.${piece}`);
      return { list, stream: behind(2, words(list)) };
    });
    const seen = await Promise.all(all.map(({ stream }) => read(stream)));
    expect(seen).toEqual(all.map(({ list }) => list));
  });
});
