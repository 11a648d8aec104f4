import { formatUsd } from '@synapsekit/core';
import { type CaseResult, caseKey, type PlannedCase } from '@synapsekit/eval';
import { UsageError } from './command.ts';
import type { Traffic } from './create-traffic.ts';
import { type LastRun, type RunJournal, readLastRun } from './last-run.ts';
import type { LoadedCases } from './load-cases.ts';
import type { Selection } from './select-cases.ts';
import type { TestOptions } from './test-options.ts';

/** The run that `--resume` and `--only-failed` go on with; `undefined` without them. */
export function lastRunFor({ resume, onlyFailed, shard }: TestOptions, cwd: string): LastRun | undefined {
  if (resume && onlyFailed) throw new UsageError('--resume and --only-failed exclude each other.');
  if (resume) return readLastRun(cwd, '--resume', shard);
  return onlyFailed ? readLastRun(cwd, '--only-failed', shard) : undefined;
}

/**
 * What goes on has a budget if what it goes on with had one: without a word it would spend without a limit.
 *
 * @throws UsageError when nobody says how much.
 */
export function checkBudget(last: LastRun | undefined, { mode, budgetUsd }: Traffic): void {
  const before = last?.budgetUsd;
  if (before === undefined || budgetUsd !== undefined || mode === 'replay') return;
  throw new UsageError(
    `The run that --resume goes on with had a budget of ${formatUsd(before)}. Say what the rest of it may spend: --budget ${before}.`,
  );
}

const good: ReadonlySet<string> = new Set(['passed', 'skipped', 'todo']);

/**
 * What `--only-failed` runs: what did not pass, what had not ended when the process was killed, and whatever is in the
 * files that could not be loaded. `undefined` when all is well.
 *
 * @throws UsageError when the run was no success, and no case is to blame: to run nothing would look like one.
 */
export function notPassed({ planned, unloaded, results, exitCode }: LastRun): Selection['again'] {
  const keys = [...planned, ...results.keys()].filter((key) => !good.has(results.get(key)?.status ?? ''));
  if (keys.length + unloaded.length > 0) return { keys: new Set(keys), files: new Set(unloaded) };
  if (exitCode === 0) return undefined;
  const ending = exitCode === undefined ? 'did not come to its end' : `ended with exit code ${exitCode}`;
  throw new UsageError(
    `No case of the last run is left to run again, and yet it ${ending}. Run it whole, without --only-failed.`,
  );
}

/** A case that the last run came to; what it did not run, and what the file leaves out, is looked at anew. */
export function priorResult(planned: PlannedCase, { results }: LastRun): CaseResult | undefined {
  const result = results.get(caseKey(planned));
  return result !== undefined && hasEnded(result) ? result : undefined;
}

/** What the journal of a run begins with: with `last`, all of that, also what was not selected or loaded this time. */
export function planOf(
  { plan, files, loadErrors, filesLoaded }: LoadedCases,
  last: LastRun | undefined,
): Pick<Parameters<RunJournal['begin']>[0], 'planned' | 'unloaded' | 'results'> {
  const known = new Set(files);
  const before = last?.unloaded.filter((file) => !known.has(file)) ?? [];
  return {
    planned: [...new Set([...(last?.planned ?? []), ...plan.map(caseKey)])],
    unloaded: [...before, ...loadErrors.map(({ file }) => file), ...files.slice(filesLoaded)],
    results: [...(last?.results.values() ?? [])].filter(hasEnded),
  };
}

function hasEnded({ status }: CaseResult): boolean {
  return status !== 'not-run' && status !== 'skipped' && status !== 'todo';
}
