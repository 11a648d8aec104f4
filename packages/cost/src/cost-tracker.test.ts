import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigError,
  type CostRecord,
  type SpendSource,
  UnknownPriceError,
  type Usage,
} from '@synapsekit/core';
import { ManualClock, sequentialIds } from '@synapsekit/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { flatPrices } from '../test/flat-prices.ts';
import { CostTracker, type CostTrackerOptions } from './cost-tracker.ts';
import type { Scope, ScopeHandle } from './scope.ts';
import type { CostSummary } from './summary.ts';
import type { CostWarning } from './warnings.ts';

/** 1,000 input tokens of gpt-4o: a quarter of a cent. */
const quarterCent = { inputTokens: 1_000, outputTokens: 0 };

function newTracker(options: CostTrackerOptions = {}): CostTracker {
  return new CostTracker({
    prices: flatPrices(),
    clock: new ManualClock(),
    ids: sequentialIds(),
    ...options,
  });
}

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

describe('record', () => {
  test('knows models by id, by provider and model, and as an LLM, and calls them alike', () => {
    const tracker = newTracker();
    const usage = { inputTokens: 1_000_000, outputTokens: 0 };
    for (const model of [
      'groq/llama-3.1-8b-instant',
      'llama-3.1-8b-instant',
      { provider: 'groq', model: 'llama-3.1-8b-instant' },
      { provider: 'groq', model: 'llama-3.1-8b-instant', id: 'groq/llama-3.1-8b-instant', generate() {} },
    ]) {
      expect(tracker.record(model, usage)).toMatchObject({
        provider: 'groq',
        model: 'llama-3.1-8b-instant',
        modelId: 'groq/llama-3.1-8b-instant',
        costUsd: 0.05,
      });
    }
    tracker.record('openai/gpt-4o', usage);
    tracker.record('gpt-4o', usage);
    expect(tracker.summary().byModel).toEqual({ 'groq/llama-3.1-8b-instant': 0.2, 'gpt-4o': 5 });
  });

  test('a record is frozen through and through, and plain JSON', () => {
    const tracker = newTracker();
    const record = tracker.scope('s', { attributes: { userId: 'u' } }, () =>
      tracker.record('gpt-4o', { ...quarterCent, attemptId: 'a1', serviceTier: 'default' }),
    );
    expect(record).toEqual({
      version: 1,
      attemptId: 'a1',
      atMs: Date.UTC(2026, 0, 1),
      provider: 'openai',
      model: 'gpt-4o',
      modelId: 'gpt-4o',
      usage: {
        inputTokens: 1_000,
        outputTokens: 0,
        attemptId: 'a1',
        serviceTier: 'default',
        source: 'provider',
      },
      costUsd: 0.0025,
      costUsdExact: '0.0025',
      unpriced: false,
      estimated: false,
      scopePath: ['s'],
      attributes: { userId: 'u' },
    });
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    for (const part of [record, record.usage, record.scopePath, record.attributes]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(tracker.record('gpt-4o', quarterCent).scopePath)).toBe(true);
  });

  test('keeps nothing of a usage but what is known', () => {
    const usage = { ...quarterCent, raw: { prompt: 'secret' } };
    expect(JSON.stringify(newTracker().record('gpt-4o', usage))).not.toContain('secret');
  });

  test.for([
    [{ inputTokens: -1, outputTokens: 0 }],
    [{ inputTokens: Number.NaN, outputTokens: 0 }],
    [{ inputTokens: 1.5, outputTokens: 0 }],
    [{ inputTokens: Number.POSITIVE_INFINITY, outputTokens: 0 }],
    [{ inputTokens: 1, outputTokens: '1' as unknown as number }],
    [{ inputTokens: 1, cachedInputTokens: 2, outputTokens: 0 }],
    [{ inputTokens: 1, outputTokens: 1, reasoningTokens: 2 }],
    [{ inputTokens: 1, outputTokens: 1, source: 'guess' as 'provider' }],
    [{ inputTokens: 1, outputTokens: 1, attemptId: '' }],
    [undefined],
  ])('refuses %j and books nothing', ([usage]) => {
    const tracker = newTracker();
    const empty = tracker.snapshot();
    expect(() => tracker.record('gpt-4o', usage as Usage)).toThrow(ConfigError);
    expect(tracker.snapshot()).toEqual(empty);
  });

  test('refuses what names no model', () => {
    const tracker = newTracker();
    for (const model of ['', 7, null, {}, { provider: 'groq' }, { provider: 'groq', model: 'm', id: '' }]) {
      expect(() => tracker.record(model as string, quarterCent)).toThrow(ConfigError);
    }
    expect(() => tracker.record('gpt-4o', quarterCent, { attribute: 1 } as object)).toThrow(/attribute/);
  });

  test('prices what served, in the tier that it reports', () => {
    const prices = flatPrices([
      { provider: 'openai', model: 'gpt-4o', input: 2_500_000n, output: 10_000_000n },
      { provider: 'openai', model: 'gpt-4o-2024-05-13', input: 5_000_000n, output: 15_000_000n },
    ]);
    const tracker = newTracker({ prices });
    const record = tracker.record('gpt-4o', { ...quarterCent, servedModel: 'gpt-4o-2024-05-13' });
    expect(record).toMatchObject({ costUsd: 0.005, modelId: 'gpt-4o', servedModel: 'gpt-4o-2024-05-13' });
    expect(record.pricedAs).toBeUndefined();
    expect(tracker.record('gpt-4o', { ...quarterCent, serviceTier: 'flex' }).costUsd).toBe(0.00125);
  });

  test('prices an unknown snapshot as the model that was asked for, and says so', () => {
    const tracker = newTracker();
    expect(tracker.record('gpt-4o', { ...quarterCent, servedModel: 'gpt-4o-2027-01-01' })).toMatchObject({
      costUsd: 0.0025,
      pricedAs: 'gpt-4o',
      unpriced: false,
    });
  });

  test('asks for the price of the moment', () => {
    const find = vi.fn(flatPrices().find);
    const clock = new ManualClock({ wallMs: 1_000 });
    newTracker({ prices: { find }, clock }).record('gpt-4o', quarterCent);
    expect(find).toHaveBeenCalled();
    for (const [{ atMs }] of find.mock.calls) expect(atMs).toBe(1_000);
  });
});

