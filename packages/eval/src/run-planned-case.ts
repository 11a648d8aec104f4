import { usdDecimal } from '@synapsekit/core';
import { casePosition } from './case-key.ts';
import { sumCosts, sumTraffic } from './cost-report.ts';
import type { CaseResult, TrialResult } from './result.ts';
import { type CaseHost, notRunTrial, runTrial } from './run-trial.ts';
import { type SourcePosition, shownPath } from './source-position.ts';
import type { PlannedCase } from './suite.ts';

/** How often cases run that say nothing themselves. */
export interface Repeats {
  readonly retry: number;
  readonly trials: number;
}

/** Runs one case as often as it is to be run. Never rejects. */
export async function runPlannedCase(
  planned: PlannedCase,
  host: CaseHost,
  defaults: Repeats,
): Promise<CaseResult> {
  const own = planned.retry !== undefined || planned.trials !== undefined;
  const { retry = 0, trials = 1 } = own ? planned : defaults;
  const first = await runTrial(planned, 0, host);
  if (trials === 1 && (retry === 0 || !mayBeRunAgain(first))) return caseResult(planned, first);
  const done = [first];
  if (trials > 1) {
    while (done.length < trials && !host.running.signal.aborted && done.at(-1)?.stop !== 'budget') {
      done.push(await runTrial(planned, done.length, host));
    }
    return ofTrials(planned, done, trials);
  }
  while (done.length <= retry && mayBeRunAgain(done.at(-1) as TrialResult) && !host.running.signal.aborted) {
    done.push(await runTrial(planned, done.length, host));
  }
  return ofRetries(planned, done);
}

/** Another try cannot help a case that was stopped, or one that nothing judges. */
function mayBeRunAgain({ status, stop }: TrialResult): boolean {
  return (status === 'failed' || status === 'error') && stop === undefined;
}

function ofTrials(planned: PlannedCase, done: readonly TrialResult[], wanted: number): CaseResult {
  const bad = done.find(({ status }) => status !== 'passed' && status !== 'not-run');
  const shown = bad ?? done.find(({ status }) => status === 'not-run') ?? (done.at(-1) as TrialResult);
  const passed = done.filter(({ status }) => status === 'passed').length;
  const short = done.length < wanted && bad === undefined;
  return {
    ...caseResult(planned, together(shown, done)),
    ...(bad !== undefined && { reason: because(`${passed} of ${done.length} trials passed`, bad) }),
    ...(short &&
      shown.status === 'passed' && {
        status: 'not-run' as const,
        reason: `${passed} of ${wanted} trials had passed when the run was interrupted`,
      }),
    ...(bad !== undefined && passed > 0 && { flaky: true }),
    trials: done,
  };
}

function ofRetries(planned: PlannedCase, done: readonly TrialResult[]): CaseResult {
  const last = done.at(-1) as TrialResult;
  if (done.length === 1) return caseResult(planned, last);
  const flaky = last.status === 'passed';
  return {
    ...caseResult(planned, together(last, done)),
    ...(flaky
      ? { flaky, reason: `it passed only at try ${done.length}` }
      : { reason: because(`none of ${done.length} tries passed`, last) }),
    trials: done,
  };
}

function because(what: string, { reason }: TrialResult): string {
  return reason === undefined ? what : `${what}: ${reason}`;
}

/** One result for all trials: it looks like `shown`, and has cost what all of them have. */
function together(shown: TrialResult, done: readonly TrialResult[]): TrialResult {
  const { pico, ...counts } = sumCosts(done.map(({ cost }) => cost));
  const { reportedUsd } = shown.cost;
  const traffic = sumTraffic(done.map((trial) => trial.traffic));
  return {
    ...shown,
    cost: { usd: usdDecimal(pico), ...counts, ...(reportedUsd !== undefined && { reportedUsd }) },
    ...(traffic !== undefined && { traffic }),
  };
}

/** A case that the run did not come to. */
export function notRun(planned: PlannedCase, reason = 'the run was interrupted before it began'): CaseResult {
  return caseResult(planned, notRunTrial(reason));
}

/** A case that is left out because the file says so. */
export function leftOut(planned: PlannedCase, status: 'skipped' | 'todo', reason?: string): CaseResult {
  const { reason: _, ...nothing } = notRunTrial('');
  return caseResult(planned, { ...nothing, status, ...(reason !== undefined && { reason }) });
}

function caseResult({ case: each, suite, file }: PlannedCase, trial: TrialResult): CaseResult {
  const position = casePosition(each, file);
  const elsewhere = position === undefined ? casePosition(each) : undefined;
  return {
    name: each.name,
    ...(each.description !== undefined && { description: each.description }),
    tags: each.tags,
    ...(suite !== undefined && { suite }),
    ...(file !== undefined && { file }),
    ...(position !== undefined && { line: position.line, column: position.column }),
    ...(elsewhere !== undefined && { definedAt: shownPlace(elsewhere) }),
    ...trial,
  };
}

function shownPlace({ path, line, column }: SourcePosition): string {
  return `${shownPath(path)}:${line}:${column}`;
}
