import { clip, textLimits } from './clip.ts';
import type { CostMeter } from './cost-meter.ts';
import { sumCosts } from './cost-report.ts';
import { judgeWith } from './judge.ts';
import type { CaseResult, MetricResult, SuiteResult } from './result.ts';
import type { CaseGroup, PlannedCase } from './suite.ts';
import type { SuiteRun } from './suite-metric.ts';
import type { TrafficController } from './traffic-control.ts';

/** What suites are judged with. */
export interface SuiteHost {
  readonly signal: AbortSignal;
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
      ...(await judgeGroup(group, cases, host)),
    });
  }
  return judged;
}

async function judgeGroup(
  group: CaseGroup,
  results: readonly CaseResult[],
  host: SuiteHost,
): Promise<Pick<SuiteResult, 'status' | 'metrics'>> {
  const metrics: MetricResult[] = [];
  let status: SuiteResult['status'] = 'passed';
  for (const metric of group.metrics) {
    const { applyTo, name } = metric;
    const ours = results.filter((result) => applyTo === undefined || applyTo.includes(result.name));
    const ran = ours.filter((each) => each.status !== 'skipped' && each.status !== 'todo');
    const missed = ran.filter((each) => each.status === 'not-run').length;
    if (missed > 0 || ran.length === 0) {
      if (status === 'passed') status = 'not-run';
      const why = ran.length === 0 ? 'none of its cases ran' : `${missed} of its cases did not run`;
      metrics.push({ name: clip(name, textLimits.label), pass: false, detail: `not judged: ${why}` });
      continue;
    }
    const total = applyTo === undefined ? group.names.length : applyTo.length;
    const run: SuiteRun = {
      ...(group.name !== undefined && { name: group.name }),
      cases: ran,
      total,
      cost: sumCosts(ran.map(({ cost }) => cost)),
      signal: host.signal,
    };
    const judged = () =>
      host.judges.run(() => judgeWith(metric.name, host.signal, () => metric.evaluateSuite(run)));
    const context = { suite: group.name, trial: 0, role: 'judge', signal: host.signal } as const;
    const result = await (host.traffic === undefined ? judged() : host.traffic.run(context, judged));
    if (result.error !== undefined) status = 'error';
    else if (!result.pass && status !== 'error') status = 'failed';
    metrics.push(result);
  }
  return { status, metrics };
}