describe('a model without a price', () => {
  test('by default is booked as unpriced and warned of once', () => {
    const warnings: CostWarning[] = [];
    const tracker = newTracker({ onWarning: (warning) => warnings.push(warning) });
    const record = tracker.scope('s', () => tracker.record('acme/ultra', quarterCent));
    tracker.record('acme/ultra', quarterCent);
    expect(record).toMatchObject({
      provider: 'acme',
      model: 'ultra',
      modelId: 'acme/ultra',
      unpriced: true,
      costUsd: 0,
    });
    expect(tracker.summary()).toMatchObject({
      calls: 2,
      unpricedCalls: 2,
      inputTokens: 2_000,
      byModel: { 'acme/ultra': 0 },
    });
    expect(warnings).toMatchObject([{ code: 'SYNAPSEKIT_UNKNOWN_PRICE', model: 'acme/ultra' }]);
  });

  test('under "throw" is booked and then thrown for', () => {
    const tracker = newTracker({ onUnknownPrice: 'throw', onWarning() {} });
    expect(() => tracker.record('ultra', quarterCent)).toThrow(UnknownPriceError);
    expect(tracker.summary()).toMatchObject({ calls: 1, unpricedCalls: 1 });
    expect(() => tracker.checkModel('ultra')).toThrow(/Nothing was sent/);
    expect(() => tracker.checkModel('gpt-4o')).not.toThrow();
  });

  test('under "zero" is booked as unpriced without a word', () => {
    const onWarning = vi.fn();
    const tracker = newTracker({ onUnknownPrice: 'zero', onWarning });
    expect(tracker.record('ultra', quarterCent)).toMatchObject({ unpriced: true, provider: 'unknown' });
    tracker.checkModel('ultra');
    expect(onWarning).not.toHaveBeenCalled();
  });

  test('a lookup that throws or answers nonsense loses no record', () => {
    const warnings: string[] = [];
    const failing = {
      find: () => {
        throw new TypeError('secret');
      },
    };
    const negative = {
      find: () => ({ provider: 'p', model: 'm', source: 's', costPico: () => -1n, maxCostPico: () => 0n }),
    };
    for (const prices of [failing, negative]) {
      const tracker = newTracker({
        prices,
        onWarning: ({ code, message }) => warnings.push(`${code} ${message}`),
      });
      expect(tracker.record('p/m', quarterCent)).toMatchObject({ unpriced: true });
    }
    expect(warnings.filter((text) => text.startsWith('SYNAPSEKIT_PRICE_LOOKUP_FAILED'))).toHaveLength(2);
    expect(warnings.join()).not.toContain('secret');
  });
});

