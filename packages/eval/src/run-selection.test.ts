import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { paidModel } from '../test/paid-model.ts';
import type { EvalCase } from './case.ts';
import { evalCase } from './eval-case.ts';
import { MaxTotalCostUSD } from './max-total-cost-usd.ts';
import type { CaseResult, RunResult } from './result.ts';
import { type RunOptions, runCases, runSuite } from './run-cases.ts';
import { EvalSuite, type PlannedCase, planCase } from './suite.ts';
import type { TrafficController } from './traffic-control.ts';

const passes = (name: string, options = {}): EvalCase =>
  evalCase(name, options, ({ expect: its }) => its(1).toBe(1));
const fails = (name: string, options = {}): EvalCase =>
  evalCase(name, options, ({ expect: its }) => its(1).toBe(2));
const run = (cases: readonly EvalCase[], options?: RunOptions): Promise<RunResult> =>
  runCases(cases.map(planCase), options);
const statuses = ({ cases }: RunResult): string[] => cases.map(({ status }) => status);

describe('cases that a file leaves out', () => {
  test('are reported, do not run, and are neither passes nor failures', async () => {
    let ran = 0;
    const result = await run([
      passes('a'),
      evalCase.skip('b', () => void ran++),
      evalCase('c', { skip: 'no key' }, () => void ran++),
      evalCase.todo('d'),
    ]);
    expect(statuses(result)).toEqual(['passed', 'skipped', 'skipped', 'todo']);
    expect(result.cases[2]?.reason).toBe('no key');
    expect(result).toMatchObject({ ok: true, passed: 1, failed: 0 });
    expect(ran).toBe(0);
  });

  test('are all others when some are marked "only"', async () => {
    const result = await run([
      passes('a'),
      evalCase.only('b', ({ expect: its }) => its(1).toBe(1)),
      evalCase.todo('c'),
    ]);
    expect(statuses(result)).toEqual(['skipped', 'passed', 'todo']);
  });

  test('alone do not make a run that passed', async () => {
    expect((await run([evalCase.todo('a')])).ok).toBe(false);
    expect((await run([])).ok).toBe(false);
  });
});

describe('retry', () => {
  test('runs a case again until it passes, counts the cost of all tries, and calls it flaky', async () => {
    const model = paidModel({ usd: '0.5' });
    const tries: number[] = [];
    const flaky = evalCase('flaky', { retry: 3 }, async ({ expect: its, trial }) => {
      tries.push(trial);
      await model.generate('x');
      its(trial).toBe(2);
    });
    const result = await run([flaky]);
    expect(tries).toEqual([0, 1, 2]);
    expect(result.cases[0]).toMatchObject({
      status: 'passed',
      flaky: true,
      reason: 'it passed only at try 3',
      cost: { usd: '1.5', calls: 3 },
    });
    expect(result.cases[0]?.trials?.map(({ status }) => status)).toEqual(['failed', 'failed', 'passed']);
    expect(result).toMatchObject({ ok: true, flaky: 1 });
  });

  test('gives up after so many, and never runs again what nothing judges', async () => {
    let unchecked = 0;
    const result = await run([fails('a'), evalCase('b', () => void unchecked++)], { retry: 2 });
    expect(result.cases[0]).toMatchObject({ status: 'failed', reason: 'none of 3 tries passed' });
    expect(result.cases[0]?.flaky).toBeUndefined();
    expect(unchecked).toBe(1);
  });

  test('of the case goes before that of its suite, which goes before that of the run', async () => {
    let count = 0;
    const counting = (name: string, options = {}): EvalCase =>
      evalCase(name, options, ({ expect: its }) => {
        count++;
        its(1).toBe(2);
      });
    await runSuite(new EvalSuite({ cases: [counting('a', { retry: 0 }), counting('b')], retry: 1 }), {
      retry: 5,
    });
    expect(count).toBe(1 + 2);
  });
});

describe('trials', () => {
  test('run a case so many times; one that fails fails it, and shows', async () => {
    const sometimes = evalCase('sometimes', { trials: 4 }, ({ expect: its, trial }) =>
      its(trial).not.toBe(1),
    );
    const result = await run([sometimes, passes('always')], { trials: 2 });
    expect(result.cases[0]).toMatchObject({
      status: 'failed',
      reason: '3 of 4 trials passed',
      flaky: true,
      error: { message: 'expected 1 not to be 1' },
    });
    expect(result.cases[1]).toMatchObject({
      status: 'passed',
      trials: [{ status: 'passed' }, { status: 'passed' }],
    });
    expect(result.flaky).toBe(0); // a case that failed is no pass, flaky or not
  });

  test('that were interrupted make a case that did not run', async () => {
    const controller = new AbortController();
    const stops = evalCase('stops', { trials: 3 }, ({ expect: its, trial }) => {
      its(1).toBe(1);
      if (trial === 1) controller.abort(new Error('enough'));
    });
    const result = await run([stops], { signal: controller.signal });
    expect(result.cases[0]?.status).toBe('not-run');
    expect(result.ok).toBe(false);
  });
});

