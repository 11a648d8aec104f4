import type { Attempt } from '@synapsekit/core';
import { ConfigError } from '@synapsekit/core';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { caseRun } from '../test/case-run.ts';
import { BreakerState } from './breaker-state.ts';
import { BudgetBlocked } from './budget-blocked.ts';
import type { CallReport } from './call-report.ts';
import { Equals } from './equals.ts';
import { JsonSchema } from './json-schema.ts';
import { Levenshtein, similarityOf } from './levenshtein.ts';
import { MaxCalls } from './max-calls.ts';
import { MaxTokens } from './max-tokens.ts';
import { MaxTotalCostUSD } from './max-total-cost-usd.ts';
import type { CaseRun } from './metric.ts';
import { NoFallback } from './no-fallback.ts';
import { NumericDiff } from './numeric-diff.ts';
import { Regex } from './regex.ts';
import { RoutedTo } from './routed-to.ts';
import { ToolCalls } from './tool-calls.ts';

const call = (
  model: string,
  outcome: Attempt['outcome'] = 'served',
  facts: Partial<CallReport> = {},
): CallReport => ({
  model,
  outcome,
  ...(outcome === 'served' && { usage: { inputTokens: 10, outputTokens: 5 } }),
  ...facts,
});
const withCalls = (...calls: CallReport[]): CaseRun => caseRun({ calls });
const saying = (output: unknown): CaseRun => caseRun({ value: { output }, output });

describe('MaxTokens', () => {
  test('counts the tokens of all calls', () => {
    const run = withCalls(call('a'), call('b'));
    expect(new MaxTokens({ threshold: 30 }).evaluate(run)).toEqual({ pass: true, detail: '30 = 30 tokens' });
    expect(new MaxTokens({ threshold: 9, kind: 'output' }).evaluate(run)).toEqual({
      pass: false,
      detail: '10 > 9 output tokens',
    });
  });

  test('fails when the usage of a call is not known, and when there was none', () => {
    const missing = withCalls(call('a'), call('b', 'unanswered'));
    expect(new MaxTokens({ threshold: 1e6 }).evaluate(missing)).toEqual({
      pass: false,
      detail: 'tokens unknown: no usage of 1 call to b',
    });
    expect(new MaxTokens({ threshold: 1e6 }).evaluate(caseRun())).toEqual({
      pass: false,
      detail: 'tokens unknown: no call was recorded',
    });
    // Providers count nothing for a refusal.
    expect(new MaxTokens({ threshold: 15 }).evaluate(withCalls(call('a'), call('b', 'refused'))).pass).toBe(
      true,
    );
    const estimated = withCalls(call('a', 'served', { estimated: true }));
    expect(new MaxTokens({ threshold: 15 }).evaluate(estimated).detail).toContain('1 of 1 calls estimated');
  });
});

describe('MaxCalls', () => {
  test('counts what was sent, failed calls too', () => {
    const run = withCalls(call('a', 'refused'), call('a'), call('b', 'unsent'));
    expect(new MaxCalls({ threshold: 2 }).evaluate(run)).toEqual({ pass: true, detail: '2 = 2 calls' });
    expect(new MaxCalls({ threshold: 1 }).evaluate(run)).toEqual({ pass: false, detail: '2 > 1 call' });
  });

  test('fails when no call was recorded, unless none is what is asked for', () => {
    expect(new MaxCalls({ threshold: 2 }).evaluate(caseRun()).pass).toBe(false);
    expect(new MaxCalls({ threshold: 0 }).evaluate(caseRun()).pass).toBe(true);
    expect(() => new MaxCalls({ threshold: 1.5 })).toThrow(ConfigError);
  });
});

describe('MaxTotalCostUSD', () => {
  const cost = { pico: 50_000_000_000n, calls: 2, estimatedCalls: 0, missingCalls: 0, missing: [] };
  const suite = { cases: [], total: 0, cost, signal: new AbortController().signal };
  test('compares the sum', () => {
    const metric = new MaxTotalCostUSD({ threshold: 0.05 });
    expect(metric.evaluateSuite(suite)).toEqual({ pass: true, detail: '$0.05 = $0.05' });
    expect(new MaxTotalCostUSD({ threshold: '0.04' }).evaluateSuite(suite).pass).toBe(false);
  });

  test('fails when a cost is not known, and when no call was made', () => {
    const metric = new MaxTotalCostUSD({ threshold: 1 });
    const missing = { ...cost, missingCalls: 1, missing: ['no price for x'] };
    expect(metric.evaluateSuite({ ...suite, cost: missing }).detail).toBe(
      'cost unknown: no price for x; $0.05 is known',
    );
    expect(metric.evaluateSuite({ ...suite, cost: { ...cost, calls: 0 } }).detail).toBe(
      'cost unknown: no call was recorded',
    );
  });
});

