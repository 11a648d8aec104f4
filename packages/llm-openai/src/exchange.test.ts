import type { Attempt, CallOptions } from '@synapsekit/core';
import type { ChatClient } from '@synapsekit/core/chat-completions';
import { ManualClock } from '@synapsekit/testing';
import { beforeEach, expect, test } from 'vitest';
import { OpenAILLM } from './openai-llm.ts';

/** What happens between the adapter and an SDK that does not do its part: no server, and time by hand. */

let clock = new ManualClock();
let attempts: Attempt[] = [];

beforeEach(() => {
  clock = new ManualClock();
  attempts = [];
});

const noting = (options: CallOptions = {}): CallOptions => ({
  ...options,
  onAttempt: (attempt) => attempts.push(attempt),
});

/** A model over a client whose `create` is given. */
const over = (create: (body: Record<string, unknown>, options: { signal: AbortSignal }) => unknown) =>
  new OpenAILLM({
    model: 'gpt-4o',
    client: { chat: { completions: { create } } } satisfies ChatClient,
    clock,
  });

const completion = (content: string) => ({
  choices: [{ message: { content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 1 },
});
const delta = (content: string, more: object = {}) => ({
  choices: [{ index: 0, delta: { content }, ...more }],
});
const finish = delta('', { finish_reason: 'stop' });
const usage = { choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } };

/** An SDK's promise: it can be awaited, and asked for the response. */
function sdkCall(
  data: () => unknown,
  response: Promise<unknown> = Promise.resolve({ headers: new Headers() }),
) {
  return {
    asResponse: () => response,
    // biome-ignore lint/suspicious/noThenProperty: the SDKs' promises parse the body when they are awaited.
    then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) =>
      response.then(data).then(resolve, reject),
  };
}

/** A stream of chunks; a number among them is a wait on the clock, an error is thrown. */
function sdkStream(...chunks: readonly unknown[]) {
  return sdkCall(async function* stream() {
    for (const chunk of chunks) {
      if (typeof chunk === 'number') await clock.sleep(chunk);
      else if (chunk instanceof Error) throw chunk;
      else yield chunk;
    }
  });
}

test('aborts at once although the SDK does not listen, and voids what comes later', async () => {
  const late = Promise.withResolvers<unknown>();
  let cancelled = false;
  const llm = over(() => sdkCall(() => completion('late'), late.promise));
  const controller = new AbortController();
  const call = llm.generate('Hi', noting({ signal: controller.signal }));
  const settled = call.catch((error: unknown) => error);
  await clock.advance(10);
  controller.abort('reason');
  expect(await settled).toBe('reason');
  expect(attempts).toMatchObject([{ outcome: 'unanswered', latencyMs: 10, usage: { source: 'estimated' } }]);
  late.resolve({
    headers: new Headers(),
    body: {
      cancel: async () => {
        cancelled = true;
      },
    },
  });
  await clock.advance(0);
  expect(cancelled).toBe(true);
  expect(attempts).toHaveLength(1);
});

test('a failure that comes after an abort is handled, not left to the process', async () => {
  const late = Promise.withResolvers<unknown>();
  const llm = over(() => sdkCall(() => completion('late'), late.promise));
  await expect(llm.generate('Hi', noting({ signal: AbortSignal.timeout(1) }))).rejects.toThrow(/timeout/i);
  late.reject(new Error('late'));
  await clock.advance(0); // vitest fails on unhandled rejections
  expect(attempts).toHaveLength(1);
});

test('aborts a stream at once although its iterator never ends', async () => {
  const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const controller = new AbortController();
  const stream = over(() => sdkCall(() => hanging)).stream('Hi', noting({ signal: controller.signal }));
  const settled = stream.result.catch((error: unknown) => error);
  await clock.advance(0);
  controller.abort('reason');
  expect(await settled).toBe('reason');
  expect(attempts).toMatchObject([{ outcome: 'unanswered' }]);
});

test('works with a client that hands out data only, as tracing wrappers do', async () => {
  expect((await over(async () => completion('Hi')).generate('Hi')).text).toBe('Hi');
  const stream = over(async () =>
    (async function* () {
      yield delta('Hi');
      yield finish;
    })(),
  ).stream('Hi');
  expect((await stream.result).text).toBe('Hi');
});

test('what fails before it is sent is free; what fails in a client without headers may not be', async () => {
  const failing = (error: Error, sync: boolean) =>
    over(() => {
      if (sync) throw error;
      return Promise.reject(error);
    }).generate('Hi', noting());
  await expect(failing(new TypeError('Do not know how to serialize a BigInt'), true)).rejects.toMatchObject({
    kind: 'bad-request',
    message: expect.stringContaining('could not be built'),
    cause: { name: 'TypeError' },
  });
  await expect(failing(new SyntaxError('Unexpected end of JSON input'), false)).rejects.toMatchObject({
    kind: 'malformed',
  });
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['unsent', 'unanswered']);
});

