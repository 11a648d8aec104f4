import { describe, expect, test } from 'vitest';
import { evalCase } from './eval-case.ts';
import { runCase, runCases } from './run-cases.ts';
import { planCase } from './suite.ts';
import type { TrafficContext, TrafficController, TrafficReport } from './traffic-control.ts';

/** A boundary that only remembers whose code ran in it, and reports what it is told to. */
class Boundary implements TrafficController {
  readonly log: string[] = [];
  admitted: (context: TrafficContext) => string | undefined = () => undefined;
  reported: (context: TrafficContext) => TrafficReport | undefined = () => undefined;

  admit(context: TrafficContext): string | undefined {
    return this.admitted(context);
  }

  run<T>({ name, trial, role }: TrafficContext, fn: () => T): T {
    this.log.push(`${name}#${trial} ${role}`);
    return fn();
  }

  report(context: TrafficContext): TrafficReport | undefined {
    return this.reported(context);
  }

  total(): TrafficReport {
    return { billedUsd: '0.25', requests: 3, replayed: 2, recorded: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const quiet: TrafficReport = { billedUsd: '0', requests: 1, replayed: 1, recorded: 0 };
const checked = evalCase('checked', { metrics: [() => true] }, () => 'x');

describe('what stands at the HTTP boundary', () => {
  test('is told whose code runs, and what was billed is reported', async () => {
    const traffic = new Boundary();
    traffic.reported = () => quiet;
    const result = await runCases(
      [planCase(evalCase('a', { trials: 2, metrics: [() => true] }, () => 'x'))],
      { traffic },
    );
    expect(traffic.log).toEqual(['a#0 case', 'a#0 judge', 'a#1 case', 'a#1 judge']);
    expect(result.billed).toEqual(traffic.total());
    expect(result.cases[0]?.traffic).toEqual({ billedUsd: '0', requests: 2, replayed: 2, recorded: 0 });
  });

  test('keeps a case from running when its budget is spent', async () => {
    const traffic = new Boundary();
    traffic.admitted = () => 'the budget of $0.50 is spent';
    const result = await runCases([planCase(checked)], { traffic });
    expect(result.cases[0]).toMatchObject({
      status: 'not-run',
      reason: 'the budget of $0.50 is spent',
      stop: 'budget',
    });
    expect(result).toMatchObject({ ok: false, failed: 0 });
    expect(traffic.log).toEqual([]);
  });

  test('decides, also when the case caught the error that it got and would have passed', async () => {
    const traffic = new Boundary();
    const miss = { kind: 'replay-miss', message: 'no tape answers it', detail: 'nearest: …' } as const;
    traffic.reported = () => ({ ...quiet, stop: miss });
    expect(await runCase(checked, { traffic })).toMatchObject({
      status: 'error',
      reason: 'no tape answers it',
      reasonDetail: 'nearest: …',
      stop: 'replay-miss',
    });
    traffic.reported = () => ({ ...quiet, stop: { kind: 'budget', message: 'did not fit' } });
    expect(await runCase(checked, { traffic })).toMatchObject({ status: 'not-run', stop: 'budget' });
  });

  test('is not asked again for what it stopped', async () => {
    const traffic = new Boundary();
    let runs = 0;
    traffic.reported = () => ({ ...quiet, stop: { kind: 'replay-miss', message: 'no tape' } });
    const fails = evalCase('fails', { retry: 3 }, ({ expect: its }) => {
      runs++;
      its(1).toBe(2);
    });
    await runCase(fails, { traffic });
    expect(runs).toBe(1);
  });
});
