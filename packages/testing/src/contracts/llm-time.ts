import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { CallOptions, CallTimeoutError, TimeoutPhase } from '@synapsekit/core';
import type { Fault } from '../provider/fault.ts';
import { faults } from '../provider/faults.ts';
import {
  failureOf,
  type LLMCheck,
  type LLMWorld,
  llmCheck,
  pause,
  promptlyMs,
  readStream,
  settleMs,
  textOf,
  until,
} from './llm-check.ts';

const essay = 'The quick brown fox jumps over the lazy dog.';

type StreamLimit = readonly [
  what: string,
  fault: Fault,
  options: CallOptions,
  phase: TimeoutPhase,
  emitted: boolean,
];

/** Before each content delta come some 2,400 bytes that are none, dripping for 100 ms: longer than the limit of 60. */
const busyButIdle: Fault = { noise: { comments: 1, emptyDeltas: 12 }, drip: { bytes: 100, everyMs: 4 } };

const streamLimits: readonly StreamLimit[] = [
  ['brings nothing', faults.stall('headers'), { firstTokenTimeoutMs: 300 }, 'first-token', false],
  [
    'brings headers and no content',
    faults.stall('content'),
    { firstTokenTimeoutMs: 300 },
    'first-token',
    false,
  ],
  ['brings keep-alives and no content', busyButIdle, { firstTokenTimeoutMs: 60 }, 'first-token', false],
  ['stalls', faults.stall(3), { idleTimeoutMs: 300 }, 'idle', true],
  [
    'brings keep-alives and empty deltas between its pieces',
    busyButIdle,
    { idleTimeoutMs: 60 },
    'idle',
    true,
  ],
  ['takes too long as a whole', faults.stall(3), { timeoutMs: 600 }, 'total', true],
];

/** Time limits. */
export const timeoutChecks: readonly LLMCheck[] = [
  ...(
    [
      ['before the answer', faults.stall('headers')],
      ['within the body of the answer', faults.stall('midway')],
    ] as const
  ).map(([where, fault]) =>
    llmCheck(`ends a call in time that stalls ${where}`, async (world) => {
      world.simulated.fail(fault);
      const error = (await failureOf(world.generate('Hello', { timeoutMs: 300 }))) as CallTimeoutError;
      assertTimeout(error, 'total', 300, world);
      assert.equal(error.emitted, false);
      assert.equal(world.attempt.outcome, 'unanswered');
      assert.ok((world.attempt.usage?.inputTokens ?? 0) > 0);
      await assertProviderWasLeft(world);
    }),
  ),
  ...streamLimits.map(([what, fault, options, phase, emitted]) =>
    llmCheck(`ends a stream in time that ${what}`, async (world) => {
      world.simulated.answerNext(essay);
      world.simulated.fail(fault);
      const stream = world.stream('Hello', options);
      const { events, error } = await readStream(stream);
      const [limitMs = 0] = Object.values(options) as number[];
      assertTimeout(error as CallTimeoutError, phase, limitMs, world);
      assert.equal((error as CallTimeoutError).emitted, emitted);
      assert.ok(essay.startsWith(textOf(events)));
      assert.equal(await failureOf(stream.result), error);
      assert.equal((world.attempt.usage?.outputTokens ?? 0) > 0, emitted);
      await assertProviderWasLeft(world);
    }),
  ),
  llmCheck('takes its time limits from the configuration', async (world) => {
    world.simulated.fail(faults.stall('headers'));
    const error = await failureOf(world.withConfig({ timeoutMs: 300 }).generate('Hello', world.options()));
    assertTimeout(error as CallTimeoutError, 'total', 300, world);
  }),
  llmCheck('does not hold a slow consumer against the provider', async (world) => {
    world.simulated.answerNext(essay);
    const stream = world.stream('Hello', { idleTimeoutMs: 150 });
    let text = '';
    for await (const event of stream) {
      if (event.type !== 'text') continue;
      if (text === '') await pause(250);
      text += event.text;
    }
    assert.equal(text, essay);
    assert.equal(world.attempt.outcome, 'served');
  }),
  llmCheck('charges a stream that runs out of time although its consumer does not look', async (world) => {
    world.simulated.answerNext(essay);
    world.simulated.fail(faults.stall(3));
    const events = world.stream('Hello', { timeoutMs: 500 })[Symbol.asyncIterator]();
    await events.next();
    await until(() => world.attempts.length > 0, 'the attempt is reported');
    assert.equal(world.attempt.outcome, 'partial');
    const error = await failureOf(drain(events));
    assertTimeout(error as CallTimeoutError, 'total', 500, world);
  }),
  llmCheck('voids a result that comes too late', async (world) => {
    world.simulated.fail(faults.stall('headers', 500));
    await failureOf(world.generate('Hello', { timeoutMs: 300 }));
    await pause(400);
    await world.simulated.idle();
    assert.equal(world.attempt.outcome, 'unanswered');
  }),
];

