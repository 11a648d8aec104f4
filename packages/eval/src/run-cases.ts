import { type Clock, linkSignals, rejectUnknownKeys, requireNumber, systemClock } from '@synapsekit/core';
import type { EvalCase } from './case.ts';
import { CostMeter } from './cost-meter.ts';
import { reportCost } from './cost-report.ts';
import type { CaseResult, CaseStatus, RunResult } from './result.ts';
import { notRun, runPlannedCase } from './run-planned-case.ts';
import { schedule } from './schedule.ts';
import { type EvalSuite, type PlannedCase, planCase } from './suite.ts';

/** Told how a run goes on. */
export interface RunObserver {
  onRunStart?(plan: readonly PlannedCase[]): void;
  /** `index` is the place of the case in the plan. Cases run side by side, so they begin and end in any order. */
  onCaseStart?(planned: PlannedCase, index: number): void;
  onCaseEnd?(result: CaseResult, index: number): void;
  onRunEnd?(result: RunResult): void;
}

/** How cases are run. */
export interface RunOptions {
  /** Interrupts the run: running cases are aborted, the others are not begun. The result says so. */
  readonly signal?: AbortSignal | undefined;
  /** How many cases run at a time. Cases under a latency limit always run alone. @default 4 */
  readonly concurrency?: number | undefined;
  /** For cases that have none of their own, in milliseconds. @default 60 000 */
  readonly timeoutMs?: number | undefined;
  readonly observers?: readonly RunObserver[] | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/**
 * Runs a suite. Whatever its cases do, it resolves: crashes, failures and interruptions are in the result.
 *
 * @throws ConfigError for wrong options; what an observer throws.
 */
export function runSuite(suite: Pick<EvalSuite, 'plan'>, options?: RunOptions): Promise<RunResult> {
  return runCases(suite.plan(), options);
}

/**
 * Runs one case with its own metrics.
 *
 * @throws ConfigError for wrong options; what an observer throws.
 */
export async function runCase(each: EvalCase, options?: RunOptions): Promise<CaseResult> {
  const planned = planCase(each);
  const { cases } = await runCases([planned], options);
  return cases[0] ?? notRun(planned);
}

/**
 * Runs what `plan` says, of any number of suites.
 *
 * @throws ConfigError for wrong options; what an observer throws.
 */
export async function runCases(plan: readonly PlannedCase[], options: RunOptions = {}): Promise<RunResult> {
  rejectUnknownKeys(options, ['signal', 'concurrency', 'timeoutMs', 'observers', 'clock'], 'RunOptions');
  const { concurrency = 4, timeoutMs = 60_000, observers = [], clock = systemClock } = options;
  requireNumber(concurrency, 'concurrency', { integer: true, min: 1 });
  requireNumber(timeoutMs, 'timeoutMs', { above: 0 });

  const startedAt = new Date(clock.now()).toISOString();
  const startedMs = clock.monotonic();
  const link = linkSignals(options.signal);
  const { signal } = link;
  const meter = new CostMeter();
  const judges = meter.run(() => new CostMeter());
  const results: CaseResult[] = plan.map(notRun);

  const failures: unknown[] = [];
  const tell = (message: (observer: RunObserver) => void): void => {
    try {
      for (const observer of observers) message(observer);
    } catch (error) {
      failures.push(error);
      link.abort(error); // nobody would see the results
    }
  };
  const tasks = plan.map((planned, index) => ({
    exclusive: planned.metrics.some(({ exclusive }) => exclusive === true),
    async run() {
      if (signal.aborted) return tell((observer) => observer.onCaseEnd?.(notRun(planned), index));
      tell((observer) => observer.onCaseStart?.(planned, index));
      const result = await runPlannedCase(planned, { clock, timeoutMs, signal, judges });
      results[index] = result;
      tell((observer) => observer.onCaseEnd?.(result, index));
    },
  }));

  tell((observer) => observer.onRunStart?.(plan));
  await meter.run(() => schedule(tasks, concurrency));
  const [cost, judgeCost] = [reportCost(meter.cost), reportCost(judges.cost)];
  judges.close();
  meter.close();
  link.dispose();
  const durationMs = Math.round(clock.monotonic() - startedMs);
  const result = {
    version: 1,
    startedAt,
    durationMs,
    ...count(results),
    cost,
    judgeCost,
    cases: results,
  } as const;
  tell((observer) => observer.onRunEnd?.(result));
  if (failures.length > 0) throw failures[0];
  return result;
}

function count(
  results: readonly CaseResult[],
): Pick<RunResult, 'ok' | 'total' | 'passed' | 'failed' | 'byStatus'> {
  const byStatus: Record<CaseStatus, number> = { passed: 0, failed: 0, error: 0, unchecked: 0, 'not-run': 0 };
  for (const { status } of results) byStatus[status]++;
  const total = results.length;
  const { passed } = byStatus;
  return {
    ok: total > 0 && passed === total,
    total,
    passed,
    failed: total - passed - byStatus['not-run'],
    byStatus,
  };
}
