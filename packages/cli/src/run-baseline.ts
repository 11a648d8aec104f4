import type { RunResult } from '@synapsekit/eval';
import { type Baseline, type Comparison, compareWith, hasRun, saveBaseline } from './baseline.ts';
import { UsageError } from './command.ts';
import type { LoadedCases } from './load-cases.ts';
import type { TestOptions } from './test-options.ts';

/** Whether every case of the paths was asked for: of a part of them nobody can say what is gone. */
function selectsAll({ filter, tags, shard, onlyFailed, paths }: TestOptions): boolean {
  const named = paths.some((path) => /:\d+$/.test(path));
  return filter === undefined && tags.length === 0 && shard === undefined && !onlyFailed && !named;
}

/**
 * A baseline is one of everything: one of a part would take the place of the whole, and the other cases would not be
 * missed in any comparison.
 *
 * @throws UsageError where only a part is asked for.
 */
export function checkBaselineSelection(options: TestOptions): void {
  if (options.saveBaseline === undefined || options.list || selectsAll(options)) return;
  throw new UsageError(
    '--save-baseline needs a run of all cases: leave --filter, --tag, --shard, --only-failed and FILE:LINE out.',
  );
}

/** How a run compares with its baseline, if it has one. */
export function compare(
  options: TestOptions,
  baseline: Baseline | undefined,
  result: RunResult,
): Comparison | undefined {
  if (baseline === undefined) return undefined;
  return compareWith(baseline, result, {
    tolerancePercent: options.costTolerancePercent,
    allowRemoved: options.allowRemoved,
    onlySome: !selectsAll(options),
  });
}

/** Saves the run as a baseline, if all of it was loaded and ran. Returns what went wrong. */
export function keepBaseline(
  { saveBaseline: name }: TestOptions,
  loaded: LoadedCases,
  result: RunResult,
  cwd: string,
): readonly string[] {
  if (name === undefined) return [];
  const why = whyIncomplete(loaded, result);
  if (why !== undefined) return [`The baseline "${name}" was not saved: ${why}`];
  try {
    saveBaseline(name, result, cwd);
    return [];
  } catch (error) {
    return [`The baseline "${name}" could not be saved: ${error instanceof Error ? error.message : error}`];
  }
}

function whyIncomplete(
  { plan, files, filesLoaded, loadErrors, problems }: LoadedCases,
  { byStatus, cases }: RunResult,
): string | undefined {
  if (loadErrors.length + problems.length > 0 || filesLoaded < files.length)
    return 'not every file could be used.';
  if (byStatus['not-run'] > 0) return 'not every case ran.';
  if (plan.some(({ case: { mode } }) => mode === 'only')) return 'some cases are marked "only".';
  return cases.some(hasRun) ? undefined : 'no case ran.';
}
