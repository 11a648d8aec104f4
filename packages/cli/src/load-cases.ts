import { relative } from 'node:path';
import type { PlannedCase } from '@synapsekit/eval';
import { collect, type EvalModule } from './collect.ts';
import { UsageError } from './command.ts';
import { discover } from './discover.ts';
import { type LoadError, reportLoadError } from './load-error.ts';
import { loadFile } from './load-file.ts';
import type { TestOptions } from './test-options.ts';

/** What was found to run, and what is wrong with it. */
export interface LoadedCases {
  /** Paths from the working folder, as reports have them. */
  readonly files: readonly string[];
  readonly plan: readonly PlannedCase[];
  readonly loadErrors: readonly LoadError[];
  /** Sentences for people. */
  readonly problems: readonly string[];
}

/** How many names a message takes. */
const maxNamed = 20;

/**
 * Finds the files, loads them one after the other, and picks the cases to run.
 *
 * @throws UsageError for a path that does not exist, and when there is no file or no case.
 */
export async function loadCases(
  { paths, filter, timeoutMs }: TestOptions,
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<LoadedCases> {
  const files = await discover(paths, cwd);
  if (files.length === 0) {
    throw new UsageError(
      `No eval files in ${paths.join(', ')}. They are called *.eval.ts, .mts, .js or .mjs; any other file can be named.`,
    );
  }
  const modules: EvalModule[] = [];
  const loadErrors: LoadError[] = [];
  for (const path of files) {
    if (signal.aborted) break;
    const loaded = await loadFile(path, { timeoutMs, signal });
    if (signal.aborted) break;
    const file = relative(cwd, path) || path;
    if ('exports' in loaded) modules.push({ file, exports: loaded.exports });
    else loadErrors.push(await reportLoadError(file, path, loaded.error));
  }
  const { plan, problems } = collect(modules);
  const selected = filter === undefined ? plan : plan.filter(({ case: { name } }) => filter.test(name));
  if (selected.length === 0 && plan.length > 0 && !signal.aborted) {
    const names = [...new Set(plan.map(({ case: { name } }) => name))];
    const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : '';
    throw new UsageError(
      `No case matches --filter ${filter?.source}. There are: ${names.slice(0, maxNamed).join(', ')}${more}.`,
    );
  }
  return { files: files.map((path) => relative(cwd, path) || path), plan: selected, loadErrors, problems };
}
