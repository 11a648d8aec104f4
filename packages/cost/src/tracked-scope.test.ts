import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, type CostRecord } from '@synapsekit/core';
import { describe, expect, test, vi } from 'vitest';
import { newTracker, quarterCent } from '../test/new-tracker.ts';
import type { Scope } from './scope.ts';
import type { CostSummary } from './summary.ts';

describe('scopes', () => {
  test('siblings that run at the same time never see each other', async () => {
    const tracker = newTracker();
    const visit = (name: string): Promise<CostRecord> =>
      tracker.scope(name, async () => {
        await sleep(1);
        return tracker.record('gpt-4o', quarterCent);
      });
    const records = await Promise.all(['A', 'B', 'C'].map(visit));
    expect(records.map(({ scopePath }) => scopePath)).toEqual([['A'], ['B'], ['C']]);
    expect(tracker.summary().byScope).toEqual({ A: 0.0025, B: 0.0025, C: 0.0025 });
    expect(tracker.record('gpt-4o', quarterCent).scopePath).toEqual([]);
  });

  test('nest, and a record counts once in each of them', () => {
    const tracker = newTracker();
    const record = tracker.scope('pipeline:1', () =>
      tracker.scope('step:answer', () =>
        tracker.scope('llm:gpt-4o', () => tracker.record('gpt-4o', quarterCent)),
      ),
    );
    expect(record.scopePath).toEqual(['pipeline:1', 'step:answer', 'llm:gpt-4o']);
    for (const name of record.scopePath) expect(tracker.scopeCost(name)).toBe(0.0025);
    expect(tracker.summary().totalUsd).toBe(0.0025);
  });

  test('a name that nests in itself counts a record once', () => {
    const tracker = newTracker();
    tracker.scope('agent', (outer) =>
      tracker.scope('tool', () =>
        tracker.scope('agent', (inner) => {
          tracker.record('gpt-4o', quarterCent);
          expect(inner.costUsd).toBe(0.0025);
          expect(outer.costUsd).toBe(0.0025);
        }),
      ),
    );
    expect(tracker.scopeCost('agent')).toBe(0.0025);
    expect(tracker.summary().tree.children[0]?.children[0]?.children[0]).toMatchObject({
      name: 'agent',
      costUsd: 0.0025,
    });
  });

  test('names hold any character: a path is a list, not a string', () => {
    const tracker = newTracker();
    tracker.scope('llm:groq/llama', () => tracker.record('gpt-4o', quarterCent));
    tracker.scope('llm:groq', () => tracker.scope('llama', () => tracker.record('gpt-4o', quarterCent)));
    expect(tracker.summary().byScope).toEqual({
      'llm:groq/llama': 0.0025,
      'llm:groq': 0.0025,
      llama: 0.0025,
    });
    expect(tracker.summary().tree.children.map(({ name }) => name)).toEqual(['llm:groq/llama', 'llm:groq']);
  });

  test('names of prototypes are names like any other', () => {
    const tracker = newTracker();
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    for (const name of names) tracker.scope(name, () => tracker.record('gpt-4o', quarterCent));
    const { byScope } = JSON.parse(JSON.stringify(tracker.summary())) as CostSummary;
    expect(Object.entries(byScope)).toEqual(names.map((name) => [name, 0.0025]));
    expect(tracker.scopeCost('valueOf')).toBe(0);
  });

  test('the handle tells the cost of its own run, live and afterwards', async () => {
    const tracker = newTracker();
    const seen: number[] = [];
    const run = (calls: number): Promise<Scope> =>
      tracker.scope('step', async (scope) => {
        for (let call = 0; call < calls; call++) {
          tracker.record('gpt-4o', quarterCent);
          seen.push(scope.costUsd);
          await nextTurn();
        }
        return scope;
      });
    const [one, three] = await Promise.all([run(1), run(3)]);
    expect([one.costUsd, three.costUsd]).toEqual([0.0025, 0.0075]);
    expect([one.costUsdExact, three.costUsdExact]).toEqual(['0.0025', '0.0075']);
    expect([one.calls, three.calls]).toEqual([1, 3]);
    expect(three.inputTokens).toBe(3_000);
    expect(seen).toContain(0.005);
    expect(tracker.scopeCost('step')).toBe(0.01);
    expect(tracker.scopeCostExact('step')).toBe('0.01');
  });

  test('the handle tells all counts', () => {
    const tracker = newTracker();
    tracker.scope('s', (scope) => {
      tracker.record('gpt-4o', {
        inputTokens: 10,
        cachedInputTokens: 4,
        outputTokens: 5,
        reasoningTokens: 2,
      });
      tracker.record('gpt-4o', { inputTokens: 1, outputTokens: 0, source: 'estimated' });
      expect(scope).toMatchObject({
        inputTokens: 11,
        cachedInputTokens: 4,
        outputTokens: 5,
        reasoningTokens: 2,
        estimatedCalls: 1,
        unpricedCalls: 0,
      });
    });
  });

  test('returns what its function returns, and ends when it throws', async () => {
    const tracker = newTracker();
    expect(tracker.scope('sync', () => 42)).toBe(42);
    await expect(tracker.scope('async', async () => 42)).resolves.toBe(42);
    expect(() =>
      tracker.scope('throws', () => {
        throw new RangeError('mine');
      }),
    ).toThrow(RangeError);
    await expect(
      tracker.scope('rejects', async () => {
        await nextTurn();
        throw new RangeError('mine');
      }),
    ).rejects.toThrow(RangeError);
    expect(tracker.record('gpt-4o', quarterCent).scopePath).toEqual([]);
  });

  test('a lazy thenable is handed through without being started', () => {
    const tracker = newTracker();
    const then = vi.fn();
    const query = Object.assign(Object.create(null), { then });
    expect(tracker.scope('query', () => query)).toBe(query);
    expect(then).not.toHaveBeenCalled();
  });

  test('a promise of an SDK is handed through without being asked for', () => {
    class SdkPromise<T> extends Promise<T> {}
    const lazy = new SdkPromise<number>(() => {});
    const then = vi.spyOn(lazy, 'then');
    expect(newTracker().scope('query', () => lazy)).toBe(lazy);
    expect(then).not.toHaveBeenCalled();
  });

  test('a record after the end of its scope still counts there', async () => {
    const tracker = newTracker();
    const late = tracker.scope('request', (scope) => {
      const record = sleep(1).then(() => tracker.record('gpt-4o', quarterCent));
      return { scope, record };
    });
    expect((await late.record).scopePath).toEqual(['request']);
    expect(late.scope.costUsd).toBe(0.0025);
    expect(tracker.scopeCost('request')).toBe(0.0025);
  });

  test('attributes of a scope are in every record within, the inner ones on top', () => {
    const tracker = newTracker();
    tracker.scope('user', { attributes: { userId: 'u1', tenant: 't1' } }, (outer) => {
      tracker.scope('feature', { attributes: { feature: 'chat', tenant: 't2' } }, (inner) => {
        const record = tracker.record('gpt-4o', quarterCent, { attributes: { feature: 'search' } });
        expect(record.attributes).toEqual({ userId: 'u1', tenant: 't2', feature: 'search' });
        expect(inner.attributes).toEqual({ userId: 'u1', tenant: 't2', feature: 'chat' });
      });
      expect(outer.attributes).toEqual({ userId: 'u1', tenant: 't1' });
    });
  });

  test('wrong names and attributes are refused', () => {
    const tracker = newTracker();
    const fn = (): void => {};
    expect(() => tracker.scope('', fn)).toThrow(ConfigError);
    expect(() => tracker.scope(7 as unknown as string, fn)).toThrow(ConfigError);
    expect(() => tracker.scope('s', undefined as unknown as () => void)).toThrow(ConfigError);
    expect(() => tracker.openScope('s', { attributes: { list: [] as unknown as string } })).toThrow(
      ConfigError,
    );
    expect(() => tracker.openScope('s', { attributes: { nan: Number.NaN } })).toThrow(ConfigError);
    expect(() => tracker.openScope('s', { atributes: {} } as object)).toThrow(/atributes/);
  });

  test('an explicit handle records without any context', () => {
    const tracker = newTracker();
    const batch = tracker.openScope('batch-17', { attributes: { job: 17 } });
    const part = batch.openScope('part');
    expect(part.record('gpt-4o', quarterCent)).toMatchObject({
      scopePath: ['batch-17', 'part'],
      attributes: { job: 17 },
    });
    expect(batch.record('gpt-4o', quarterCent).scopePath).toEqual(['batch-17']);
    expect(tracker.record('gpt-4o', quarterCent).scopePath).toEqual([]);
    part.close();
    part.close();
    batch.close();
    expect([part.costUsd, batch.costUsd]).toEqual([0.0025, 0.005]);
  });

  test('an explicit handle can be entered, and is born in the scope around it', async () => {
    const tracker = newTracker();
    const request = tracker.scope('request', () => tracker.openScope('handler'));
    const record = await request.run(async () => {
      await nextTurn();
      return tracker.scope('step', () => tracker.record('gpt-4o', quarterCent));
    });
    expect(record.scopePath).toEqual(['request', 'handler', 'step']);
    expect(request.scope('wrapped', () => tracker.record('gpt-4o', quarterCent)).scopePath).toEqual([
      'request',
      'handler',
      'wrapped',
    ]);
  });

  test('handles opened and disposed in any order disturb nobody', async () => {
    const tracker = newTracker();
    const work = async (name: string): Promise<readonly string[]> => {
      using scope = tracker.openScope(name);
      await nextTurn();
      return scope.record('gpt-4o', quarterCent).scopePath;
    };
    await expect(Promise.all([work('A'), work('B'), work('C')])).resolves.toEqual([['A'], ['B'], ['C']]);
  });

  test('two trackers keep apart', () => {
    const [outer, inner] = [newTracker(), newTracker()];
    outer.scope('outer', () =>
      inner.scope('inner', () => {
        expect(outer.record('gpt-4o', quarterCent).scopePath).toEqual(['outer']);
        expect(inner.record('gpt-4o', quarterCent).scopePath).toEqual(['inner']);
      }),
    );
  });
});
