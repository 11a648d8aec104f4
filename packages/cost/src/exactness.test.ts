import { setImmediate as nextTurn } from 'node:timers/promises';
import { type PicoUsd, parseUsd, type Usage } from '@synapsekit/core';
import { seededRandom } from '@synapsekit/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatPrices, tutorialPrices } from '../test/flat-prices.ts';
import { CostTracker } from './cost-tracker.ts';
import type { Scope } from './scope.ts';
import type { ScopeNode } from './summary.ts';

/** What the tracker must come to, kept the plain way: every record, added up when asked. */
interface Booked {
  readonly path: readonly string[];
  readonly model: string;
  readonly pico: PicoUsd;
  readonly inputTokens: number;
}

function expectAgreement(tracker: CostTracker, booked: readonly Booked[]): void {
  const { exact, tree, calls, inputTokens } = tracker.summary();
  const total = sum(booked);
  expect(parseUsd(exact.totalUsd)).toBe(total);
  expect(calls).toBe(booked.length);
  expect(inputTokens).toBe(booked.reduce((tokens, record) => tokens + record.inputTokens, 0));

  const names = new Set(booked.flatMap(({ path }) => path));
  expect(new Set(Object.keys(exact.byScope))).toEqual(names);
  for (const name of names) {
    expect(parseUsd(tracker.scopeCostExact(name))).toBe(
      sum(booked.filter(({ path }) => path.includes(name))),
    );
  }
  for (const [model, usd] of Object.entries(exact.byModel)) {
    expect(parseUsd(usd)).toBe(sum(booked.filter((record) => record.model === model)));
  }
  expect(sumOf(Object.values(exact.byModel))).toBe(total);

  const byPath = new Map<string, PicoUsd>();
  for (const { path, pico } of booked) {
    for (let depth = 0; depth <= path.length; depth++) {
      const key = JSON.stringify(path.slice(0, depth));
      byPath.set(key, (byPath.get(key) ?? 0n) + pico);
    }
  }
  expect(new Map(pathsOf(tree, []))).toEqual(byPath.size === 0 ? new Map([['[]', 0n]]) : byPath);
}

function pathsOf(node: ScopeNode, path: readonly string[]): [string, PicoUsd][] {
  const here: [string, PicoUsd] = [JSON.stringify(path), parseUsd(node.costUsdExact)];
  return [here, ...node.children.flatMap((child) => pathsOf(child, [...path, child.name]))];
}

function sum(booked: readonly Booked[]): PicoUsd {
  return booked.reduce((total, { pico }) => total + pico, 0n);
}

function sumOf(amounts: readonly string[]): PicoUsd {
  return amounts.reduce((total, usd) => total + parseUsd(usd), 0n);
}

function costOf(model: string, { inputTokens, outputTokens }: Usage): PicoUsd {
  const price = tutorialPrices.find((each) => model.endsWith(each.model));
  return BigInt(inputTokens) * (price?.input ?? 0n) + BigInt(outputTokens) * (price?.output ?? 0n);
}

const models = ['groq/llama-3.1-8b-instant', 'groq/llama-3.3-70b-versatile', 'gpt-4o-mini', 'gpt-4o'];

