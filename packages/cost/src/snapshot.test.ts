import { ConfigError } from '@synapsekit/core';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { flatPrices } from '../test/flat-prices.ts';
import { CostTracker, type CostTrackerOptions } from './cost-tracker.ts';
import type { CostSnapshot } from './snapshot.ts';

function newTracker(options: CostTrackerOptions = {}): CostTracker {
  return new CostTracker({ prices: flatPrices(), onWarning() {}, ...options });
}

function filled(options: CostTrackerOptions = {}): CostTracker {
  const tracker = newTracker(options);
  for (const name of ['pipeline:1', 'pipeline:2', '__proto__', 'pipeline:3']) {
    tracker.scope(name, () => {
      tracker.record('gpt-4o', {
        inputTokens: 1_001,
        cachedInputTokens: 7,
        outputTokens: 333,
        reasoningTokens: 3,
      });
      tracker.scope('llm:groq/llama', () =>
        tracker.record('groq/llama-3.1-8b-instant', { inputTokens: 1, outputTokens: 0, source: 'estimated' }),
      );
    });
  }
  tracker.record('unheard-of', { inputTokens: 5, outputTokens: 5 });
  return tracker;
}

function overJson(snapshot: CostSnapshot): CostSnapshot {
  return JSON.parse(JSON.stringify(snapshot)) as CostSnapshot;
}

describe('a snapshot', () => {
  test.for([[{}], [{ maxScopeNames: 2 }], [{ maxScopePaths: 2 }]])(
    'survives JSON exactly and restores everything (%j)',
    ([options]) => {
      const tracker = filled(options);
      const snapshot = tracker.snapshot();
      expect(overJson(snapshot)).toEqual(snapshot);
      const other = newTracker(options);
      other.record('gpt-4o', { inputTokens: 9, outputTokens: 9 });
      other.restore(overJson(snapshot));
      expect(other.snapshot()).toEqual(snapshot);
      expect(other.summary()).toEqual(tracker.summary());
      expect(other.recent).toEqual([]);
    },
  );

  test('of a large tracker folds into a small one with all sums kept', () => {
    const small = newTracker({ maxScopeNames: 1, maxScopePaths: 1 });
    small.restore(filled().snapshot());
    const { totalUsd, byScope, byModel, tree, foldedScopeNames } = small.summary();
    expect({ totalUsd, byModel }).toEqual({
      totalUsd: filled().summary().totalUsd,
      byModel: filled().summary().byModel,
    });
    expect(Object.keys(byScope).filter((name) => !name.endsWith('*'))).toHaveLength(1);
    expect(foldedScopeNames).toBe(4);
    expect(tree.costUsd).toBe(totalUsd);
  });

  test('restored inside a live scope goes on there', () => {
    const tracker = filled();
    const snapshot = tracker.snapshot();
    tracker.scope('pipeline:1', (scope) => {
      tracker.restore(snapshot);
      const before = tracker.scopeCostExact('pipeline:1');
      tracker.record('gpt-4o', { inputTokens: 1, outputTokens: 0 });
      expect(before).toBe('0.0058238');
      expect(tracker.scopeCost('pipeline:1')).toBe(0.0058263);
      expect(scope.calls).toBe(1);
    });
  });

  test('takes over and goes on counting', () => {
    const tracker = newTracker();
    tracker.restore(filled().snapshot());
    tracker.scope('pipeline:3', () => tracker.record('gpt-4o', { inputTokens: 400, outputTokens: 0 }));
    expect(tracker.summary().calls).toBe(10);
    expect(tracker.summary().tree.children.at(-1)).toMatchObject({ name: 'pipeline:3', calls: 3 });
  });
});

describe('garbage is refused, and nothing is changed', () => {
  const good = (): CostSnapshot => overJson(filled().snapshot());
  const { total, models, scopes, tree } = good();

  test.for<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'snapshot'],
    ['a list', []],
    ['an empty object', {}],
    ['another version', { ...good(), version: 2 }],
    ['no total', { ...good(), total: undefined }],
    ['a negative amount', { ...good(), total: { ...total, usd: '-1' } }],
    ['an amount finer than a pico-dollar', { ...good(), total: { ...total, usd: '0.0000000000001' } }],
    ['an amount that is a number', { ...good(), total: { ...total, usd: 0.1 } }],
    ['a count that is none', { ...good(), total: { ...total, calls: -1 } }],
    ['a fraction of a call', { ...good(), total: { ...total, calls: 1.5 } }],
    ['models that do not add up', { ...good(), models: models.slice(1) }],
    ['a model twice', { ...good(), models: [...models, models[0]] }],
    ['a scope twice', { ...good(), scopes: [...scopes, scopes[0]] }],
    ['a scope without a name', { ...good(), scopes: [{ ...scopes[0], name: '' }] }],
    ['a group that is no flag', { ...good(), scopes: [{ ...scopes[0], group: 1 }] }],
    ['paths of unknown scopes', { ...good(), scopes: [] }],
    ['paths that do not add up', { ...good(), tree: { ...tree, children: [] } }],
    ['a path twice', { ...good(), tree: { ...tree, children: [...tree.children, tree.children[0]] } }],
    ['a root with a name', { ...good(), tree: { ...tree, name: 'root' } }],
    ['children that are no list', { ...good(), tree: { ...tree, children: {} } }],
    ['no count of folded names', { ...good(), foldedScopeNames: null }],
    [
      'more models than there can be',
      { ...good(), models: Array.from({ length: 1_200 }, (_, i) => ({ ...models[0], id: `m${i}` })) },
    ],
  ])('%s', ([, snapshot]) => {
    const tracker = filled();
    const before = tracker.snapshot();
    expect(() => tracker.restore(snapshot as CostSnapshot)).toThrow(ConfigError);
    expect(tracker.snapshot()).toEqual(before);
    expect(tracker.recent).toHaveLength(9);
  });

  test('a tree deeper than any', () => {
    let node: unknown = { name: '__proto__', own: good().tree.own, children: [] };
    for (let depth = 0; depth < 200; depth++) node = { name: '__proto__', own: tree.own, children: [node] };
    expect(() =>
      newTracker().restore({ ...good(), tree: { ...tree, children: [node] } } as CostSnapshot),
    ).toThrow(/deeper/);
  });

  test('whatever JSON it is', () => {
    const tracker = filled();
    const before = tracker.snapshot();
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 0, max: 6 }), (json, field) => {
        const value: unknown = JSON.parse(json);
        const key = Object.keys(before)[field];
        const snapshot = key === undefined ? value : { ...before, [key]: value };
        try {
          tracker.restore(snapshot as CostSnapshot);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
        // Some values are good: a count of folded names is a number that nothing else contradicts.
        expect({ ...tracker.snapshot(), foldedScopeNames: 0 }).toEqual({ ...before, foldedScopeNames: 0 });
      }),
    );
  });
});

test('a snapshot is plain data', () => {
  expectTypeOf(newTracker().snapshot()).toEqualTypeOf<CostSnapshot>();
  expect(newTracker().snapshot()).toEqual({
    version: 1,
    total: expect.objectContaining({ usd: '0', calls: 0 }),
    models: [],
    scopes: [],
    foldedScopeNames: 0,
    tree: { name: '', own: expect.objectContaining({ usd: '0' }), children: [] },
  });
});
