import type { Clock } from '@synapsekit/core';
import { CaseWatch, type RunningCases } from './case-watch.ts';
import { clip, textLimits } from './clip.ts';
import { accountOf, type CostMeter } from './cost-meter.ts';
import { sumCosts } from './cost-report.ts';
import { judgeWith } from './judge.ts';
import type { CaseEnding, CaseResult, MetricResult, SuiteResult } from './result.ts';
import { enterContext } from './run-context.ts';
import type { CaseGroup, PlannedCase } from './suite.ts';
import type { SuiteMetric, SuiteRun } from './suite-metric.ts';
import type { TrafficContext, TrafficController, TrafficStop } from './traffic-control.ts';

/** What suites are judged with. */
export interface SuiteHost {
  readonly clock: Clock;
  /** For the metrics of suites that have none of their own. */
  readonly timeoutMs: number;
  /** Of the run that they belong to. */
  readonly running: RunningCases;
  readonly judges: CostMeter;
  readonly traffic: TrafficController | undefined;
}

/** Judges what is to be judged together, after all cases have ended. */
export async function judgeSuites(
  plan: readonly PlannedCase[],
  results: readonly CaseResult[],
  host: SuiteHost,
): Promise<readonly SuiteResult[]> {
  const members = new Map<CaseGroup, number[]>();
  for (const [index, { groups = [] }] of plan.entries()) {
    for (const group of groups) {
      const known = members.get(group);
      if (known === undefined) members.set(group, [index]);
      else known.push(index);
    }
  }
  const judged: SuiteResult[] = [];
  for (const [group, indices] of members) {
    const file = plan[indices[0] ?? 0]?.file;
    const cases = indices.map((index) => results[index]).filter((result) => result !== undefined);
    judged.push({
      ...(group.name !== undefined && { name: group.name }),
      ...(file !== undefined && { file }),
      ...(await judgeGroup({ group, file }, cases, host)),
    });
  }
  return judged;
}

/** Whose metrics they are. */
interface Place {
  readonly group: CaseGroup;
  readonly file: string | undefined;
}

async function judgeGroup(
  place: Place,
  results: readonly CaseResult[],
  host: SuiteHost,
): Promise<Pick<SuiteResult, 'status' | 'metrics' | 'stop'>> {
  const { group } = place;
  const metrics: MetricResult[] = [];
  let status: SuiteResult['status'] = 'passed';
  let stop: SuiteResult['stop'];
  for (const metric of group.metrics) {
    const { applyTo, name } = metric;
    const ours = results.filter((result) => applyTo === undefined || applyTo.includes(result.name));
    const ran = ours.filter((each) => each.status !== 'skipped' && each.status !== 'todo');
    const missed = ran.filter((each) => each.status === 'not-run').length;
    if (missed > 0 || ran.length === 0) {
      if (status === 'passed') status = 'not-run';
      const why = ran.length === 0 ? 'none of its cases ran' : `${missed} of its cases did not run`;
      metrics.push(notJudged(name, why));
      continue;
    }
    const run = {
      ...(group.name !== undefined && { name: group.name }),
      cases: ran,
      total: applyTo === undefined ? group.names.length : applyTo.length,
      cost: sumCosts(ran.map(({ cost }) => cost)),
    };
    const { result, stopped } = await judgeSuite(metric, run, place, host);
    metrics.push(result);
    stop = worse(stop, stopped?.kind);
    if (result.error !== undefined) status = 'error';
    else if (stopped !== undefined && status === 'passed') status = 'not-run';
    else if (stopped === undefined && !result.pass && status !== 'error') status = 'failed';
  }
  return { status, metrics, ...(stop !== undefined && { stop }) };
}

/** Judged as a case is: within its time, and worth nothing when something was stopped at the HTTP boundary. */
async function judgeSuite(
  metric: SuiteMetric,
  run: Omit<SuiteRun, 'signal'>,
  { group, file }: Place,
  { clock, timeoutMs, running, judges, traffic }: SuiteHost,
): Promise<{ readonly result: MetricResult; readonly stopped: TrafficStop | undefined }> {
  const name = clip(metric.name, textLimits.label);
  const watch = new CaseWatch({ clock, timeoutMs: group.timeoutMs ?? timeoutMs, running });
  const wire: TrafficContext = {
    file,
    suite: group.name,
    trial: 0,
    role: 'judge',
    signal: watch.signal,
  };
  const own = { account: accountOf(judges), scope: watch.scope };
  const judged = (): Promise<MetricResult> =>
    enterContext(own, () =>
      judgeWith(metric.name, watch.signal, () => metric.evaluateSuite({ ...run, signal: watch.signal })),
    );
  let ending: CaseEnding = { status: 'passed' };
  let result: MetricResult | undefined;
  try {
    result = await watch.over(() => (traffic === undefined ? judged() : traffic.run(wire, judged)));
  } catch (error) {
    ending = await watch.abandon(error, judges);
  }
  watch.end(ending);
  const stopped = traffic?.report(wire)?.stop;
  running.signal.throwIfAborted(); // nobody asks for its verdict any more
  if (stopped?.kind === 'budget') return { result: notJudged(name, stopped.message), stopped };
  if (stopped !== undefined) {
    const { kind, message, detail } = stopped;
    const told = clip(detail === undefined ? message : `${message}\n${detail}`, textLimits.message);
    return { result: { name, pass: false, error: { name: kind, message: told, stack: [] } }, stopped };
  }
  const error = ending.error ?? { name: 'Error', message: ending.reason ?? 'it did not end', stack: [] };
  return { result: result ?? { name, pass: false, error }, stopped };
}

function notJudged(name: string, why: string): MetricResult {
  return {
    name: clip(name, textLimits.label),
    pass: false,
    detail: clip(`not judged: ${why}`, textLimits.detail),
  };
}

/** What decides of two: what is forbidden, then what is missing, then what is too dear. */
function worse(a: SuiteResult['stop'], b: SuiteResult['stop']): SuiteResult['stop'] {
  return (['blocked', 'replay-miss', 'budget'] as const).find((kind) => a === kind || b === kind);
}
