import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { paidModel } from '../test/paid-model.ts';
import { ContainsKeywords } from './contains-keywords.ts';
import { evalCase } from './eval-case.ts';
import { MaxCostUSD } from './max-cost-usd.ts';
import { type RunOptions, runCases, runSuite } from './run-cases.ts';
import { EvalSuite, type PlannedCase, planCase } from './suite.ts';
import { createTextReporter } from './text-reporter.ts';

const untyped = undefined as never;

const print = async (
  plan: readonly PlannedCase[],
  options: RunOptions & { color?: boolean } = {},
): Promise<string> => {
  const { color, ...runOptions } = options;
  let text = '';
  const reporter = createTextReporter({ write: (part) => (text += part), color });
  await runCases(plan, { ...runOptions, observers: [reporter] });
  return text;
};

describe('the text reporter', () => {
  test('prints the output of the tutorial, character for character', async () => {
    const cheap = paidModel({ usd: '0.0000023' });
    const good = paidModel({ usd: '0.0312' });
    const suite = new EvalSuite({
      cases: [
        // The first ends last: the order is that of the definition.
        evalCase('test_simple_query_cheap', async () => {
          await sleep(5);
          return { output: (await cheap.generate('What year was Python first released?')).text };
        }),
        evalCase('test_complex_query_quality', () => good.generate('Explain merge sort.')),
        evalCase('test_budget_guard_blocks', async ({ expect: its }) => its(true).toBe(true)),
      ],
      metrics: [
        new MaxCostUSD({ threshold: 0.001, applyTo: ['test_simple_query_cheap'] }),
        new MaxCostUSD({ threshold: 0.1, applyTo: ['test_complex_query_quality'] }),
      ],
    });
    let text = '';
    const result = await runSuite(suite, {
      observers: [createTextReporter({ write: (part) => (text += part) })],
    });
    expect(result.ok).toBe(true);
    expect(text).toBe(`Running 3 eval case(s)...

test_simple_query_cheap ✓
  MaxCostUSD ... PASS ($0.0000023 < $0.001)

test_complex_query_quality ✓
  MaxCostUSD ... PASS ($0.0312 < $0.10)

test_budget_guard_blocks ✓
  (no cost metrics — structural test)

3 passed, 0 failed | total cost: $0.0312
`);
  });

  test('says why a case did not pass', async () => {
    const model = paidModel({ usd: '0.1404', answer: () => 'Bubble sort\nis "slow".' });
    const plan = new EvalSuite({
      cases: [
        evalCase('dear', { maxCostUsd: 0.1 }, async () => ({
          output: (await model.generate('x')).text,
          costUsd: 0.14,
        })),
        evalCase('unchecked', () => ({ blocked: false })),
        evalCase('wrong', ({ expect: its }) => its({ a: 1 }).toEqual({ a: 2 })),
        evalCase('crashes', () => {
          throw new TypeError('boom', { cause: new Error('the reason') });
        }),
      ],
      metrics: [
        new ContainsKeywords({ keywords: ['merge', 'sort'], applyTo: ['dear'] }),
        {
          name: 'Judge',
          applyTo: ['dear'],
          evaluate() {
            throw new RangeError('no answer');
          },
        },
      ],
    }).plan();
    const text = (await print(plan)).replaceAll(
      /^( +)at .*text-reporter\.test\.ts:\d+:\d+\)?$/gm,
      '$1at HERE',
    );
    expect(text).toBe(`Running 4 eval case(s)...

dear ✗
  MaxCostUSD ... FAIL ($0.14 > $0.10)
  ContainsKeywords ... FAIL (1/2 keywords found, missing: "merge")
  Judge ... ERROR
    RangeError: no answer
      at HERE
  output: "Bubble sort\\nis \\"slow\\"."
  the case reports a cost of $0.14; measured, and judged: $0.1404

unchecked ✗
  unchecked: nothing judged it: no metric applies to it, and it asserted nothing with its own expect

wrong ✗
  failed: expected { a: 1 } to equal { a: 2 }
    at HERE

crashes ✗
  TypeError: boom
    at HERE
    caused by Error: the reason
      at HERE

0 passed, 4 failed (2 errors, 1 unchecked) | total cost: $0.14
`);
  });

  test('says what the total lacks, and what judges cost', async () => {
    const [app, loose, judge] = [
      paidModel({ usd: '0.5' }),
      paidModel({ trackers: 0 }),
      paidModel({ usd: '2' }),
    ];
    const plan = new EvalSuite({
      cases: [evalCase('a', () => app.generate('x')), evalCase('b', () => loose.generate('x'))],
      metrics: [async () => (await judge.generate('good?')).text !== ''],
    }).plan();
    const text = await print(plan);
    expect(text).toContain(
      '2 passed, 0 failed | total cost: at least $4.50 (judges: $4.00, no tracker recorded 1 call to local/paid)\n',
    );
  });

  test('does not mind the last digits of a floating-point sum that a case reports', async () => {
    const model = paidModel({ usd: '0.3' });
    const sums = evalCase('sums', { maxCostUsd: 1 }, async () => {
      await model.generate('x');
      return { costUsd: 0.1 + 0.2 };
    });
    expect(await print([planCase(sums)])).not.toContain('reports');
  });

  test('prints a latency that a case reports only where latency is judged', async () => {
    const make = (name: string, maxLatencyMs?: number) =>
      evalCase(name, { maxLatencyMs }, async ({ expect: its }) => {
        its(1).toBe(1);
        return { latencyMs: 90_000 };
      });
    expect(await print([planCase(make('untimed'))])).not.toContain('reports');
    expect(await print([planCase(make('timed', 5_000))])).toMatch(
      /reports 90000 ms; measured, and judged: [\d.]+ ms\n/,
    );
  });

  test('names the files where there are several', async () => {
    const plan = ['a', 'b', 'c'].map((name) => ({
      ...planCase(evalCase(name, ({ expect: its }) => its(1).toBe(1))),
      file: name === 'c' ? 'two.eval.ts' : 'one.eval.ts',
    }));
    const text = await print(plan);
    expect(
      text
        .split('\n')
        .filter((line) => /^\S/.test(line))
        .slice(1, -1),
    ).toEqual(['one.eval.ts', 'a ✓', 'b ✓', 'two.eval.ts', 'c ✓']);
    expect(await print(plan.slice(0, 2))).not.toContain('one.eval.ts');
  });

  test('names the suites where there are several, since their cases may share names', async () => {
    const suites = ['A', 'B'].map(
      (name) => new EvalSuite({ name, cases: [evalCase('same', ({ expect: its }) => its(1).toBe(1))] }),
    );
    const plan = suites.flatMap((suite) => suite.plan());
    expect((await print(plan)).match(/^(?:A|B|same ✓)$/gm)).toEqual(['A', 'same ✓', 'B', 'same ✓']);
    const filed = plan.map((each) => ({ ...each, file: 'x.eval.ts' }));
    expect(await print(filed)).toContain('\nx.eval.ts › B\n');
  });

  test('prints what a metric says on one line, without commands to the terminal', async () => {
    const rude = evalCase(
      'rude',
      { metrics: [() => ({ pass: false, detail: 'two\nlines \u001b[2J' })] },
      () => {},
    );
    expect(await print([planCase(rude)])).toContain('  metric 1 ... FAIL (two lines  [2J)\n');
  });

  test('does not take the latency of a generation that a case returns for a report of its own', async () => {
    const timed = evalCase('timed', { maxLatencyMs: 5_000 }, async () => ({
      ...(await paidModel().generate('x')),
      latencyMs: 90_000,
    }));
    expect(await print([planCase(timed)])).not.toContain('reports');
  });

  test('prints no frames of its own for a metric without a verdict', async () => {
    const mute = evalCase('mute', { metrics: [() => untyped] }, () => {});
    expect(await print([planCase(mute)])).toMatch(
      /TypeError: The metric "metric 1" must return true, false or .* got undefined\.\n\n0 passed/,
    );
  });

  test('counts what was not run apart', async () => {
    const plan = [planCase(evalCase('a', ({ expect: its }) => its(1).toBe(1)))];
    const text = await print(plan, { signal: AbortSignal.abort() });
    expect(text).toContain('a -\n  not run: the run was interrupted before it began\n');
    expect(text).toContain('0 passed, 0 failed, 1 not run | total cost: $0.00\n');
  });

  test('colours only when asked to', async () => {
    const plan = [planCase(evalCase('a', ({ expect: its }) => its(1).toBe(1)))];
    expect(await print(plan)).not.toContain('\u001b');
    expect(await print(plan, { color: true })).toContain('a \u001b[32m✓\u001b[39m');
  });
});
