import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  ConfigError,
  type CostRecord,
  type SpendSource,
  UnknownPriceError,
  type Usage,
} from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { flatPrices } from '../test/flat-prices.ts';
import { newTracker, quarterCent } from '../test/new-tracker.ts';
import { CostTracker, type CostTrackerOptions } from './cost-tracker.ts';
import type { Scope, ScopeHandle } from './scope.ts';
import type { CostSummary } from './summary.ts';
import type { CostWarning } from './warnings.ts';

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