describe('a run', () => {
  test('ends, and lets go of everything, when the results of an earlier run cannot be read', async () => {
    const clock = new ManualClock();
    const prior = (planned: PlannedCase): undefined => {
      if (planned.case.name === 'b') throw new Error('no journal');
    };
    const plan = ['a', 'b', 'c'].map((name) => planCase(passes(name)));
    await expect(runCases(plan, { clock, prior, concurrency: 2 })).rejects.toThrow('no journal');
    expect(clock.pending).toBe(0);
  });

  test('ends, and lets go of everything, when who stands at the HTTP boundary breaks', async () => {
    const clock = new ManualClock();
    const traffic: TrafficController = {
      admit: () => Promise.reject(new Error('no budget')),
      run: (_, fn) => fn(),
      report: () => undefined,
      total: () => ({ billedUsd: '0', requests: 0, replayed: 0, recorded: 0 }),
      close: async () => {},
    };
    await expect(runCases([planCase(passes('a'))], { clock, traffic })).rejects.toThrow('no budget');
    expect(clock.pending).toBe(0);
    const total = (): never => {
      throw new Error('no total');
    };
    const { admit: _, ...rest } = traffic;
    const broken = runCases([planCase(passes('a'))], { clock, traffic: { ...rest, total } });
    await expect(broken).rejects.toThrow('no total');
    expect(clock.pending).toBe(0);
  });

  test('ends early for unchecked cases only where those count as failed', async () => {
    const plan = [evalCase('a', () => 'x'), passes('b')].map((each) => planCase(each));
    const loose = await runCases(plan, { bail: 1, concurrency: 1, strict: false });
    expect(statuses(loose)).toEqual(['unchecked', 'passed']);
    const strict = await runCases(plan, { bail: 1, concurrency: 1 });
    expect(statuses(strict)).toEqual(['unchecked', 'not-run']);
  });

  test('begins no more cases once so many have not passed', async () => {
    const result = await run([fails('a'), passes('b'), fails('c'), passes('d')], { bail: 2, concurrency: 1 });
    expect(statuses(result)).toEqual(['failed', 'passed', 'failed', 'not-run']);
    expect(result.cases[3]?.reason).toBe('the run ended early, after 2 cases had not passed');
  });

  test('counts what nothing judged as failed, unless it is told not to', async () => {
    const cases = [passes('a'), evalCase('b', () => 1)];
    expect(await run(cases)).toMatchObject({ ok: false, failed: 1 });
    expect(await run(cases, { strict: false })).toMatchObject({
      ok: true,
      failed: 0,
      byStatus: { unchecked: 1 },
    });
    expect((await run([evalCase('b', () => 1)], { strict: false })).ok).toBe(false);
  });

  test('gives each case random numbers that seed, name and trial determine', async () => {
    const drawn: Record<string, number[]> = {};
    const draws = (name: string): EvalCase =>
      evalCase(name, ({ random, expect: its }) => {
        its(1).toBe(1);
        drawn[name] = [random(), random()];
      });
    const cases = [draws('a'), draws('b')];
    const { seed } = await run(cases, { seed: 7 });
    const first = structuredClone(drawn);
    await run(cases.toReversed(), { seed: 7 });
    expect(drawn).toEqual(first);
    expect(seed).toBe(7);
    expect(first.a).not.toEqual(first.b);
    await run(cases, { seed: 8 });
    expect(drawn.a).not.toEqual(first.a);
    const { seed: chosen } = await run(cases, { random: () => 0.25 });
    expect(chosen).toBe(2 ** 29);
  });

  test('shuffles by its seed, and reports in the order of definition', async () => {
    const orders = await Promise.all(
      [3, 3, 4].map(async (seed) => {
        const order: string[] = [];
        const cases = Array.from({ length: 12 }, (_, n) =>
          evalCase(`${n}`, ({ name, expect: its }) => {
            order.push(name);
            its(1).toBe(1);
          }),
        );
        const { cases: results } = await run(cases, { seed, shuffle: true, concurrency: 1 });
        expect(results.map(({ name }) => Number(name))).toEqual(results.map((_, n) => n));
        return order;
      }),
    );
    expect(orders[0]).toEqual(orders[1]);
    expect(orders[0]).not.toEqual(orders[2]);
    expect(orders[0]?.toSorted()).toEqual(orders[2]?.toSorted());
  });

  test('goes on with earlier results: it does not run them again, and counts what they cost', async () => {
    const model = paidModel({ usd: '0.5' });
    const cases = ['a', 'b'].map((name) =>
      evalCase(name, { maxCostUsd: 1 }, async () => void (await model.generate('x'))),
    );
    const { cases: before } = await run(cases.slice(0, 1));
    const prior = (planned: PlannedCase): CaseResult | undefined =>
      planned.case.name === 'a' ? before[0] : undefined;
    const result = await run(cases, { prior });
    expect(result.cases[0]).toBe(before[0]);
    expect(result).toMatchObject({ passed: 2, cost: { usd: '1', calls: 2 } });
  });

  test('refuses options that make no sense', async () => {
    await expect(run([], { retry: 1, trials: 2 })).rejects.toThrow(ConfigError);
    await expect(run([], { bail: 0 })).rejects.toThrow(ConfigError);
    await expect(run([], { seed: -1 })).rejects.toThrow(ConfigError);
    await expect(run([], { sed: 1 } as never)).rejects.toThrow('no option "sed"');
  });

  test('tells which part of a case runs', async () => {
    const steps: string[] = [];
    const metrics = [
      async function isThere() {
        await sleep(1);
        return true;
      },
    ];
    await run([evalCase('a', { metrics }, () => 'x')], {
      observers: [{ onCaseStep: (step, index) => void steps.push(`${index} ${step}`) }],
    });
    expect(steps).toEqual(['0 ', '0 isThere']);
  });
});

