import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, startAttempt } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { paidModel, publish } from '../test/paid-model.ts';
import type { EvalCase } from './case.ts';
import { crashCase } from './case-scope.ts';
import { evalCase } from './eval-case.ts';
import { MaxCostUSD } from './max-cost-usd.ts';
import { MaxLatencyMs } from './max-latency-ms.ts';
import type { CaseResult } from './result.ts';
import { runCase, runCases, runSuite } from './run-cases.ts';
import { EvalSuite, planCase } from './suite.ts';

const never = new Promise<never>(() => {});
const planOf = (cases: readonly EvalCase[]) => cases.map((each) => planCase(each));

describe('a case', () => {
  test('passes when a metric judged it and held', async () => {
    const model = paidModel({ usd: '0.0000023' });
    const result = await runCase(
      evalCase('cheap', { maxCostUsd: 0.001 }, async () => ({ output: (await model.generate('x')).text })),
    );
    expect(result).toMatchObject({
      status: 'passed',
      metrics: [{ name: 'MaxCostUSD', pass: true, detail: '$0.0000023 < $0.001' }],
      cost: { usd: '0.0000023', calls: 1, missingCalls: 0 },
    });
  });

  test('passes when it asserted for itself', async () => {
    const result = await runCase(evalCase('own', ({ expect: its }) => its(1).toBe(1)));
    expect(result).toMatchObject({ status: 'passed', assertions: 1, metrics: [] });
  });

  test('that nothing judges is unchecked, whatever it returns', async () => {
    for (const value of [undefined, true, { blocked: true }, { output: 'fine', score: 1 }]) {
      const result = await runCase(evalCase('nothing', () => value));
      expect(result).toMatchObject({ status: 'unchecked', assertions: 0 });
    }
  });

  test('fails by an assertion that failed while it was judged, also if it caught its error', async () => {
    const late = evalCase(
      'late',
      {
        metrics: [
          async () => {
            await sleep(10);
            return true;
          },
        ],
      },
      ({ expect: its }) => {
        setTimeout(() => {
          try {
            its(1).toBe(2);
          } catch {}
        }, 2);
      },
    );
    expect(await runCase(late)).toMatchObject({ status: 'failed', error: { message: 'expected 1 to be 2' } });
  });

  test('never passes a cost metric without a measured cost', async () => {
    const loose = paidModel({ trackers: 0, model: 'loose' });
    const unpriced = paidModel({ unpriced: true, model: 'new' });
    const cases = [
      evalCase('no call', { maxCostUsd: 1 }, () => ({ output: 'x', costUsd: 0 })),
      evalCase('no record', { maxCostUsd: 1 }, async () => void (await loose.generate('x'))),
      evalCase('no price', { maxCostUsd: 1 }, async () => void (await unpriced.generate('x'))),
      evalCase('a cost that it made up', { maxCostUsd: 1 }, () => ({ costUsd: 0.5 })),
    ];
    const { cases: results } = await runCases(planOf(cases));
    expect(results.map(({ status, metrics }) => [status, metrics[0]?.detail])).toEqual([
      ['failed', 'cost unknown: no call was recorded'],
      ['failed', 'cost unknown: no tracker recorded 1 call to local/loose'],
      ['failed', 'cost unknown: no price for local/new'],
      ['failed', 'cost unknown: no call was recorded'],
    ]);
  });

  test('is judged by the measured cost, not by the one it reports', async () => {
    const model = paidModel({ usd: '0.5' });
    const lies = evalCase('lies', { maxCostUsd: 0.1 }, async () => {
      await model.generate('x');
      return { costUsd: 0.01 };
    });
    expect(await runCase(lies)).toMatchObject({
      status: 'failed',
      metrics: [{ detail: '$0.50 > $0.10' }],
      cost: { usd: '0.5', reportedUsd: '0.01' },
    });
  });

  test('whose reported cost is no amount is an error', async () => {
    for (const costUsd of [Number.NaN, -1, 'cheap', null]) {
      const result = await runCase(evalCase('x', { metrics: [() => true] }, () => ({ costUsd })));
      expect(result).toMatchObject({ status: 'error', error: { name: 'ConfigError' } });
    }
  });

  test('waits for calls that it left running, so that they are paid for', async () => {
    const model = paidModel({ usd: '0.5', answer: () => sleep(5, 'late') });
    const hasty = evalCase('hasty', { maxCostUsd: 1 }, () => void model.generate('x'));
    expect(await runCase(hasty)).toMatchObject({ status: 'passed', cost: { usd: '0.5' } });
  });

  test('that leaves a call running for too long is an error that says so', async () => {
    const clock = new ManualClock();
    const model = paidModel({ answer: () => never });
    const running = runCase(
      evalCase('leaves', { timeoutMs: 50 }, () => void model.generate('x')),
      { clock },
    );
    await clock.advance(50);
    await clock.advance(500); // nobody listens: the grace time is over as well
    expect(await running).toMatchObject({
      status: 'error',
      reason: expect.stringMatching(/^a call that it left running did not end within 50 ms/),
      cost: { missing: ['1 call still running'] },
    });
  });

  test('that returns something hostile is judged all the same', async () => {
    const hostile = new Proxy(
      {},
      {
        has: () => {
          throw new Error('no');
        },
      },
    );
    expect(await runCase(evalCase('hostile', { metrics: [() => false] }, () => hostile))).toMatchObject({
      status: 'failed',
    });
  });

  test('that crashes is an error with its stack, never a score', async () => {
    const result = await runCase(
      evalCase('crash', { maxCostUsd: 1 }, async () => {
        throw new TypeError('boom');
      }),
    );
    expect(result).toMatchObject({
      status: 'error',
      error: { name: 'TypeError', message: 'boom' },
      metrics: [],
    });
    expect(result.error?.stack[0]).toContain('run-cases.test.ts');
  });

  test('fails by an assertion, with its words, also one that it caught or did not wait for', async () => {
    const cases = [
      evalCase('thrown', ({ expect: its }) => its(5).toBe(4)),
      evalCase('caught', ({ expect: its }) => {
        its(1).toBe(1);
        try {
          its(5).toBe(4);
        } catch {}
      }),
      evalCase('floating', ({ expect: its }) => {
        its(1).toBe(1);
        void its(sleep(1, 5)).resolves.toBe(4);
      }),
    ];
    const { cases: results } = await runCases(planOf(cases));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'failed', error: { message: 'expected 5 to be 4' } });
    }
  });

  test('that does not end is aborted when its time is up, whether it listens or not', async () => {
    const clock = new ManualClock();
    const reasons: unknown[] = [];
    const deaf = evalCase('deaf', { timeoutMs: 50 }, () => never);
    const listening = evalCase('listening', ({ signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return never;
    });
    const running = runCases(planOf([deaf, listening]), { clock, timeoutMs: 200 });
    await clock.advance(100);
    expect(reasons).toEqual([]);
    await clock.advance(100);
    const { cases } = await running;
    expect(cases.map(({ status, reason }) => [status, reason])).toEqual([
      ['error', 'it did not end within 50 ms; a longer time is set with timeoutMs'],
      ['error', 'it did not end within 200 ms; a longer time is set with timeoutMs'],
    ]);
    expect(reasons).toMatchObject([{ code: 'timeout', timeoutMs: 200 }]);
    expect(clock.pending).toBe(0);
  });

  test('counts what its aborted calls cost, also if they take a moment to end', async () => {
    const slow = evalCase('slow', { timeoutMs: 10 }, ({ signal }) => {
      const llm = { provider: 'local', model: 'm', id: 'local/m' };
      const attempt = startAttempt({ llm, options: {}, stream: false });
      signal.addEventListener('abort', () =>
        setTimeout(() => {
          attempt.end({ outcome: 'partial' });
          publish(attempt.attemptId, { usd: '0.5' });
        }, 5),
      );
      return never;
    });
    expect(await runCase(slow)).toMatchObject({ status: 'error', cost: { usd: '0.5', missingCalls: 0 } });
  });

  test('ends as an error when the host finds that it left an error behind', async () => {
    const stray = evalCase('stray', async ({ expect: its }) => {
      its(1).toBe(1);
      setTimeout(() => expect(crashCase(new Error('in a timer'))).toBe(true), 1);
      await never;
    });
    expect(await runCase(stray)).toMatchObject({ status: 'error', error: { message: 'in a timer' } });
    expect(crashCase(new Error('nobody runs'))).toBe(false);
  });

  test('that has ended takes blame only if it did not pass: a pass with errors behind it is the host’s to judge', async () => {
    const blamed: boolean[] = [];
    const leaves = (name: string, holds: boolean) =>
      evalCase(name, ({ expect: its }) => {
        setTimeout(() => blamed.push(crashCase(new Error('late'))), 5);
        its(holds).toBe(true);
      });
    await runCase(leaves('failed', false));
    await sleep(10);
    await runCase(leaves('passed', true));
    await sleep(10);
    expect(blamed).toEqual([true, false]);
  });
});

