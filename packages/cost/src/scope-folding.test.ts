import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type PicoUsd, parseUsd } from '@synapsekit/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatPrices } from '../test/flat-prices.ts';
import { CostTracker, type CostTrackerOptions } from './cost-tracker.ts';
import type { ScopeHandle } from './scope.ts';
import { maxGroups } from './scope-names.ts';
import type { ScopeNode } from './summary.ts';

/** One token: 2.5 millionths of a dollar. */
const oneToken = { inputTokens: 1, outputTokens: 0 };
const tokenPico = 2_500_000n;

function newTracker(options: CostTrackerOptions): CostTracker {
  return new CostTracker({ prices: flatPrices(), maxRecent: 0, maxRememberedAttempts: 1, ...options });
}

function spend(tracker: CostTracker, ...names: readonly string[]): void {
  const [name, ...rest] = names;
  if (name === undefined) tracker.record('gpt-4o', oneToken);
  else tracker.scope(name, () => spend(tracker, ...rest));
}

function tokensByScope(tracker: CostTracker): Record<string, number> {
  const { byScope } = tracker.summary().exact;
  return Object.fromEntries(
    Object.entries(byScope).map(([name, usd]) => [name, Number(parseUsd(usd) / tokenPico)]),
  );
}

function countNodes(node: ScopeNode): number {
  return node.children.reduce((count, child) => count + countNodes(child), 1);
}

