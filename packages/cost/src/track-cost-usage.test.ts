import type { Attempt, CostRecord, Usage } from '@synapsekit/core';
import { describe, expect, test, vi } from 'vitest';
import {
  answeringAttempts,
  attempt,
  handwritten,
  readAll,
  silentTracker,
  tracked,
  usage,
} from '../test/tracked-models.ts';

describe('a model that reports no attempts', () => {
  test('is booked by the attempts of its answer, once each', async () => {
    const tracker = silentTracker();
    const told: string[] = [];
    const attempts: Attempt[] = [
      attempt('a1', { outcome: 'partial', usage: { inputTokens: 10, outputTokens: 1, source: 'estimated' } }),
      attempt('a2', { outcome: 'served', usage, provider: 'groq', model: 'llama-3.1-8b-instant' }),
    ];
    const llm = handwritten({ attempts, usage: { ...usage, attemptId: 'a2' } });
    await tracked(llm, tracker).generate('hello', { onAttempt: ({ attemptId }) => told.push(attemptId) });
    expect(tracker.recent.map(({ attemptId, modelId }) => [attemptId, modelId])).toEqual([
      ['a1', 'gpt-4o'],
      ['a2', 'groq/llama-3.1-8b-instant'],
    ]);
    expect(told).toEqual(['a1', 'a2']);
  });

  test('is booked by its usage, and its answer says under which id', async () => {
    const tracker = silentTracker();
    const told: Attempt[] = [];
    const llm = tracked(handwritten({ usage }), tracker, { scope: 'llm' });
    const generation = await tracker.scope('s', () =>
      llm.generate('hello', { onAttempt: (each) => told.push(each) }),
    );
    const { attemptId } = generation.usage;
    expect(tracker.recent).toMatchObject([{ attemptId, scopePath: ['s', 'llm'], costUsd: 0.0035 }]);
    expect(generation.attempts).toEqual(told);
    tracker.record('gpt-4o', generation.usage);
    expect(tracker.summary().calls).toBe(1);
  });

  test('is booked in streams too, also when they are left', async () => {
    const tracker = silentTracker();
    const llm = tracked(handwritten({ usage }), tracker);
    await tracker.scope('read', () => readAll(llm.stream('hello')));
    const left = tracker.scope('left', () => llm.stream('hello'));
    for await (const _ of left) break;
    await left.result;
    expect(tracker.recent.map(({ scopePath, estimated }) => [scopePath, estimated])).toEqual([
      [['read'], false],
      [['left'], true],
    ]);
  });

  test('an answer that cost nothing is not booked', async () => {
    const tracker = silentTracker();
    await tracked(handwritten({ usage: { inputTokens: 0, outputTokens: 0 } }), tracker).generate('hello');
    expect(tracker.summary().calls).toBe(0);
  });

  test('nothing is booked twice, however long ago its attempt was told', async () => {
    const tracker = silentTracker({ maxRememberedAttempts: 1 });
    const busy = answeringAttempts(
      [
        { outcome: 'partial', usage },
        { outcome: 'served', usage },
      ],
      async () => {
        for (let index = 0; index < 10; index++)
          tracker.record('gpt-4o', { ...usage, attemptId: `other ${index}` });
      },
    );
    await tracked(busy, tracker).generate('hello');
    expect(tracker.summary().calls).toBe(12);
  });
});

describe('what a provider sends cannot lose a record', () => {
  test.for<[string, Partial<Usage> | undefined, Partial<CostRecord>]>([
    ['no usage', undefined, { unpriced: true, estimated: true }],
    ['a negative count', { inputTokens: -5, outputTokens: 10 }, { unpriced: true, estimated: true }],
    ['NaN', { inputTokens: 5, outputTokens: Number.NaN }, { unpriced: true, estimated: true }],
    [
      'null',
      { inputTokens: null as unknown as number, outputTokens: 1 },
      { unpriced: true, estimated: true },
    ],
    [
      'more cached than there are',
      { inputTokens: 10, cachedInputTokens: 1_000, outputTokens: 0 },
      { unpriced: false, estimated: true, costUsd: 0.00125 },
    ],
    [
      'more reasoning than output',
      { inputTokens: 0, outputTokens: 1, reasoningTokens: 100 },
      { unpriced: false, estimated: true, costUsd: 0.001 },
    ],
    [
      'a part that is none',
      { inputTokens: 1_000, cachedInputTokens: -1, outputTokens: 0 },
      { unpriced: false, estimated: true, costUsd: 0.0025 },
    ],
    [
      'names that are none',
      { inputTokens: 1_000, outputTokens: 0, servedModel: 7 as unknown as string, serviceTier: '' },
      { unpriced: false, estimated: false, costUsd: 0.0025 },
    ],
  ])('%s', async ([, given, expected]) => {
    const onWarning = vi.fn();
    const tracker = silentTracker({ onWarning });
    const llm = tracked(answeringAttempts([{ outcome: 'served', usage: given as Usage }]), tracker);
    await llm.generate('hello');
    await llm.generate('hello');
    expect(tracker.recent).toHaveLength(2);
    expect(tracker.recent[0]).toMatchObject(expected);
    expect(
      Object.values(tracker.recent[0]?.usage ?? {}).every((value) => typeof value !== 'number' || value >= 0),
    ).toBe(true);
    expect(onWarning.mock.calls.map(([{ code }]) => code)).toEqual(
      expected.estimated === true ? ['SYNAPSEKIT_INVALID_USAGE'] : [],
    );
  });

  test('a count repaired and then given right is corrected', async () => {
    const tracker = silentTracker();
    tracker.recordAttempt(attempt('a', { outcome: 'served', usage: { inputTokens: -1, outputTokens: 0 } }));
    tracker.recordAttempt(attempt('a', { outcome: 'served', usage }));
    expect(tracker.summary()).toMatchObject({
      totalUsd: 0.0035,
      calls: 1,
      unpricedCalls: 0,
      estimatedCalls: 0,
    });
  });

  test('a partial answer that the provider counted itself is not estimated', () => {
    const tracker = silentTracker();
    const record = tracker.recordAttempt(
      attempt('a', { outcome: 'partial', usage: { ...usage, source: 'provider' } }),
    );
    expect(record).toMatchObject({ estimated: false, costUsd: 0.0035 });
  });

  test('an attempt without names is booked', () => {
    const record = silentTracker().recordAttempt({ outcome: 'served', usage, latencyMs: 1 } as Attempt);
    expect(record).toMatchObject({ provider: 'unknown', model: 'unknown', unpriced: true, usage });
  });
});