describe('warnings', () => {
  test('name a retired model and its successor once', () => {
    const retirement = { on: '2026-08-16', replacement: 'llama-4', past: true };
    const prices = flatPrices([{ provider: 'groq', model: 'old', input: 1n, output: 1n, retirement }]);
    const warnings: CostWarning[] = [];
    const tracker = newTracker({ prices, onWarning: (warning) => warnings.push(warning) });
    tracker.checkModel('groq/old');
    tracker.record('groq/old', quarterCent);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ code: 'SYNAPSEKIT_MODEL_RETIRED', model: 'groq/old' });
    expect(warnings[0]?.message).toContain('groq recommends llama-4');
  });

  test('come 30 days before the end of a model, not earlier', async () => {
    const retirement = { on: '2026-03-01', past: false };
    const prices = flatPrices([{ provider: 'groq', model: 'old', input: 1n, output: 1n, retirement }]);
    const onWarning = vi.fn();
    const clock = new ManualClock({ wallMs: Date.UTC(2026, 0, 1) });
    const tracker = newTracker({ prices, onWarning, clock });
    tracker.record('groq/old', quarterCent);
    expect(onWarning).not.toHaveBeenCalled();
    await clock.advance(31 * 86_400_000);
    tracker.record('groq/old', quarterCent);
    expect(onWarning).toHaveBeenCalledOnce();
  });

  test('go to the process unless somebody listens, and never stop a record', async () => {
    const seen: Error[] = [];
    const listener = (warning: Error): void => void seen.push(warning);
    process.on('warning', listener);
    try {
      newTracker().record('acme/unheard-of', quarterCent);
      await nextTurn();
    } finally {
      process.off('warning', listener);
    }
    expect(seen).toMatchObject([{ name: 'SynapseKitWarning', code: 'SYNAPSEKIT_UNKNOWN_PRICE' }]);
    const onWarning = (): void => {
      throw new Error('mine');
    };
    expect(newTracker({ onWarning }).record('acme/ultra', quarterCent).unpriced).toBe(true);
  });
});

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

describe('onRecord', () => {
  test('tells everybody, whatever one of them does, in the context of the call', () => {
    const warnings: CostWarning[] = [];
    const tracker: CostTracker = newTracker({ onWarning: (warning) => warnings.push(warning) });
    const seen: unknown[] = [];
    tracker.onRecord(() => {
      throw new Error('secret');
    });
    const stop = tracker.onRecord(({ attemptId, scopePath }) => seen.push([attemptId, scopePath]));
    tracker.scope('s', () => tracker.record('gpt-4o', quarterCent));
    expect(seen).toEqual([['id-1', ['s']]]);
    expect(warnings).toMatchObject([{ code: 'SYNAPSEKIT_LISTENER_FAILED', cause: { message: 'secret' } }]);
    expect(warnings[0]?.message).not.toContain('secret');
    stop();
    stop();
    tracker.record('gpt-4o', quarterCent);
    expect(seen).toHaveLength(1);
    expect(() => tracker.onRecord('x' as unknown as () => void)).toThrow(ConfigError);
  });

  test('the same function added twice is told twice, and each is stopped by its own', () => {
    const tracker = newTracker();
    const listener = vi.fn();
    const stop = tracker.onRecord(listener);
    tracker.onRecord(listener);
    tracker.record('gpt-4o', quarterCent);
    stop();
    tracker.record('gpt-4o', quarterCent);
    expect(listener).toHaveBeenCalledTimes(3);
  });

  test('a listener may record itself', () => {
    const tracker = newTracker();
    tracker.onRecord(({ modelId }) => {
      if (modelId === 'gpt-4o') tracker.record('gpt-4o-mini', quarterCent);
    });
    tracker.record('gpt-4o', quarterCent);
    expect(tracker.summary().byModel).toEqual({ 'gpt-4o': 0.0025, 'gpt-4o-mini': 0.00015 });
  });
});

describe('memory', () => {
  test('recent keeps the last records, oldest first', () => {
    const tracker = newTracker({ maxRecent: 3 });
    const ids = (): string[] => tracker.recent.map(({ attemptId }) => attemptId);
    for (let index = 1; index <= 2; index++) tracker.record('gpt-4o', quarterCent);
    expect(ids()).toEqual(['id-1', 'id-2']);
    for (let index = 3; index <= 8; index++) tracker.record('gpt-4o', quarterCent);
    expect(ids()).toEqual(['id-6', 'id-7', 'id-8']);
    const none = newTracker({ maxRecent: 0 });
    none.record('gpt-4o', quarterCent);
    expect(none.recent).toEqual([]);
  });
});