describe('a suite as a whole', () => {
  const model = paidModel({ usd: '0.5' });
  const paid = (name: string): EvalCase =>
    evalCase(name, async ({ expect: its }) => its((await model.generate('x')).text).toContain('1991'));

  test('is judged after its cases, and fails the run', async () => {
    const suite = new EvalSuite({
      name: 'together',
      cases: [paid('a'), paid('b')],
      metrics: [new MaxTotalCostUSD({ threshold: 0.9 })],
    });
    const result = await runSuite(suite);
    expect(result.suites).toEqual([
      {
        name: 'together',
        status: 'failed',
        metrics: [{ name: 'MaxTotalCostUSD', pass: false, detail: '$1.00 > $0.90' }],
      },
    ]);
    expect(result).toMatchObject({ ok: false, passed: 2, failed: 0 });
  });

  test('is not judged when some of its cases did not run', async () => {
    const controller = new AbortController();
    const stops = evalCase('stops', ({ expect: its }) => {
      its(1).toBe(1);
      controller.abort(new Error('enough'));
    });
    const suite = new EvalSuite({
      cases: [stops, paid('b')],
      metrics: [new MaxTotalCostUSD({ threshold: 9 })],
    });
    const { suites, ok } = await runSuite(suite, { signal: controller.signal, concurrency: 1 });
    expect(suites[0]).toMatchObject({ status: 'not-run' });
    expect(ok).toBe(false);
  });

  test('sees the cases that the metric applies to, all their trials, and whose crash is an error', async () => {
    const seen: unknown[] = [];
    const looks = {
      name: 'looks',
      applyTo: ['a'],
      evaluateSuite: ({
        cases,
        cost,
        total,
      }: {
        cases: readonly CaseResult[];
        cost: { calls: number };
        total: number;
      }) => {
        seen.push([cases.map(({ name }) => name), cost.calls, total]);
        return { pass: true };
      },
    } as const;
    const crashes = {
      name: 'crashes',
      evaluateSuite: (): never => {
        throw new Error('oh');
      },
    };
    const suite = new EvalSuite({ cases: [paid('a'), paid('b')], metrics: [looks, crashes], trials: 3 });
    const { suites } = await runSuite(suite);
    expect(seen).toEqual([[['a'], 3, 1]]);
    expect(suites[0]).toMatchObject({
      status: 'error',
      metrics: [{ pass: true }, { error: { message: 'oh' } }],
    });
  });

  test('can be one case: its trials together', async () => {
    const each = evalCase(
      'each',
      { trials: 2, metrics: [new MaxTotalCostUSD({ threshold: 0.9 })] },
      async ({ expect: its }) => its((await model.generate('x')).text).toContain('1991'),
    );
    const { suites, cases } = await run([each]);
    expect(cases[0]?.status).toBe('passed');
    expect(suites[0]).toMatchObject({ name: 'each', status: 'failed' });
  });

  test('does not check its cases: one that only the suite judges is unchecked', async () => {
    const suite = new EvalSuite({
      cases: [evalCase('a', async () => void (await model.generate('x')))],
      metrics: [new MaxTotalCostUSD({ threshold: 9 })],
    });
    const { cases } = await runSuite(suite);
    expect(cases[0]).toMatchObject({
      status: 'unchecked',
      reason: expect.stringContaining('nothing about one case'),
    });
  });
});