test('measures from sending to the end, and to the first content', async () => {
  const llm = over(() => sdkStream(20, delta(''), 30, delta('Hel'), 50, delta('lo'), finish, usage));
  const result = llm.stream('Hi', noting()).result;
  await clock.advance(200);
  expect(await result).toMatchObject({ text: 'Hello', firstTokenMs: 50, latencyMs: 100 });
  expect(attempts).toMatchObject([{ firstTokenMs: 50, latencyMs: 100 }]);
});

test.each([
  ['its connection', [new TypeError('terminated')], {}],
  ['time, while it waits for the usage', [1_000, usage], { idleTimeoutMs: 100 }],
  ['time as a whole', [1_000, usage], { timeoutMs: 100 }],
])('an answer that is complete survives when the stream then loses %s', async (_, tail, limits) => {
  const llm = over(() => sdkStream(delta('Hello'), finish, ...tail));
  const stream = llm.stream('Hi', noting(limits));
  const result = stream.result;
  await clock.advance(2_000);
  expect(await result).toMatchObject({ text: 'Hello', finishReason: 'stop', usage: { source: 'estimated' } });
  expect(attempts).toMatchObject([{ outcome: 'served', usage: { source: 'estimated' } }]);
});

test('but not the abort of its caller', async () => {
  const controller = new AbortController();
  const stream = over(() => sdkStream(delta('Hello'), finish, 1_000, usage)).stream(
    'Hi',
    noting({ signal: controller.signal }),
  );
  const settled = stream.result.catch((error: unknown) => error);
  await clock.advance(10);
  controller.abort('reason');
  expect(await settled).toBe('reason');
  expect(attempts).toMatchObject([{ outcome: 'partial' }]);
});

test('chunks without content do not reset the idle limit; content does', async () => {
  const busy = over(() => sdkStream(delta('Hel'), 60, delta(''), 60, delta('lo'), finish));
  const failed = busy.stream('Hi', noting({ idleTimeoutMs: 100 })).result.catch((error: unknown) => error);
  await clock.advance(1_000);
  expect(await failed).toMatchObject({ code: 'timeout', phase: 'idle', timeoutMs: 100, emitted: true });
  const steady = over(() => sdkStream(delta('Hel'), 90, delta('l'), 90, delta('o'), 90, finish));
  const result = steady.stream('Hi', noting({ idleTimeoutMs: 100 })).result;
  await clock.advance(1_000);
  expect((await result).text).toBe('Hello');
});

test('a consumer who takes an hour over a piece does not make the stream idle', async () => {
  const llm = over(() => sdkStream(delta('a'), delta('b'), delta('c'), finish));
  const events = llm.stream('Hi', noting({ idleTimeoutMs: 100 }))[Symbol.asyncIterator]();
  for (const text of ['a', 'b', 'c']) {
    expect((await events.next()).value).toEqual({ type: 'text', text });
    await clock.advance(3_600_000);
  }
  expect((await events.next()).value).toEqual({ type: 'finish', finishReason: 'stop' });
  expect(attempts).toMatchObject([{ outcome: 'served' }]);
});

test('the usage of a cut stream is the one that the provider told, where it did', async () => {
  const llm = over(() => sdkStream(delta('Hel'), usage, new TypeError('terminated')));
  await expect(llm.stream('Hi', noting()).result).rejects.toMatchObject({
    kind: 'connection',
    emitted: true,
  });
  expect(attempts).toMatchObject([{ outcome: 'partial', usage: { source: 'provider', outputTokens: 2 } }]);
});

test('leaves no timer behind', async () => {
  const limits = { timeoutMs: 1_000, firstTokenTimeoutMs: 500, idleTimeoutMs: 100 };
  await over(() => sdkCall(() => completion('Hi'))).generate('Hi', limits);
  await over(() => sdkStream(delta('Hi'), finish)).stream('Hi', limits).result;
  await over(() => sdkStream(delta('Hi')))
    .stream('Hi', limits)
    .result.catch(() => {});
  for await (const _ of over(() => sdkStream(delta('Hi'), finish)).stream('Hi', limits)) break;
  expect(clock.pending).toBe(0);
});

test('an answer in one piece to a call that wanted a stream is malformed', async () => {
  const stream = over(() => sdkCall(() => completion('Hi'))).stream('Hi', noting());
  await expect(stream.result).rejects.toMatchObject({ kind: 'malformed' });
  expect(attempts).toMatchObject([{ outcome: 'unanswered' }]);
});