describe('Equals', () => {
  test('is strict, and looks at the output if there is one', () => {
    expect(new Equals({ expected: 'Paris' }).evaluate(saying('Paris')).pass).toBe(true);
    expect(new Equals({ expected: 'Paris' }).evaluate(saying(' paris'))).toEqual({
      pass: false,
      detail: "expected 'Paris', got ' paris'",
    });
    expect(new Equals({ expected: 'Paris', loose: true }).evaluate(saying(' paris ')).pass).toBe(true);
    expect(new Equals({ expected: 1 }).evaluate(saying('1')).pass).toBe(false);
    const blocked = caseRun({ value: { blocked: true } });
    expect(new Equals({ expected: { blocked: true } }).evaluate(blocked).pass).toBe(true);
    expect(new Equals({ expected: { blocked: false } }).evaluate(blocked).pass).toBe(false);
  });

  test('compares only some fields when it is told to', () => {
    const metric = new Equals({ expected: { a: 1, in: { b: [2] } }, partial: true });
    expect(metric.evaluate(caseRun({ value: { a: 1, in: { b: [2], c: 3 }, d: 4 } })).pass).toBe(true);
    expect(metric.evaluate(caseRun({ value: { a: 1, in: { b: [2, 3] } } })).pass).toBe(false);
    expect(metric.evaluate(caseRun({ value: undefined })).pass).toBe(false);
    expect(() => new Equals({ expected: {}, partial: true })).toThrow(ConfigError);
    expect(() => new Equals({ expected: undefined })).toThrow(ConfigError);
  });
});

describe('Regex', () => {
  test('judges every case alike, whatever flags it has', () => {
    const metric = new Regex({ pattern: /\d+/g });
    for (let round = 0; round < 3; round++) expect(metric.evaluate(saying('in 1991')).pass).toBe(true);
    expect(new Regex({ pattern: /\d/, not: true }).evaluate(saying('none')).pass).toBe(true);
    expect(new Regex({ pattern: /x/, not: true }).evaluate(caseRun()).pass).toBe(false);
    expect(() => new Regex({ pattern: 'x' as never })).toThrow(ConfigError);
  });
});

describe('JsonSchema', () => {
  const metric = new JsonSchema({ schema: v.object({ year: v.number() }) });
  test('reads text as JSON, also between fences, and says what does not fit', async () => {
    expect(await metric.evaluate(saying('{"year":1991}'))).toEqual({ pass: true });
    expect(await metric.evaluate(saying('```json\n{"year":1991}\n```'))).toEqual({ pass: true });
    expect(await metric.evaluate(caseRun({ value: { year: 1991 } }))).toEqual({ pass: true });
    expect((await metric.evaluate(saying('{"year":"1991"}'))).detail).toContain('year: Invalid type');
    expect((await metric.evaluate(saying('about 1991'))).detail).toContain('the output is no JSON');
  });

  test('refuses a plain JSON Schema, which it could not check', () => {
    expect(() => new JsonSchema({ schema: { type: 'object' } as never })).toThrow(/standardschema\.dev/);
  });
});

describe('NumericDiff', () => {
  test('finds the number in a text', () => {
    const metric = new NumericDiff({ expected: 1234.5, absolute: 0.5 });
    for (const text of ['$1,234.50', 'about 1234.9 euros', '1.2345e3']) {
      expect(metric.evaluate(saying(text)).pass, text).toBe(true);
    }
    expect(metric.evaluate(saying('1236')).pass).toBe(false);
    expect(new NumericDiff({ expected: -3, relative: 0.1 }).evaluate(saying('−3.2')).pass).toBe(true);
    expect(new NumericDiff({ expected: 0.3, absolute: 0 }).evaluate(saying(0.1 + 0.2)).pass).toBe(true);
  });

  test('fails for no number, several, and NaN', () => {
    const metric = new NumericDiff({ expected: 3, absolute: 100 });
    for (const output of ['three', '3 or 4', Number.NaN, Number.POSITIVE_INFINITY, null, undefined, 'v3x']) {
      expect(metric.evaluate(saying(output)).pass, String(output)).toBe(false);
    }
    expect(() => new NumericDiff({ expected: 3 })).toThrow(ConfigError);
    expect(() => new NumericDiff({ expected: Number.NaN, absolute: 1 })).toThrow(ConfigError);
  });
});

