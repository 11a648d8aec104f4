import type { CostRecord } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { newTracker, quarterCent } from '../test/new-tracker.ts';

describe('one attempt', () => {
  test('is booked once, in the scope that booked it first', () => {
    const tracker = newTracker();
    const usage = { ...quarterCent, attemptId: 'a' };
    const first = tracker.scope('first', () => tracker.record('gpt-4o', usage));
    const second = tracker.scope('second', () => tracker.record('gpt-4o-mini', { ...usage, inputTokens: 9 }));
    expect(second).toBe(first);
    expect(tracker.summary()).toMatchObject({ totalUsd: 0.0025, calls: 1, byScope: { first: 0.0025 } });
  });

  test('an actual count makes good an estimate, exactly and once, in the same scopes', () => {
    const tracker = newTracker();
    const records: CostRecord[] = [];
    tracker.onRecord((record) => records.push(record));
    const run = tracker.scope('outer', (outer) =>
      tracker.scope('inner', () => {
        tracker.record('gpt-4o', {
          inputTokens: 1_000,
          outputTokens: 500,
          attemptId: 'a',
          source: 'estimated',
        });
        return outer;
      }),
    );
    expect(run).toMatchObject({ costUsd: 0.0075, estimatedCalls: 1 });
    const actual = tracker.scope('elsewhere', () =>
      tracker.record('gpt-4o', { inputTokens: 900, outputTokens: 100, attemptId: 'a' }),
    );
    tracker.record('gpt-4o', { inputTokens: 1, outputTokens: 1, attemptId: 'a' });
    expect(actual).toMatchObject({ scopePath: ['outer', 'inner'], estimated: false, costUsd: 0.00325 });
    expect(run).toMatchObject({ costUsdExact: '0.00325', calls: 1, estimatedCalls: 0, outputTokens: 100 });
    expect(tracker.summary()).toMatchObject({
      totalUsd: 0.00325,
      calls: 1,
      estimatedCalls: 0,
      byScope: { outer: 0.00325, inner: 0.00325 },
      byModel: { 'gpt-4o': 0.00325 },
    });
    expect(tracker.summary().byScope).not.toHaveProperty('elsewhere');
    expect(tracker.recent).toEqual([actual]);
    expect(records.map(({ costUsd }) => costUsd)).toEqual([0.0075, 0.00325]);
  });

  test('a larger estimate raises a smaller one, a smaller one changes nothing', () => {
    const tracker = newTracker();
    const estimate = (inputTokens: number): CostRecord =>
      tracker.record('gpt-4o', { inputTokens, outputTokens: 0, attemptId: 'a', source: 'estimated' });
    estimate(100);
    estimate(300);
    estimate(200);
    expect(tracker.summary()).toMatchObject({ inputTokens: 300, calls: 1, estimatedCalls: 1 });
  });

  test('an actual count without a price does not unmake an estimate that has one', () => {
    const tracker = newTracker({ onWarning() {} });
    const estimate = tracker.record('gpt-4o', { ...quarterCent, attemptId: 'a', source: 'estimated' });
    expect(tracker.record('acme/ultra', { ...quarterCent, attemptId: 'a' })).toBe(estimate);
    expect(tracker.totalUsd).toBe(0.0025);
  });

  test('an actual count under another name moves to that model', () => {
    const tracker = newTracker();
    tracker.record('gpt-4o', { ...quarterCent, attemptId: 'a', source: 'estimated' });
    tracker.record('gpt-4o-mini', { ...quarterCent, attemptId: 'a' });
    expect(tracker.summary()).toMatchObject({
      totalUsd: 0.00015,
      byModel: { 'gpt-4o': 0, 'gpt-4o-mini': 0.00015 },
    });
  });

  test('the last so many are remembered', () => {
    const tracker = newTracker({ maxRememberedAttempts: 5 });
    const record = (index: number): CostRecord =>
      tracker.record('gpt-4o', { ...quarterCent, attemptId: `a${index}` });
    for (let index = 0; index < 20; index++) record(index);
    for (let index = 15; index < 20; index++) record(index);
    expect(tracker.summary().calls).toBe(20);
    record(0);
    expect(tracker.summary().calls).toBe(21);
  });

  test('an estimate that was made good is forgotten with its actual count', () => {
    const tracker = newTracker({ maxRememberedAttempts: 2 });
    tracker.record('gpt-4o', { ...quarterCent, attemptId: 'a', source: 'estimated' });
    tracker.record('gpt-4o', { inputTokens: 1, outputTokens: 0, attemptId: 'a' });
    for (let index = 0; index < 10; index++) tracker.record('gpt-4o', { inputTokens: 1, outputTokens: 0 });
    tracker.record('gpt-4o', { inputTokens: 1, outputTokens: 0, attemptId: 'a' });
    expect(tracker.summary()).toMatchObject({ calls: 12, inputTokens: 12 });
  });
});
