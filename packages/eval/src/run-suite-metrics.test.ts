import { CallTimeoutError } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { ModelLedger } from '@synapsekit/testing/contracts';
import { expect, test } from 'vitest';
import { TrafficLab } from '../test/traffic-run.ts';
import { evalCase } from './eval-case.ts';
import type { RunResult } from './result.ts';
import { runCases } from './run-cases.ts';
import { EvalSuite } from './suite.ts';
import type { SuiteMetric } from './suite-metric.ts';
import type { ProviderTrafficOptions } from './traffic/traffic-options.ts';

const passes = evalCase('passes', ({ expect: its }) => its(1).toBe(1));

/** A run of a suite "together" in `a.eval.ts`, whose metrics ask a model and make nothing of a refusal. */
async function judged(
  lab: TrafficLab,
  questions: readonly string[],
  options: ProviderTrafficOptions,
  name: string | undefined = 'together',
): Promise<RunResult> {
  const traffic = lab.traffic(options);
  const ask = (content: string): Promise<Response> =>
    traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
      body: JSON.stringify({ model: 'gpt-4o', max_tokens: 10, messages: [{ role: 'user', content }] }),
    });
  const metrics = questions.map(
    (question): SuiteMetric<'passes'> => ({
      name: question,
      evaluateSuite: async () => {
        await (await ask(question)).text(); // whatever it was
        return { pass: true };
      },
    }),
  );
  const suite = new EvalSuite({ cases: [passes], metrics, ...(name !== undefined && { name }) });
  const plan = suite.plan().map((planned) => ({ ...planned, file: 'a.eval.ts' }));
  const load = { file: 'a.eval.ts', trial: 0, role: 'load', signal: new AbortController().signal } as const;
  if (options.mode?.endsWith('record') === true)
    await traffic.run(load, async () => (await ask('while loading')).text());
  const result = await runCases(plan, { traffic });
  await traffic.close();
  return result;
}

test.each([undefined, 'together'])(
  'what a suite metric asks is taped with its file, and a miss is an error whatever it makes of it (suite %s)',
  async (name) => {
    await using lab = await TrafficLab.open();
    expect(await judged(lab, ['good?'], { mode: 'record' }, name)).toMatchObject({ ok: true });
    expect(await lab.tape()).toContain('good?');
    expect(await judged(lab, ['good?'], { mode: 'replay' }, name)).toMatchObject({ ok: true });
    const missed = await judged(lab, ['bad?', 'good?'], { mode: 'replay' }, name);
    expect(missed.ok).toBe(false);
    expect(missed.suites[0]).toMatchObject({
      status: 'error',
      stop: 'replay-miss',
      metrics: [
        {
          name: 'bad?',
          pass: false,
          error: {
            name: 'replay-miss',
            message: expect.stringMatching(
              /no tape has this POST.*\nnearest: .* of the metrics on the suite/s,
            ),
          },
        },
        { name: 'good?', pass: true },
      ],
    });
    expect(missed.suites[0]?.metrics[0]?.error?.message).toContain('+ messages[0].content: "bad?"');
  },
);

test('rerecording replaces what suite metrics had asked, and nothing of the file', async () => {
  await using lab = await TrafficLab.open();
  await judged(lab, ['one?', 'two?'], { mode: 'record' });
  await judged(lab, ['one?', 'three?'], { mode: 'rerecord' });
  const tape = await lab.tape();
  expect(['while loading', 'one?', 'two?', 'three?'].map((text) => tape.includes(text))).toEqual([
    true,
    true,
    false,
    true,
  ]);
});

test('what the budget does not allow is not judged', async () => {
  await using lab = await TrafficLab.open();
  const budget = { limitUsd: '0.000001', ledger: new ModelLedger(new ManualClock()) };
  const { suites, ok } = await judged(lab, ['good?'], { budget });
  expect(ok).toBe(false);
  expect(suites[0]).toMatchObject({
    status: 'not-run',
    stop: 'budget',
    metrics: [{ pass: false, detail: expect.stringMatching(/^not judged: budget: /) }],
  });
});

test('a suite metric has as much time as a case, then it is told to stop and the next is judged', async () => {
  const reasons: unknown[] = [];
  const hangs: SuiteMetric<'passes'> = {
    name: 'hangs',
    evaluateSuite: ({ signal }) =>
      new Promise(() => signal.addEventListener('abort', () => reasons.push(signal.reason))),
  };
  const plan = new EvalSuite({
    cases: [passes],
    metrics: [hangs, { name: 'next', evaluateSuite: () => ({ pass: true }) }],
  }).plan();
  const { suites, ok } = await runCases(plan, { timeoutMs: 20 });
  expect(ok).toBe(false);
  expect(suites[0]).toEqual({
    status: 'error',
    metrics: [
      {
        name: 'hangs',
        pass: false,
        error: {
          name: 'Error',
          message: 'it did not end within 20 ms; a longer time is set with timeoutMs',
          stack: [],
        },
      },
      { name: 'next', pass: true },
    ],
  });
  expect(reasons).toEqual([expect.any(CallTimeoutError)]);
});

test('the time of the suite goes before that of the run; an interruption ends a metric at once', async () => {
  const hangs: SuiteMetric<'passes'> = { name: 'hangs', evaluateSuite: () => new Promise(() => {}) };
  const timed = new EvalSuite({ cases: [passes], metrics: [hangs], timeoutMs: 15 });
  const { suites } = await runCases(timed.plan());
  expect(suites[0]?.metrics[0]?.error?.message).toContain('within 15 ms');
  const controller = new AbortController();
  const interrupts: SuiteMetric<'passes'> = {
    name: 'interrupts',
    evaluateSuite: () => {
      controller.abort(new Error('enough'));
      return new Promise(() => {});
    },
  };
  const plan = new EvalSuite({ cases: [passes], metrics: [interrupts] }).plan();
  expect(await runCases(plan, { signal: controller.signal })).toMatchObject({ suites: [] });
});