/** Aborts, and consumers that leave. */
export const abortChecks: readonly LLMCheck[] = [
  llmCheck('sends nothing for a call that is aborted already', async (world) => {
    const reason = new Error('changed my mind');
    const signal = AbortSignal.abort(reason);
    assert.equal(await failureOf(world.generate('Hello', { signal })), reason);
    const stream = world.stream('Hello', { signal });
    assert.equal((await readStream(stream)).error, reason);
    assert.equal(await failureOf(stream.result), reason);
    assert.equal(world.simulated.requests.length, 0);
    assert.ok(world.attempts.every(({ outcome, usage }) => outcome === 'unsent' && usage === undefined));
  }),
  llmCheck('aborts a call in flight at once, with the reason of the caller', async (world) => {
    world.simulated.fail(faults.stall('headers'));
    const [controller, reason] = [new AbortController(), { why: 'changed my mind' }];
    const call = failureOf(world.generate('Hello', { signal: controller.signal }));
    await until(() => world.simulated.requests.length > 0, 'the request arrives');
    controller.abort(reason);
    const tookMs = await settleMs(call);
    assert.equal(await call, reason);
    assert.ok(tookMs < promptlyMs, `It took ${tookMs} ms.`);
    assert.equal(world.attempt.outcome, 'unanswered');
    assert.ok((world.attempt.usage?.inputTokens ?? 0) > 0);
    await assertProviderWasLeft(world);
  }),
  llmCheck("passes on a timeout that the caller put into his signal as the caller's", async (world) => {
    world.simulated.fail(faults.stall('headers'));
    const signal = AbortSignal.timeout(30);
    assert.equal(await failureOf(world.generate('Hello', { signal })), signal.reason);
    assert.equal(world.attempt.outcome, 'unanswered');
  }),
  llmCheck('aborts a stream while it waits', async (world) => {
    world.simulated.answerNext(essay);
    world.simulated.fail(faults.stall(3));
    const [controller, reason] = [new AbortController(), new Error('changed my mind')];
    const stream = world.stream('Hello', { signal: controller.signal });
    let [text, abortedMs] = ['', 0];
    const abortSoon = (): void => {
      if (abortedMs > 0) return;
      abortedMs = performance.now() + 10;
      setTimeout(() => controller.abort(reason), 10);
    };
    const reading = async (): Promise<void> => {
      for await (const event of stream) {
        if (event.type === 'text') text += event.text;
        if (text.length > 10) abortSoon();
      }
    };
    const error = await failureOf(reading());
    const tookMs = performance.now() - abortedMs;
    assert.ok(tookMs < promptlyMs, `It took ${tookMs} ms.`);
    assert.equal(error, reason);
    assert.equal(await failureOf(stream.result), reason);
    assertPartial(world);
    await assertProviderWasLeft(world);
  }),
  llmCheck('aborts a stream between two pieces, although its consumer is busy', async (world) => {
    world.simulated.answerNext(essay);
    world.simulated.fail(faults.stall(3));
    const [controller, reason] = [new AbortController(), new Error('changed my mind')];
    const events = world.stream('Hello', { signal: controller.signal })[Symbol.asyncIterator]();
    await events.next();
    controller.abort(reason);
    await until(() => world.attempts.length > 0, 'the attempt is reported');
    assertPartial(world);
    await assertProviderWasLeft(world);
    assert.equal(await failureOf(drain(events)), reason);
  }),
  llmCheck('lets a consumer leave a stream, and tells what came until then', async (world) => {
    world.simulated.answerNext(essay);
    world.simulated.fail(faults.stall(4));
    const stream = world.stream();
    let text = '';
    const leaving = (async () => {
      for await (const event of stream) {
        if (event.type === 'text') text += event.text;
        if (text.length > 5) break;
      }
    })();
    assert.ok((await settleMs(leaving)) < promptlyMs);
    await leaving;
    const generation = await stream.result;
    assert.equal(generation.text, text);
    assert.equal(generation.finishReason, 'aborted');
    assert.deepEqual(generation.attempts, [world.attempt]);
    assert.deepEqual(generation.usage, world.attempt.usage);
    assertPartial(world);
    await assertProviderWasLeft(world);
  }),
  llmCheck('lets a consumer leave a stream that he never began', async (world) => {
    await world.stream()[Symbol.asyncIterator]().return?.();
    await pause(20);
    assert.equal(world.simulated.requests.length, 0);
    assert.deepEqual(world.attempts, []);
  }),
  llmCheck('keeps no listener on the signal of a call that is over', async (world) => {
    const { signal } = new AbortController();
    await world.generate('Hello', { signal, timeoutMs: 10_000 });
    world.simulated.fail(faults.serverError());
    await failureOf(world.generate('Hello', { signal }));
    await world.stream('Hello', { signal, idleTimeoutMs: 10_000 }).result;
    for await (const event of world.stream('Hello', { signal })) if (event.type === 'text') break;
    await world.simulated.idle();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  }),
];

function assertTimeout(
  error: CallTimeoutError,
  phase: TimeoutPhase,
  timeoutMs: number,
  world: LLMWorld,
): void {
  assert.equal(error?.code, 'timeout', `Not a CallTimeoutError: ${String(error)}`);
  assert.equal(error.phase, phase);
  assert.equal(error.timeoutMs, timeoutMs);
  assert.equal(error.attemptId, world.attempt.attemptId);
  assert.equal(world.simulated.requests.length, 1);
}

function assertPartial({ attempt }: LLMWorld): void {
  assert.equal(attempt.outcome, 'partial');
  assert.equal(attempt.usage?.source, 'estimated');
  assert.ok(attempt.usage.inputTokens > 0 && attempt.usage.outputTokens > 0);
}

/** A connection that stays open keeps the model at work, and the bill growing. */
async function assertProviderWasLeft({ simulated }: LLMWorld): Promise<void> {
  await until(() => simulated.requests[0]?.outcome !== 'running', 'the provider sees that the client left');
  assert.equal(simulated.requests[0]?.outcome, 'aborted');
}

async function drain(events: AsyncIterator<unknown>): Promise<void> {
  for (let step = await events.next(); step.done !== true; step = await events.next());
}