describe('reset', () => {
  test('inside live scopes loses neither the scopes nor what comes after', () => {
    const tracker = newTracker();
    tracker.scope('outer', (outer) =>
      tracker.scope('inner', () => {
        tracker.record('gpt-4o', quarterCent);
        tracker.reset();
        expect(tracker.summary()).toMatchObject({ totalUsd: 0, byScope: {}, byModel: {}, calls: 0 });
        expect(tracker.recent).toEqual([]);
        expect(tracker.record('gpt-4o', quarterCent).scopePath).toEqual(['outer', 'inner']);
        expect(outer.costUsd).toBe(0.005);
      }),
    );
    expect(tracker.summary().byScope).toEqual({ outer: 0.0025, inner: 0.0025 });
  });

  test('leaves attempts of before with the totals of before', () => {
    const tracker = newTracker();
    const told: boolean[] = [];
    tracker.onRecord(({ estimated }) => told.push(estimated));
    const scope = tracker.openScope('s');
    scope.record('gpt-4o', { ...quarterCent, attemptId: 'a', source: 'estimated' });
    tracker.reset();
    tracker.record('gpt-4o', { inputTokens: 400, outputTokens: 0, attemptId: 'a' });
    expect(tracker.totalUsdExact).toBe('0');
    expect(scope.costUsd).toBe(0.001);
    expect(told).toEqual([true, false]);
  });
});

test('options out of range or unknown are refused', () => {
  for (const options of [
    { maxRecent: -1 },
    { maxScopeNames: 0 },
    { maxScopePaths: 1.5 },
    { maxRememberedAttempts: Number.NaN },
    { onUnknownPrice: 'ignore' },
    { onWarning: 'loud' },
    { prices: {} },
    { price: flatPrices() },
  ]) {
    expect(() => new CostTracker(options as CostTrackerOptions)).toThrow(ConfigError);
  }
});

test('without options it knows the prices of the tutorial', () => {
  const tracker = new CostTracker({ onWarning() {} });
  const million = { inputTokens: 1_000_000, outputTokens: 1_000_000 };
  expect(tracker.record('groq/llama-3.1-8b-instant', million).costUsd).toBe(0.13);
  expect(tracker.record('groq/llama-3.3-70b-versatile', million).costUsd).toBe(1.38);
  expect(tracker.record('gpt-4o-mini', million).costUsd).toBe(0.75);
  expect(tracker.record('gpt-4o', million).costUsd).toBe(12.5);
  expect(tracker.totalUsd).toBe(14.76);
});

test('publishes on the cost channel, in the async context of the call', async () => {
  const caseName = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const subscriber = (message: unknown): void => void seen.push([message, caseName.getStore()]);
  const tracker = newTracker();
  channel('synapsekit:cost').subscribe(subscriber);
  try {
    const record = await caseName.run('case-1', async () => {
      await nextTurn();
      return tracker.scope('s', () => tracker.record('gpt-4o', { ...quarterCent, attemptId: 'a' }));
    });
    tracker.record('gpt-4o', { ...quarterCent, attemptId: 'a' });
    expect(seen).toEqual([[record, 'case-1']]);
  } finally {
    channel('synapsekit:cost').unsubscribe(subscriber);
  }
});

test('the types say what they mean', async () => {
  const tracker = newTracker();
  expectTypeOf(tracker).toExtend<SpendSource>();
  expectTypeOf(tracker.scope('s', () => 1)).toEqualTypeOf<number>();
  expectTypeOf(tracker.scope('s', async () => 'x')).toEqualTypeOf<Promise<string>>();
  expectTypeOf(tracker.scope('s', { attributes: { a: 1 } }, (scope) => scope)).toEqualTypeOf<Scope>();
  expectTypeOf(tracker.openScope('s')).toEqualTypeOf<ScopeHandle>();
  expectTypeOf(tracker.openScope('s')).toExtend<Disposable>();
  expectTypeOf(tracker.record('gpt-4o', quarterCent)).toEqualTypeOf<CostRecord>();
  expectTypeOf<CostSummary['byScope']>().toEqualTypeOf<Readonly<Record<string, number>>>();
  // @ts-expect-error a handle given to a function is ended with it, not by it
  tracker.scope('s', (scope) => scope.close());
  // @ts-expect-error counts are needed
  expect(() => tracker.record('gpt-4o', { inputTokens: 1 })).toThrow(ConfigError);
});
