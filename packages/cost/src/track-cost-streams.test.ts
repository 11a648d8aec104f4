import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineLLM, ProviderError } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { answering, readAll, silentTracker, tracked } from '../test/tracked-models.ts';

describe('trackCost on streams', () => {
  test('books in the scope that created the stream, whoever reads it', async () => {
    const tracker = silentTracker();
    const llm = tracked(answering(), tracker);
    const stream = tracker.scope('asked', () => llm.stream('hello'));
    expect(await tracker.scope('read', () => readAll(stream))).toBe('one two three');
    expect((await stream.result).text).toBe('one two three');
    const unread = tracker.scope('asked too', () => llm.stream('hello'));
    await unread.result;
    expect(tracker.recent.map(({ scopePath }) => scopePath)).toEqual([['asked'], ['asked too']]);
    expect(tracker.recent.every(({ estimated }) => !estimated)).toBe(true);
  });

  test('left early, it costs what came until then, as estimated', async () => {
    const tracker = silentTracker();
    const stream = tracker.scope('s', () => tracked(answering(), tracker).stream('hello'));
    for await (const _ of stream) break;
    expect((await stream.result).finishReason).toBe('aborted');
    expect(tracker.recent).toMatchObject([{ estimated: true, scopePath: ['s'], usage: { outputTokens: 1 } }]);
  });

  test('never read, it costs nothing', async () => {
    const tracker = silentTracker();
    const stream = tracked(answering(), tracker).stream('hello');
    await stream[Symbol.asyncIterator]().return?.();
    await nextTurn();
    expect(tracker.summary().calls).toBe(0);
  });

  test('aborted while nobody reads, it is booked all the same', async () => {
    const tracker = silentTracker();
    const abort = new AbortController();
    const stream = tracker.scope('s', () =>
      tracked(answering(), tracker).stream('hello', { signal: abort.signal }),
    );
    await stream[Symbol.asyncIterator]().next();
    abort.abort(new Error('enough'));
    await expect(stream.result).rejects.toThrow('enough');
    expect(tracker.recent).toMatchObject([{ estimated: true, scopePath: ['s'] }]);
  });

  test('cut by the provider, it is booked as estimated', async () => {
    const tracker = silentTracker();
    const llm = defineLLM({
      provider: 'openai',
      model: 'gpt-4o',
      generate: () => 'x',
      async *stream() {
        yield 'some words';
        throw new ProviderError('It broke off.', { kind: 'truncated', provider: 'openai', model: 'gpt-4o' });
      },
    });
    await expect(readAll(tracked(llm, tracker).stream('hello'))).rejects.toThrow(ProviderError);
    expect(tracker.recent).toMatchObject([{ estimated: true, usage: { outputTokens: 3 } }]);
  });
});