describe('Levenshtein', () => {
  /** The recursion of the definition, for short texts. */
  const distance = (a: string[], b: string[]): number => {
    const [x, ...as] = a;
    const [y, ...bs] = b;
    if (x === undefined || y === undefined) return Math.max(a.length, b.length);
    if (x === y) return distance(as, bs);
    return 1 + Math.min(distance(as, bs), distance(as, b), distance(a, bs));
  };

  test('agrees with the definition', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ä', '😀'), maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [as, bs] = [[...a], [...b]];
        const longer = Math.max(as.length, bs.length);
        const expected = longer === 0 ? 1 : 1 - distance(as, bs) / longer;
        expect(similarityOf(a, b)).toBeCloseTo(expected, 12);
      }),
    );
  });

  test('passes what is near enough, and refuses texts that take too long', () => {
    const metric = new Levenshtein({ expected: 'kitten', minSimilarity: 0.5 });
    expect(metric.evaluate(saying('sitting'))).toEqual({
      pass: true,
      detail: 'similarity 0.571, 0.5 wanted',
    });
    expect(metric.evaluate(saying('dog')).pass).toBe(false);
    expect(metric.evaluate(saying('x'.repeat(50_000_000))).detail).toContain(
      '50,000,000 characters, too many',
    );
    expect(() => new Levenshtein({ expected: 'x', minSimilarity: 0 })).toThrow(ConfigError);
  });
});

describe('ToolCalls', () => {
  const called = (...names: string[]): CaseRun =>
    caseRun({
      value: { toolCalls: names.map((name, n) => ({ id: `${n}`, name, arguments: { n, deep: { x: 1 } } })) },
    });

  test('compares names in order, or in any, with or without others', () => {
    const run = called('search', 'read', 'answer');
    const judge = (expected: string[], mode?: 'exact' | 'in-order' | 'any-order'): boolean =>
      new ToolCalls({ expected, mode }).evaluate(run).pass;
    expect(judge(['search', 'read', 'answer'])).toBe(true);
    expect(judge(['search', 'answer'])).toBe(false);
    expect(judge(['search', 'answer'], 'in-order')).toBe(true);
    expect(judge(['answer', 'search'], 'in-order')).toBe(false);
    expect(judge(['answer', 'search'], 'any-order')).toBe(true);
    expect(judge(['search', 'search'], 'any-order')).toBe(false);
    expect(new ToolCalls({ expected: [] }).evaluate(called()).pass).toBe(true);
  });

  test('compares arguments where they are given, each call once', () => {
    const run = called('a', 'a');
    const any = (...expected: { name: string; arguments?: Record<string, unknown> }[]): boolean =>
      new ToolCalls({ expected, mode: 'any-order' }).evaluate(run).pass;
    expect(any({ name: 'a' }, { name: 'a', arguments: { n: 0 } })).toBe(true);
    expect(any({ name: 'a', arguments: { deep: { x: 1 } } }, { name: 'a', arguments: { n: 1 } })).toBe(true);
    expect(any({ name: 'a', arguments: { n: 1 } }, { name: 'a', arguments: { n: 1 } })).toBe(false);
  });

  test('fails a case that returns no tool calls, and refuses what would always pass', () => {
    expect(new ToolCalls({ expected: [] }).evaluate(saying('x')).detail).toContain('returned no toolCalls');
    expect(() => new ToolCalls({ expected: [], mode: 'any-order' })).toThrow('would always pass');
  });
});