describe('a metric', () => {
  const judged = (metric: () => unknown): Promise<CaseResult> =>
    runCase(evalCase('judged', { metrics: [metric as () => boolean] }, () => 'x'));

  test('that is a plain function says true or false, or more', async () => {
    expect(await judged(() => true)).toMatchObject({ status: 'passed' });
    expect(await judged(() => false)).toMatchObject({ status: 'failed' });
    expect(await judged(async () => ({ pass: false, detail: '3 of 5' }))).toMatchObject({
      status: 'failed',
      metrics: [{ pass: false, detail: '3 of 5' }],
    });
  });

  test('that says nothing, or something like true, is an error and no pass', async () => {
    for (const verdict of [undefined, null, 1, 'yes', {}, { pass: 'yes' }]) {
      const result = await judged(() => verdict);
      expect(result).toMatchObject({ status: 'error', metrics: [{ pass: false }] });
      expect(result.metrics[0]?.error?.message).toMatch(/must return true, false/);
    }
  });

  test('that crashes is an error; one that asserts fails', async () => {
    const crash = (): never => {
      throw new RangeError('boom');
    };
    expect(await judged(crash)).toMatchObject({ status: 'error', metrics: [{ error: { message: 'boom' } }] });
    expect(await judged(() => expect(1).toBe(2))).toMatchObject({
      status: 'failed',
      metrics: [{ pass: false }],
    });
  });

  test('that hangs uses up the time of the case', async () => {
    const clock = new ManualClock();
    const running = runCase(
      evalCase('x', { metrics: [() => never], timeoutMs: 50 }, () => 'x'),
      { clock },
    );
    await clock.advance(50);
    expect(await running).toMatchObject({
      status: 'error',
      reason: expect.stringMatching(/^its metric .* did not end within 50 ms/),
    });
  });

  test('that asks a model is paid for by the run, not by the case', async () => {
    const [app, judge] = [paidModel({ usd: '0.25' }), paidModel({ usd: '4' })];
    const suite = new EvalSuite({
      cases: [
        evalCase('a', { maxCostUsd: 1 }, () => app.generate('x')),
        evalCase('b', () => app.generate('x')),
      ],
      metrics: [async () => (await judge.generate('is it good?')).text !== ''],
    });
    const result = await runSuite(suite);
    expect(result).toMatchObject({
      ok: true,
      cost: { usd: '8.5', calls: 4 },
      judgeCost: { usd: '8', calls: 2 },
    });
    expect(result.cases.map(({ cost }) => cost.usd)).toEqual(['0.25', '0.25']);
  });
});