test('1,000 interleaved scopes add up to the last pico-dollar, each in its own place', async () => {
  const tracker = new CostTracker({ prices: flatPrices() });
  const random = seededRandom(20261123);
  const below = (limit: number): number => Math.floor(random() * limit);
  const booked: Booked[] = [];
  const runs: { readonly scope: Scope; readonly expected: () => PicoUsd }[] = [];
  let running = 0;
  let atOnce = 0;

  const record = (path: readonly string[]): void => {
    const model = models[below(models.length)] ?? 'gpt-4o';
    const usage = { inputTokens: below(100_000), outputTokens: below(10_000) };
    const made = tracker.record(model, usage);
    expect(made.scopePath).toEqual(path);
    booked.push({ path, model, pico: costOf(model, usage), inputTokens: usage.inputTokens });
  };

  const pause = async (): Promise<void> => {
    for (let turns = below(4); turns > 0; turns--) await (random() < 0.5 ? nextTurn() : Promise.resolve());
  };

  const work = (path: readonly string[], depth: number): Promise<void> => {
    const own = [...path, `${['pipeline', 'step', 'llm'][depth] ?? 'deep'}:${below(12)}`];
    return tracker.scope(own.at(-1) ?? '', async (scope) => {
      const from = booked.length;
      atOnce = Math.max(atOnce, ++running);
      await pause();
      record(own);
      const below1 = depth < 3 ? Array.from({ length: below(3) }, () => work(own, depth + 1)) : [];
      await pause();
      if (random() < 0.5) record(own);
      await Promise.all(below1);
      running--;
      const mine = booked.slice(from).filter(({ path }) => own.every((name, index) => path[index] === name));
      // Two runs may share a path; then each has a part of what is booked there.
      runs.push({ scope, expected: () => sum(mine) });
    });
  };

  await Promise.all(Array.from({ length: 1_000 }, () => work([], 0)));
  expect(atOnce).toBeGreaterThan(1_000);
  expect(booked.length).toBeGreaterThan(2_000);
  expectAgreement(tracker, booked);
  for (const { scope, expected } of runs)
    expect(parseUsd(scope.costUsdExact)).toBeLessThanOrEqual(expected());
  const top = runs.filter(({ scope }) => scope.path.length === 1);
  expect(top.reduce((total, { scope }) => total + parseUsd(scope.costUsdExact), 0n)).toBe(sum(booked));
});

test('agrees with a plain model, whatever is recorded twice, estimated first, or restored in between', () => {
  const step = fc.record(
    {
      path: fc.array(fc.constantFrom('a', 'b', 'a/b', 'a:1', '__proto__'), { maxLength: 4 }),
      model: fc.constantFrom(...models),
      inputTokens: fc.integer({ min: 0, max: 1_000_000 }),
      outputTokens: fc.integer({ min: 0, max: 100_000 }),
      attemptId: fc.option(fc.constantFrom('1', '2', '3', '4', '5'), { nil: undefined }),
      source: fc.constantFrom('provider', 'estimated'),
      restore: fc.boolean(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const tracker = new CostTracker({ prices: flatPrices(), onWarning() {} });
      let booked: (Booked & { readonly key: string; readonly estimated: boolean })[] = [];
      const names = new Set<string>();
      const restored: Booked[] = [];
      const gone = new Map<string, { estimated: boolean; pico: PicoUsd }>();
      for (const [index, { path, model, restore, ...usage }] of steps.entries()) {
        const inScope = (rest: readonly string[]): void => {
          const [name, ...inner] = rest;
          if (name === undefined) tracker.record(model, usage);
          else tracker.scope(name, () => inScope(inner));
        };
        inScope(path);

        const key = usage.attemptId ?? `minted ${index}`;
        const estimated = usage.source === 'estimated';
        const pico = costOf(model, usage);
        const before = booked.find((record) => record.key === key);
        const old = gone.get(key);
        if (old !== undefined) {
          // Booked before the restore: its money stays where it was.
          if (old.estimated && (!estimated || pico > old.pico)) gone.set(key, { estimated, pico });
        } else if (before === undefined) {
          booked.push({ path, model, pico, inputTokens: usage.inputTokens, key, estimated });
        } else if (before.estimated && (!estimated || pico > before.pico)) {
          const next = { ...before, model, pico, inputTokens: usage.inputTokens, estimated };
          booked = booked.map((record) => (record === before ? next : record));
        }
        for (const name of path) names.add(name);
        if (restore) {
          tracker.restore(JSON.parse(JSON.stringify(tracker.snapshot())));
          for (const record of booked) gone.set(record.key, record);
          restored.push(...booked);
          booked = [];
        }
      }
      expectAgreement(tracker, [...restored, ...booked]);
    }),
    { numRuns: 150 },
  );
});