describe('RoutedTo', () => {
  const run = withCalls(
    call('groq/llama', 'served', { provider: 'groq' }),
    call('gpt-4o', 'served', { provider: 'openai' }),
  );
  test('looks at the last call that was served, or at all', () => {
    expect(new RoutedTo({ model: 'gpt-4o' }).evaluate(run)).toEqual({ pass: true, detail: 'gpt-4o' });
    expect(new RoutedTo({ model: 'openai/gpt-4o' }).evaluate(run).pass).toBe(true);
    expect(new RoutedTo({ model: 'openai/*' }).evaluate(run).pass).toBe(true);
    expect(new RoutedTo({ model: 'groq/*' }).evaluate(run)).toEqual({
      pass: false,
      detail: 'gpt-4o, not groq/*',
    });
    expect(new RoutedTo({ model: ['x', 'gpt-4o'] }).evaluate(run).pass).toBe(true);
    expect(new RoutedTo({ model: ['gpt-4o'], calls: 'all' }).evaluate(run).detail).toBe(
      'groq/llama, not gpt-4o',
    );
  });

  test('fails when nobody served', () => {
    expect(new RoutedTo({ model: 'x' }).evaluate(withCalls(call('x', 'refused'))).pass).toBe(false);
    expect(() => new RoutedTo({ model: [] })).toThrow(ConfigError);
  });
});

describe('NoFallback', () => {
  const metric = new NoFallback();
  test('fails when another model stepped in, and not for retries or a classifier', () => {
    expect(metric.evaluate(withCalls(call('small'), call('big'))).pass).toBe(true);
    expect(metric.evaluate(withCalls(call('big', 'refused'), call('big'))).pass).toBe(true);
    expect(
      metric.evaluate(withCalls(call('big', 'refused', { errorCode: 'provider' }), call('spare'))),
    ).toEqual({
      pass: false,
      detail: 'big failed (provider), spare stepped in',
    });
    expect(metric.evaluate(withCalls(call('big', 'refused'), call('big'), call('spare'))).pass).toBe(true);
  });

  test('believes the answer about candidates that were passed over, and nothing without calls', () => {
    const value = { failures: [{ id: 'gpt-4o', outcome: 'skipped' }] };
    expect(metric.evaluate(caseRun({ calls: [call('spare')], value }))).toEqual({
      pass: false,
      detail: 'passed over: gpt-4o (skipped)',
    });
    expect(metric.evaluate(caseRun()).pass).toBe(false);
  });
});

describe('BreakerState', () => {
  const breakers = new Map([['openai', 'OPEN']]);
  test('knows a breaker by name once it changed, and says so when it does not', () => {
    const open = new BreakerState({ breaker: 'openai', state: 'open' });
    expect(open.evaluate(caseRun({ breakers }))).toEqual({ pass: true, detail: 'openai is OPEN' });
    expect(
      new BreakerState({ breaker: 'openai', state: 'CLOSED' }).evaluate(caseRun({ breakers })).pass,
    ).toBe(false);
    const unheard = new BreakerState({ breaker: 'opnai', state: 'CLOSED' }).evaluate(caseRun({ breakers }));
    expect(unheard.pass).toBe(false);
    expect(unheard.detail).toContain('state unknown: no breaker "opnai" changed its state');
  });

  test('asks the breaker itself when it has it', () => {
    const breaker = { name: 'groq', state: 'CLOSED' };
    const metric = new BreakerState({ breaker, state: 'closed' });
    expect(metric.evaluate(caseRun()).pass).toBe(true);
    breaker.state = 'HALF_OPEN';
    expect(metric.evaluate(caseRun())).toEqual({ pass: false, detail: 'groq is HALF_OPEN, not CLOSED' });
    expect(() => new BreakerState({ breaker: 'x', state: 'shut' as never })).toThrow(ConfigError);
  });
});

describe('BudgetBlocked', () => {
  const refusal = { version: 1, type: 'refusal', guard: 'budget', limit: 'daily' } as const;
  test('needs a refusal, of the guard and limit that it names', () => {
    const run = caseRun({ budgetEvents: [refusal], calls: [call('a')] });
    expect(new BudgetBlocked().evaluate(run)).toEqual({ pass: true, detail: 'daily limit' });
    expect(new BudgetBlocked({ limit: 'perRequest' }).evaluate(run)).toEqual({
      pass: false,
      detail: 'no such refusal; refused: budget by daily',
    });
    expect(new BudgetBlocked({ nothingSent: true }).evaluate(run).pass).toBe(false);
    expect(new BudgetBlocked().evaluate(caseRun())).toEqual({ pass: false, detail: 'no such refusal' });
  });
});
