import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { AttemptIdentity } from './attempt.ts';
import { channelNames } from './channels.ts';
import { defineLLM } from './define-llm.ts';

const store = new AsyncLocalStorage<AttemptIdentity>();
const scope = channel(channelNames.attempt);
afterEach(() => scope.unbindStore(store));

const seen = async (): Promise<string> => {
  const { attemptId } = store.getStore() ?? {};
  await sleep(1);
  return `${attemptId} ${store.getStore()?.attemptId}`;
};

test('a thousand interleaved calls each see their own attempt, and nobody sees it outside', async () => {
  scope.bindStore(store);
  const llm = defineLLM({ provider: 'local', model: 'm', generate: seen });
  const calls = await Promise.all(Array.from({ length: 1_000 }, () => llm.generate('x')));
  for (const { text, attempts } of calls) {
    expect(text).toBe(`${attempts[0]?.attemptId} ${attempts[0]?.attemptId}`);
  }
  expect(new Set(calls.map(({ text }) => text)).size).toBe(1_000);
  expect(store.getStore()).toBeUndefined();
});

test('a stream sees it in every piece, whoever pulls it', async () => {
  scope.bindStore(store);
  const llm = defineLLM({
    provider: 'local',
    model: 'm',
    generate: seen,
    async *stream() {
      yield await seen();
      yield ` ${await seen()}`;
    },
  });
  const stream = llm.stream('x');
  for await (const _ of stream) await sleep(0);
  const { text, attempts } = await stream.result;
  const id = attempts[0]?.attemptId;
  expect(text).toBe([id, id, id, id].join(' '));
});

test('without a store nothing is published, and calls work as ever', async () => {
  const llm = defineLLM({ provider: 'local', model: 'm', generate: seen });
  scope.bindStore(store);
  expect((await llm.generate('x')).text).not.toContain('undefined');
  scope.unbindStore(store);
  expect((await llm.generate('x')).text).toBe('undefined undefined');
});

test('one attempt is one object: whoever asks whether it may be sent gets it, and every piece', async () => {
  scope.bindStore(store);
  const given = new Set<unknown>();
  const llm = defineLLM({
    provider: 'local',
    model: 'm',
    generate: () => '',
    async *stream() {
      for (const piece of ['a', 'b', 'c']) {
        given.add(store.getStore());
        yield piece;
      }
    },
  });
  const { attempts } = await llm.stream('x', { onAttemptStart: (attempt) => void given.add(attempt) }).result;
  expect([...given]).toEqual([
    { attemptId: attempts[0]?.attemptId, provider: 'local', model: 'm', id: 'local/m' },
  ]);
  expect(Object.isFrozen([...given][0])).toBe(true);
});

test('a stream that is left is closed in its attempt', async () => {
  scope.bindStore(store);
  let closing: AttemptIdentity | undefined;
  const llm = defineLLM({
    provider: 'local',
    model: 'm',
    generate: () => '',
    async *stream() {
      try {
        yield 'a';
        yield 'b';
      } finally {
        closing = store.getStore();
      }
    },
  });
  const stream = llm.stream('x');
  for await (const _ of stream) break;
  const { attempts } = await stream.result;
  expect(closing?.attemptId).toBe(attempts[0]?.attemptId);
});
