import { ConfigError } from '@synapsekit/core';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { isEvalCase } from './case.ts';
import { ContainsKeywords } from './contains-keywords.ts';
import { evalCase } from './eval-case.ts';
import { MaxCostUSD } from './max-cost-usd.ts';
import { EvalSuite, isEvalSuite } from './suite.ts';

const cheap = evalCase('cheap', () => ({ output: 'Paris', tokens: 3 }));
const blocks = evalCase('blocks', { description: 'Refuses', tags: ['budget'] }, async ({ expect: its }) => {
  its(true).toBe(true);
});

describe('evalCase', () => {
  test('is a value: it carries its name as a type, and registers nothing', () => {
    expectTypeOf(cheap.name).toEqualTypeOf<'cheap'>();
    expect(blocks).toMatchObject({ name: 'blocks', description: 'Refuses', tags: ['budget'] });
    expect(isEvalCase(cheap)).toBe(true);
    expect(Object.isFrozen(cheap)).toBe(true);
  });

  test('is known as one when another copy of the package made it', () => {
    const foreign = { ...cheap, [Symbol.for('@synapsekit/eval-case')]: 1 };
    expect(isEvalCase(foreign)).toBe(true);
    for (const other of [undefined, null, {}, () => {}, { name: 'x', run() {} }])
      expect(isEvalCase(other)).toBe(false);
  });

  test('types its own metrics by what it returns', () => {
    evalCase('typed', { metrics: [(run) => run.value.tokens < 5] }, () => ({ tokens: 3 }));
    // @ts-expect-error: the case returns no such field
    evalCase('typed', { metrics: [(run) => run.value.token < 5] }, () => ({ tokens: 3 }));
  });

  test('turns its limits into metrics of its own', () => {
    const limited = evalCase('limited', { maxCostUsd: 0.5, maxLatencyMs: 100 }, () => 'x');
    expect(limited.metrics.map(({ name }) => name)).toEqual(['MaxCostUSD', 'MaxLatencyMs']);
  });

  test('refuses what would not do what it says', () => {
    const fn = (): void => {};
    expect(() => evalCase('', fn)).toThrow(ConfigError);
    expect(() => evalCase('two\nlines', fn)).toThrow(/on one line/);
    const misspelt: object = { maxCostUSD: 1 };
    expect(() => evalCase('x', misspelt, fn)).toThrow(/no option "maxCostUSD"/);
    expect(() => evalCase('x', { maxCostUsd: Number.NaN }, fn)).toThrow(ConfigError);
    expect(() => evalCase('x', { timeoutMs: 0 }, fn)).toThrow(/timeoutMs/);
    expect(() => evalCase('x', undefined as unknown as () => void)).toThrow(/needs a function/);
    const elsewhere = new MaxCostUSD({ threshold: 1, applyTo: ['y'] });
    expect(() => evalCase('x', { metrics: [elsewhere] }, fn)).toThrow(/applies to y/);
    expect(() => evalCase('x', { metrics: [{} as never] }, fn)).toThrow(/metrics\[0\]/);
  });
});

describe('EvalSuite', () => {
  test('plans each case with its own metrics first, then those of the suite that apply to it', () => {
    const own = evalCase('own', { maxCostUsd: 1, timeoutMs: 5 }, () => 'x');
    const suite = new EvalSuite({
      name: 'pipeline',
      timeoutMs: 50,
      cases: [cheap, own],
      metrics: [
        new ContainsKeywords({ keywords: ['a'], applyTo: ['own'] }),
        function isShort(run) {
          return run.latencyMs < 5;
        },
      ],
    });
    expect(isEvalSuite(suite)).toBe(true);
    const plan = suite
      .plan()
      .map(({ metrics, ...planned }) => ({ ...planned, metrics: metrics.map((m) => m.name) }));
    expect(plan).toEqual([
      { case: cheap, suite: 'pipeline', timeoutMs: 50, metrics: ['isShort'] },
      { case: own, suite: 'pipeline', timeoutMs: 5, metrics: ['MaxCostUSD', 'ContainsKeywords', 'isShort'] },
    ]);
  });

  test('refuses a metric for a case that it does not have: as a type, and when it is made', () => {
    const make = (): unknown =>
      new EvalSuite({
        cases: [cheap, blocks],
        // @ts-expect-error: "cheep" is not the name of a case
        metrics: [new MaxCostUSD({ threshold: 1, applyTo: ['cheep'] })],
      });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(
      'MaxCostUSD applies to "cheep", and the suite has no such case. Did you mean "cheap"?',
    );
    const far = { name: 'own', applyTo: ['something'], evaluate: () => ({ pass: true }) };
    expect(() => new EvalSuite({ cases: [cheap, blocks], metrics: [far as never] })).toThrow(
      'The suite has: cheap, blocks.',
    );
  });

  test('types metrics by what its cases return', () => {
    new EvalSuite({ cases: [cheap], metrics: [(run) => run.value.tokens < 5] });
    // @ts-expect-error: no case returns such a field
    new EvalSuite({ cases: [cheap], metrics: [(run) => run.value.token < 5] });
    new EvalSuite({
      cases: [cheap],
      metrics: [{ name: 'own', applyTo: ['cheap'], evaluate: ({ value }) => ({ pass: value.tokens < 5 }) }],
    });
  });

  test('refuses no cases, two of one name, and what is no case', () => {
    expect(() => new EvalSuite({ cases: [] })).toThrow(/at least one/);
    expect(() => new EvalSuite({ cases: [cheap, evalCase('cheap', () => 'x')] })).toThrow(/called "cheap"/);
    expect(() => new EvalSuite({ cases: [cheap, (() => {}) as never] })).toThrow(
      /cases\[1\] is not an eval case/,
    );
    const misspelt = { cases: [cheap], metric: [] };
    expect(() => new EvalSuite(misspelt)).toThrow(/no option "metric"/);
  });
});
