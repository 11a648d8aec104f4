import type { Clock } from '@synapsekit/core';
import { AssertionLog } from './assertion-log.ts';
import type { CallReport } from './call-report.ts';
import { CaseEvents } from './case-events.ts';
import { CaseWatch, type RunningCases } from './case-watch.ts';
import { accountOf, CostMeter } from './cost-meter.ts';
import { noCost, reportCost } from './cost-report.ts';
import { createExpect } from './expect.ts';
import { judge } from './judge.ts';
import { sumTokens } from './measured-tokens.ts';
import type { CaseRun } from './metric.ts';
import { outputOf, outputText } from './output.ts';
import { type ReportedFigures, reportedFigures } from './reported-figures.ts';
import type { CaseEnding, MetricResult, TrialResult } from './result.ts';
import { enterContext } from './run-context.ts';
import { seededRandom } from './seeded-random.ts';
import type { PlannedCase } from './suite.ts';
import type { TrafficContext, TrafficController } from './traffic-control.ts';
import { LazyAbort, TrialContext } from './trial-context.ts';

/** What a case runs with. */
export interface CaseHost {
  readonly clock: Clock;
  /** For cases that have none of their own. */
  readonly timeoutMs: number;
  /** The cases that run, and the signal that interrupts them. */
  readonly running: RunningCases;
  /** Measures what judges cost. */
  readonly judges: CostMeter;
  readonly seed: number;
  readonly traffic: TrafficController | undefined;
  /** Told which part of the case runs from now on. */
  onStep(step: string): void;
}

/** More calls than these are counted, and not listed. */
const maxCalls = 200;

/** Runs a case once: measured, timed, judged. Never rejects. */
export async function runTrial(planned: PlannedCase, trial: number, host: CaseHost): Promise<TrialResult> {
  const { clock, traffic } = host;
  const { name } = planned.case;
  const identity = { file: planned.file, suite: planned.suite, name, trial };
  if (traffic?.admit !== undefined) {
    const admitted = traffic.admit({ ...identity, role: 'case', signal: host.running.signal });
    const refusal = typeof admitted === 'object' ? await admitted : admitted;
    if (refusal !== undefined) return notRunTrial(refusal, 'budget');
  }
  const meter = new CostMeter();
  const events = new CaseEvents();
  const log = new AssertionLog();
  const watch = new CaseWatch({
    clock,
    timeoutMs: planned.timeoutMs ?? host.timeoutMs,
    running: host.running,
  });
  const returned = new LazyAbort();
  const wire = new TrialContext(planned, { trial, role: 'case', signal: watch.signal, returned });
  const within = <T>(context: TrafficContext, fn: () => T): T =>
    traffic === undefined ? fn() : traffic.run(context, fn);
  const metrics: MetricResult[] = [];
  let value: unknown;
  let reported: ReportedFigures = {};
  let ending: CaseEnding;
  try {
    const context = {
      expect: createExpect(log),
      signal: watch.signal,
      name,
      trial,
      random: seededRandom(host.seed, planned.file, planned.suite, name, trial),
    };
    host.onStep('');
    const own = { account: accountOf(meter), scope: watch.scope, events };
    value = await watch.over(() =>
      within(wire, () => enterContext(own, async () => planned.case.run(context))),
    );
    returned.abort();
    if (log.busy) await watch.over(() => log.settled());
    const latencyMs = watch.stopTheClock();
    log.throwFailure();
    reported = reportedFigures(value);
    if (own.account.busy) await watch.over(() => meter.idle(), 'a call that it left running');
    if (planned.metrics.length > 0) {
      const { cost, attempts, calls } = meter;
      const run: CaseRun = {
        name,
        value,
        output: outputOf(value),
        cost,
        attempts,
        calls,
        tokens: sumTokens(calls),
        budgetEvents: events.budget,
        breakerEvents: events.breaker,
        breakers: CaseEvents.breakers.size === 0 ? noBreakers : new Map(CaseEvents.breakers),
        latencyMs,
        reported,
        trial,
        signal: watch.signal,
      };
      const judges = { account: accountOf(host.judges), scope: watch.scope };
      const judgeAll = async (): Promise<void> => {
        for (const metric of planned.metrics) {
          watch.signal.throwIfAborted(); // one that did not end in time may end yet
          watch.during(`its metric ${metric.name}`);
          host.onStep(metric.name);
          metrics.push(await judge(metric, run));
        }
      };
      await watch.over(() => within(wire.ofJudges(), () => enterContext(judges, judgeAll)));
    }
    // Also what the case asserted while it was judged, in work that it did not wait for.
    if (log.busy) await watch.over(() => log.settled());
    log.throwFailure();
    watch.signal.throwIfAborted();
    ending = verdict(metrics, log.held, planned);
  } catch (error) {
    ending = await watch.abandon(error, meter);
  }
  log.close(name);
  watch.end(ending);
  const cost = reportCost(meter.cost, reported.costUsdExact);
  const { calls } = meter;
  meter.close();
  const report = traffic?.report(wire);
  if (report?.stop !== undefined) ending = stopped(report.stop, ending);
  // A trial that did not run is judged by nobody, whatever the case made of the refusal.
  const ran = ending.status !== 'not-run';
  const output = ran && ending.status !== 'passed' ? outputText(outputOf(value)) : undefined;
  return {
    ...ending,
    metrics: metrics.length > 0 && ran ? [...metrics] : none,
    assertions: log.held,
    cost,
    latencyMs: watch.stopTheClock(),
    ...(reported.latencyMs !== undefined && { reportedLatencyMs: reported.latencyMs }),
    ...(output !== undefined && { output }),
    ...(calls.length > 0 && { calls: listed(calls) }),
    ...(report !== undefined && { traffic: withoutStop(report) }),
  };
}

const noBreakers: ReadonlyMap<string, string> = new Map();

const none: readonly never[] = Object.freeze([]);

function listed(calls: readonly CallReport[]): readonly CallReport[] {
  return calls.length > maxCalls ? calls.slice(0, maxCalls) : calls;
}

/** What happened at the HTTP boundary decides, also when the case caught the error that it got. */
function stopped(
  { kind, message, detail }: NonNullable<ReturnType<TrafficController['total']>['stop']>,
  ending: CaseEnding,
): CaseEnding {
  // An interruption is nobody's fault.
  if (ending.status === 'not-run') return ending;
  return {
    status: kind === 'budget' ? 'not-run' : 'error',
    reason: message,
    ...(detail !== undefined && { reasonDetail: detail }),
    stop: kind,
  };
}

function withoutStop({ stop: _, ...report }: ReturnType<TrafficController['total']>): typeof report {
  return report;
}

/** A trial that did not take place. */
export function notRunTrial(reason: string, stop?: 'budget'): TrialResult {
  return {
    status: 'not-run',
    reason,
    ...(stop !== undefined && { stop }),
    metrics: none,
    assertions: 0,
    cost: noCost,
    latencyMs: 0,
  };
}

function verdict(
  metrics: readonly MetricResult[],
  assertions: number,
  { groups = none }: PlannedCase,
): CaseEnding {
  if (metrics.some(({ error }) => error !== undefined))
    return { status: 'error', reason: 'a metric crashed' };
  if (metrics.some(({ pass }) => !pass)) return { status: 'failed' };
  if (metrics.length > 0 || assertions > 0) return { status: 'passed' };
  const together = groups.length > 0 ? '; what judges the suite as a whole says nothing about one case' : '';
  return {
    status: 'unchecked',
    reason: `nothing judged it: no metric applies to it, and it asserted nothing with its own expect${together}`,
  };
}
