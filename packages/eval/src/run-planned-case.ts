import type { Clock } from '@synapsekit/core';
import { AssertionLog } from './assertion-log.ts';
import { CaseWatch } from './case-watch.ts';
import { CostMeter } from './cost-meter.ts';
import { reportCost } from './cost-report.ts';
import { createExpect } from './expect.ts';
import { judge } from './judge.ts';
import { outputOf, outputText } from './output.ts';
import { type ReportedFigures, reportedFigures } from './reported-figures.ts';
import type { CaseEnding, CaseResult, MetricResult } from './result.ts';
import type { PlannedCase } from './suite.ts';

/** What a case runs with. */
export interface CaseHost {
  readonly clock: Clock;
  /** For cases that have none of their own. */
  readonly timeoutMs: number;
  /** Interrupts the run. */
  readonly signal: AbortSignal;
  /** Measures what judges cost. */
  readonly judges: CostMeter;
}

/** Runs one case: measured, timed, judged. Never rejects. */
export async function runPlannedCase(planned: PlannedCase, host: CaseHost): Promise<CaseResult> {
  const { clock } = host;
  const meter = new CostMeter();
  const log = new AssertionLog();
  const watch = new CaseWatch({ clock, timeoutMs: planned.timeoutMs ?? host.timeoutMs, signal: host.signal });
  const metrics: MetricResult[] = [];
  let value: unknown;
  let reported: ReportedFigures = {};
  let ending: CaseEnding;
  try {
    const { name } = planned.case;
    const context = { expect: createExpect(log), signal: watch.signal, name };
    value = await watch.over(() => meter.run(async () => planned.case.run(context)));
    await watch.over(() => log.settled());
    const latencyMs = watch.stopTheClock();
    log.throwFailure();
    reported = reportedFigures(value);
    await watch.over(() => meter.idle(), 'a call that it left running');
    const { cost, attempts } = meter;
    const run = {
      name,
      value,
      output: outputOf(value),
      cost,
      attempts,
      latencyMs,
      reported,
      signal: watch.signal,
    };
    for (const metric of planned.metrics) {
      const judged = () => host.judges.run(() => judge(metric, run));
      metrics.push(await watch.over(judged, `its metric ${metric.name}`));
    }
    // Also what the case asserted while it was judged, in work that it did not wait for.
    await watch.over(() => log.settled());
    log.throwFailure();
    watch.signal.throwIfAborted();
    ending = verdict(metrics, log.held);
  } catch (error) {
    ending = await watch.abandon(error, meter);
  }
  log.close(planned.case.name);
  watch.end(ending);
  const cost = reportCost(meter.cost, reported.costUsdExact);
  meter.close();
  const output = ending.status === 'passed' ? undefined : outputText(outputOf(value));
  return {
    ...identityOf(planned),
    ...ending,
    metrics,
    assertions: log.held,
    cost,
    latencyMs: watch.stopTheClock(),
    ...(reported.latencyMs !== undefined && { reportedLatencyMs: reported.latencyMs }),
    ...(output !== undefined && { output }),
  };
}

/** A case that the run did not come to. */
export function notRun(planned: PlannedCase): CaseResult {
  return {
    ...identityOf(planned),
    status: 'not-run',
    reason: 'the run was interrupted before it began',
    metrics: [],
    assertions: 0,
    cost: { usd: '0', calls: 0, estimatedCalls: 0, missingCalls: 0, missing: [] },
    latencyMs: 0,
  };
}

function identityOf({ case: each, suite, file }: PlannedCase): Pick<CaseResult, 'name' | 'tags'> {
  return {
    name: each.name,
    ...(each.description !== undefined && { description: each.description }),
    tags: each.tags,
    ...(suite !== undefined && { suite }),
    ...(file !== undefined && { file }),
  };
}

function verdict(metrics: readonly MetricResult[], assertions: number): CaseEnding {
  if (metrics.some(({ error }) => error !== undefined))
    return { status: 'error', reason: 'a metric crashed' };
  if (metrics.some(({ pass }) => !pass)) return { status: 'failed' };
  if (metrics.length > 0 || assertions > 0) return { status: 'passed' };
  return {
    status: 'unchecked',
    reason: 'nothing judged it: no metric applies to it, and it asserted nothing with its own expect',
  };
}