describe('scope names', () => {
  test('beyond the limit the name used longest ago folds into its group', () => {
    const tracker = newTracker({ maxScopeNames: 3 });
    for (const name of ['pipeline:1', 'pipeline:2', 'step', 'pipeline:1', 'pipeline:3']) spend(tracker, name);
    expect(tokensByScope(tracker)).toEqual({ 'pipeline:1': 2, step: 1, 'pipeline:3': 1, 'pipeline:*': 1 });
    spend(tracker, 'pipeline:4');
    expect(tokensByScope(tracker)).toEqual({
      'pipeline:1': 2,
      'pipeline:3': 1,
      'pipeline:4': 1,
      'pipeline:*': 1,
      '*': 1,
    });
    expect(tracker.summary().foldedScopeNames).toBe(2);
    expect(tracker.scopeCost('pipeline:2')).toBe(0);
  });

  test('the prefix is what stands before the first colon', () => {
    const tracker = newTracker({ maxScopeNames: 1 });
    for (const name of ['user:7:session:1', ':x', 'plain', 'last']) spend(tracker, name);
    expect(tokensByScope(tracker)).toEqual({ 'user:*': 1, ':*': 1, '*': 1, last: 1 });
  });

  test('open names never fold, in whatever number, and do once they have ended', () => {
    const tracker = newTracker({ maxScopeNames: 2 });
    const open = Array.from({ length: 5 }, (_, index) => tracker.openScope(`open:${index}`));
    for (const scope of open) scope.record('gpt-4o', oneToken);
    for (let index = 0; index < 10; index++) spend(tracker, `short:${index}`);
    expect(tokensByScope(tracker)).toMatchObject({ 'open:0': 1, 'open:4': 1, 'short:*': 10 });
    for (const scope of open) scope.close();
    expect(tokensByScope(tracker)).toEqual({ 'open:3': 1, 'open:4': 1, 'short:*': 10, 'open:*': 3 });
  });

  test('a scope with two runs is open until both have ended', () => {
    const tracker = newTracker({ maxScopeNames: 1 });
    const runs = [tracker.openScope('twice'), tracker.openScope('twice')];
    for (const run of runs) run.record('gpt-4o', oneToken);
    runs[0]?.close();
    spend(tracker, 'other:1');
    spend(tracker, 'other:2');
    expect(tokensByScope(tracker)).toMatchObject({ twice: 2 });
    runs[1]?.close();
    spend(tracker, 'other:3');
    expect(tokensByScope(tracker)).toEqual({ 'other:3': 1, 'other:*': 2, '*': 2 });
  });

  test('a late record for a folded name goes into its group', () => {
    const tracker = newTracker({ maxScopeNames: 1 });
    const late = tracker.openScope('pipeline:1');
    late.record('gpt-4o', oneToken);
    late.close();
    spend(tracker, 'other');
    late.record('gpt-4o', oneToken);
    expect(tokensByScope(tracker)).toEqual({ other: 1, 'pipeline:*': 2 });
    expect(late.calls).toBe(2);
    expect(tracker.summary().tree.children.map(({ name, calls }) => [name, calls])).toEqual([
      ['pipeline:*', 2],
      ['other', 1],
    ]);
  });

  test('an estimate made good after its name was folded changes the group', () => {
    const tracker = newTracker({ maxScopeNames: 1, maxRememberedAttempts: 10 });
    tracker.scope('pipeline:1', () =>
      tracker.record('gpt-4o', { inputTokens: 9, outputTokens: 0, attemptId: 'a', source: 'estimated' }),
    );
    spend(tracker, 'other');
    tracker.record('gpt-4o', { inputTokens: 4, outputTokens: 0, attemptId: 'a' });
    expect(tokensByScope(tracker)).toEqual({ other: 1, 'pipeline:*': 4 });
  });

  test('a late record makes its name the one used last', () => {
    const tracker = newTracker({ maxScopeNames: 2 });
    const late = tracker.openScope('late');
    late.record('gpt-4o', oneToken);
    late.close();
    spend(tracker, 'b');
    late.record('gpt-4o', oneToken);
    spend(tracker, 'c');
    expect(tokensByScope(tracker)).toEqual({ late: 2, c: 1, '*': 1 });
  });

  test('an async scope is open until its promise settles', async () => {
    const tracker = newTracker({ maxScopeNames: 1 });
    await tracker.scope('request', async () => {
      tracker.record('gpt-4o', oneToken);
      await nextTurn();
      for (let index = 0; index < 5; index++) tracker.openScope(`other:${index}`).record('gpt-4o', oneToken);
      expect(tracker.scopeCost('request')).toBe(0.000015);
    });
    spend(tracker, 'last');
    expect(tracker.scopeCost('request')).toBe(0);
    await expect(
      tracker.scope('fails', async () => {
        tracker.record('gpt-4o', oneToken);
        throw new RangeError('mine');
      }),
    ).rejects.toThrow('mine');
    spend(tracker, 'very last');
    expect(tracker.scopeCost('fails')).toBe(0);
  });

  test('the scope of one attempt is never left open', () => {
    const tracker = newTracker({ maxScopeNames: 2 });
    for (let index = 0; index < 20; index++) {
      tracker.recordAttempt(
        {
          attemptId: `a${index}`,
          provider: 'openai',
          model: 'gpt-4o',
          id: 'gpt-4o',
          outcome: 'served',
          usage: oneToken,
          latencyMs: 1,
        },
        { scope: `call:${index}` },
      );
    }
    expect(tokensByScope(tracker)).toEqual({ 'call:18': 1, 'call:19': 1, 'call:*': 18 });
  });

  test('a name of your own that looks like a group is one', () => {
    const tracker = newTracker({ maxScopeNames: 2 });
    for (const name of ['a:*', 'a:1', 'a:2', 'a:3', '*']) spend(tracker, name);
    expect(tokensByScope(tracker)).toEqual({ 'a:*': 3, 'a:3': 1, '*': 1 });
  });

  test(`groups are no more than ${maxGroups}: further prefixes fold into *`, () => {
    const tracker = newTracker({ maxScopeNames: 1 });
    for (let index = 0; index < 300; index++) spend(tracker, `prefix${index}:x`);
    const tokens = tokensByScope(tracker);
    expect(Object.keys(tokens)).toHaveLength(maxGroups + 2);
    expect(tokens['*']).toBe(300 - 1 - maxGroups);
  });

  test('folding keeps every sum: of the total, of each prefix, of what is open', () => {
    const step = fc.record(
      {
        path: fc.array(fc.constantFrom('p:1', 'p:2', 'p:3', 'p:4', 'q:1', 'q:2', 'r', 's', 'p:*'), {
          minLength: 1,
          maxLength: 4,
        }),
        tokens: fc.integer({ min: 1, max: 1_000 }),
        /** When the scopes end: before anything is recorded in them, after it, or not for now. */
        end: fc.constantFrom('before', 'after', 'later'),
        /** Which of the earlier scopes gets another record, long after. */
        late: fc.option(fc.nat(), { nil: undefined }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 12 }),
        (steps, maxScopeNames, maxScopePaths) => {
          const tracker = newTracker({ maxScopeNames, maxScopePaths });
          const expected = new Map<string, PicoUsd>();
          const all: ScopeHandle[] = [];
          const open: ScopeHandle[] = [];
          let total = 0n;
          const record = (scope: ScopeHandle | undefined, tokens: number): void => {
            if (scope === undefined) return;
            scope.record('gpt-4o', { inputTokens: tokens, outputTokens: 0 });
            const pico = BigInt(tokens) * tokenPico;
            total += pico;
            for (const name of new Set(scope.path)) expected.set(name, (expected.get(name) ?? 0n) + pico);
          };
          for (const { path, tokens, end, late } of steps) {
            const opened: ScopeHandle[] = [];
            for (const name of path) opened.push((opened.at(-1) ?? tracker).openScope(name));
            if (end === 'before') for (const scope of opened) scope.close();
            record(opened.at(-1), tokens);
            if (end === 'after') for (const scope of opened) scope.close();
            if (end === 'later') open.push(...opened);
            else for (const scope of open.splice(0, 2)) scope.close();
            all.push(...opened);
            if (late !== undefined) record(all[late % all.length], 1);
          }
          const { exact, tree } = tracker.summary();
          expect(parseUsd(exact.totalUsd)).toBe(total);
          expect(parseUsd(tree.costUsdExact)).toBe(total);
          expect(countNodes(tree)).toBeLessThanOrEqual(maxScopePaths + 1);
          const amounts = Object.entries(exact.byScope).map(([name, usd]) => [name, parseUsd(usd)] as const);
          for (const prefix of ['p:', 'q:', '']) {
            expect(sumOf(amounts, prefix)).toBe(sumOf([...expected], prefix));
          }
          const openNames = new Set(open.map(({ name }) => name));
          const idle = amounts.filter(([name]) => !name.endsWith('*') && !openNames.has(name));
          expect(idle.length).toBeLessThanOrEqual(maxScopeNames);
          for (const name of openNames) expect(exact.byScope).toHaveProperty([name]);

          const other = newTracker({ maxScopeNames: 100 });
          other.restore(tracker.snapshot());
          expect(other.snapshot()).toEqual(tracker.snapshot());
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** The sum over all names of a prefix; names without a colon, and their group, belong to the prefix "". */
function sumOf(amounts: readonly (readonly [string, PicoUsd])[], prefix: string): PicoUsd {
  return amounts
    .filter(([name]) => (prefix === '' ? !name.includes(':') : name.startsWith(prefix)))
    .reduce((sum, [, pico]) => sum + pico, 0n);
}

describe('the tree of paths', () => {
  test('folds with the names: what is below a folded name merges', () => {
    const tracker = newTracker({ maxScopeNames: 5 });
    for (let index = 0; index < 10; index++) {
      spend(tracker, `pipeline:${index}`, 'step:classify');
      spend(tracker, `pipeline:${index}`, 'step:answer', 'llm:x');
    }
    const { tree } = tracker.summary();
    expect(tree.children.map(({ name, calls }) => [name, calls])).toEqual([
      ['pipeline:*', 16],
      ['pipeline:8', 2],
      ['pipeline:9', 2],
    ]);
    expect(tree.children[0]?.children.map(({ name, calls }) => [name, calls])).toEqual([
      ['step:classify', 8],
      ['step:answer', 8],
    ]);
    expect(tree.children[0]?.children[1]?.children).toMatchObject([{ name: 'llm:x', calls: 8 }]);
  });

  test('has no more paths than it may: the rest is booked at the path above', () => {
    const tracker = newTracker({ maxScopePaths: 10 });
    for (let index = 0; index < 100; index++) spend(tracker, 'outer', `inner${index}`);
    const { tree } = tracker.summary();
    expect(countNodes(tree)).toBe(11);
    expect(tree.children).toMatchObject([{ name: 'outer', calls: 100 }]);
    expect(tree.children[0]?.children).toHaveLength(9);
    expect(tracker.scopeCostExact('inner99')).toBe('0.0000025');
  });

  test('what folds makes room for what comes', () => {
    const tracker = newTracker({ maxScopeNames: 4, maxScopePaths: 10 });
    for (let index = 0; index < 100; index++) spend(tracker, `pipeline:${index}`, 'step', 'llm');
    expect(tracker.summary().tree.children.at(-1)).toMatchObject({
      name: 'pipeline:99',
      children: [{ name: 'step', children: [{ name: 'llm', calls: 1 }] }],
    });
  });

  test('no depth of nesting overflows anything', () => {
    const tracker = newTracker({});
    const handles: ScopeHandle[] = [];
    for (let depth = 0; depth < 3_000; depth++) {
      handles.push((handles.at(-1) ?? tracker).openScope(`agent${depth}`));
    }
    handles.at(-1)?.record('gpt-4o', oneToken);
    const summary = JSON.parse(JSON.stringify(tracker.summary()));
    expect(summary.calls).toBe(1);
    expect(summary.byScope.agent2999).toBe(0.0000025);
    expect(() => tracker.restore(JSON.parse(JSON.stringify(tracker.snapshot())))).not.toThrow();
  });
});

test('200,000 distinct scopes leave the heap as it was', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const tracker = new CostTracker({ prices: flatPrices(), maxScopeNames: 500, maxRememberedAttempts: 500 });
  const run = (from: number, to: number): number => {
    for (let index = from; index < to; index++) spend(tracker, `pipeline:${index}`, 'llm');
    collect();
    return process.memoryUsage().heapUsed;
  };
  run(0, 5_000);
  const before = run(5_000, 20_000);
  const after = run(20_000, 200_000);
  expect(after - before).toBeLessThan(1_000_000);
  const { calls, byScope, tree } = tracker.summary();
  expect(calls).toBe(200_000);
  expect(Object.keys(byScope).length).toBeLessThanOrEqual(501);
  expect(countNodes(tree)).toBeLessThanOrEqual(2 * 501);
  expect(tokensByScope(tracker)['pipeline:*']).toBe(200_000 - 499);
});