describe('a run', () => {
  test('keeps a thousand cases apart and its results in order, at most as many at a time as it may', async () => {
    let [running, most] = [0, 0];
    const cases = Array.from({ length: 1_000 }, (_, index) => {
      const model = paidModel({
        usd: `0.${String(index + 1).padStart(6, '0')}`,
        answer: () => sleep(index % 3, 'x'),
      });
      return evalCase(`case ${index}`, { maxCostUsd: 1 }, async () => {
        running++;
        most = Math.max(most, running);
        await model.generate('x');
        running--;
      });
    });
    const { cases: results, cost, ok } = await runCases(planOf(cases), { concurrency: 50 });
    expect(most).toBe(50);
    expect(ok).toBe(true);
    expect(cost).toMatchObject({ usd: '0.5005', calls: 1_000 });
    expect(
      results.filter(
        ({ name, cost }, index) => name !== `case ${index}` || Number(cost.usd) !== (index + 1) / 1e6,
      ),
    ).toEqual([]);
  });

  test('lets cases under a latency limit run alone', async () => {
    const events: string[] = [];
    const make = (name: string, maxLatencyMs?: number) =>
      evalCase(name, { maxLatencyMs }, async ({ expect: its }) => {
        events.push(`${name}(`);
        await sleep(2);
        events.push(`)${name}`);
        its(1).toBe(1);
      });
    await runCases(planOf([make('a'), make('b'), make('timed', 1_000), make('c'), make('d')]));
    const text = events.join(' ');
    expect(text).toContain('timed( )timed');
    expect(text).toMatch(/^a\( b\( .*timed\( \)timed c\( d\(/);
  });

  test('is not ok without cases', async () => {
    expect(await runCases([])).toMatchObject({ ok: false, total: 0 });
  });

  test('that is interrupted aborts what runs, begins nothing more, and tells what there is', async () => {
    const controller = new AbortController();
    const begun: string[] = [];
    const make = (name: string, fn: () => Promise<unknown>) =>
      evalCase(name, ({ expect: its }) => {
        begun.push(name);
        its(1).toBe(1);
        return fn();
      });
    const cases = [
      make('done', async () => {}),
      make('hangs', async () => {
        controller.abort(new Error('SIGINT'));
        await never;
      }),
      make('waits', async () => {}),
    ];
    const result = await runCases(planOf(cases), { signal: controller.signal, concurrency: 1 });
    expect(begun).toEqual(['done', 'hangs']);
    expect(result).toMatchObject({ ok: false, passed: 1, failed: 0, byStatus: { 'not-run': 2 } });
    expect(result.cases.map(({ status }) => status)).toEqual(['passed', 'not-run', 'not-run']);
    expect(result.cases[1]?.reason).toMatch(/interrupted after \d+ ms/);
  });

  test('is plain data: JSON keeps all of it', async () => {
    const model = paidModel();
    const cases = [
      evalCase('a', { maxCostUsd: 1, tags: ['x'] }, () => model.generate('x')),
      evalCase('b', () => {
        throw new Error('boom', { cause: 10n });
      }),
      evalCase('c', { metrics: [() => false] }, () => ({ output: { big: 10n } })),
    ];
    const result = await runCases(planOf(cases));
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(result.version).toBe(1);
    expect(result.cases[2]?.output).toBe('{ big: 10n }');
  });

  test('tells observers of every case, and is over when one of them throws', async () => {
    const ended: string[] = [];
    const cases = planOf(['a', 'b'].map((name) => evalCase(name, ({ expect: its }) => its(1).toBe(1))));
    const observer = { onCaseEnd: ({ name, status }: CaseResult) => void ended.push(`${name} ${status}`) };
    await runCases(cases, { observers: [observer], concurrency: 1 });
    expect(ended).toEqual(['a passed', 'b passed']);
    const broken = {
      onCaseEnd: () => {
        throw new Error('disk full');
      },
    };
    await expect(runCases(cases, { observers: [broken], concurrency: 1 })).rejects.toThrow('disk full');
  });

  test('refuses options that make no sense', async () => {
    const misspelt: object = { concurency: 4 };
    await expect(runCases([], misspelt)).rejects.toThrow(/no option "concurency"/);
    for (const concurrency of [0, 1.5, Number.NaN]) {
      await expect(runCases([], { concurrency })).rejects.toThrow(ConfigError);
    }
    await expect(runCases([], { timeoutMs: 0 })).rejects.toThrow(ConfigError);
  });

  test('counts an answer that two cases share once in the total', async () => {
    const model = paidModel({ usd: '0.25' });
    const shared = { current: undefined as Promise<unknown> | undefined };
    const ask = () => (shared.current ??= model.generate('x'));
    const suite = new EvalSuite({
      cases: [evalCase('first', ask), evalCase('second', ask)],
      metrics: [new MaxCostUSD({ threshold: 1, applyTo: ['first'] }), new MaxLatencyMs({ threshold: 5_000 })],
    });
    const result = await runSuite(suite);
    expect(result).toMatchObject({ ok: true, cost: { usd: '0.25' } });
    expect(result.cases.map(({ cost }) => cost.usd)).toEqual(['0.25', '0']);
  });
});

test('what a metric says repeats no key', async () => {
  const quotes = () => ({ pass: false, detail: 'it said sk-proj-abcdefghijklmnop0123' });
  const { metrics } = await runCase(evalCase('quotes', { metrics: [quotes] }, () => 'x'));
  expect(metrics[0]?.detail).toBe('it said [an API key]');
});
