import { relative, sep } from 'node:path';
import type { PlannedCase, TrafficController } from '@synapsekit/eval';
import { collect, type EvalModule } from './collect.ts';
import { UsageError } from './command.ts';
import { discover, evalFileForm, type FoundFile } from './discover.ts';
import { type LoadError, reportLoadError } from './load-error.ts';
import { loadFile } from './load-file.ts';
import { type Selection, selectCases } from './select-cases.ts';

/** What was found to run, and what is wrong with it. */
export interface LoadedCases {
  /** Paths from the working folder, as reports have them. */
  readonly files: readonly string[];
  readonly plan: readonly PlannedCase[];
  readonly loadErrors: readonly LoadError[];
  /** Sentences for people. */
  readonly problems: readonly string[];
  /** How many of the files were loaded, or failed to: fewer than there are when that was interrupted. */
  readonly filesLoaded: number;
}

/** What is to be loaded, and how. */
export interface LoadOptions extends Selection {
  readonly paths: readonly string[];
  readonly timeoutMs: number;
  /** No file and no case are no error. */
  readonly passWithNoCases: boolean;
  /** Cases marked "only" are a problem. */
  readonly strict: boolean;
}

/** Where files are loaded. */
export interface LoadHost {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly traffic?: TrafficController | undefined;
  /** Told which file is loaded from now on. */
  readonly onFile?: ((file: string) => void) | undefined;
  /** Called before the first file is loaded. */
  readonly beforeLoading?: (() => void | Promise<void>) | undefined;
}

/**
 * Finds the files, loads them one after the other, and picks the cases to run.
 *
 * @throws UsageError for a path that does not exist, and when there is no file or no case.
 */
export async function loadCases(options: LoadOptions, host: LoadHost): Promise<LoadedCases> {
  const { cwd, signal, traffic } = host;
  const found = await discover(options.paths, cwd);
  const files = found.map(({ path }) => nameOf(path, cwd));
  if (found.length === 0) {
    if (options.passWithNoCases) return { files, plan: [], loadErrors: [], problems: [], filesLoaded: 0 };
    throw new UsageError(
      `No eval files in ${options.paths.join(', ')}. They are called ${evalFileForm}; any other file can be named. synapsekit init writes a first one.`,
    );
  }
  await traffic?.prepare?.(files);
  await host.beforeLoading?.();
  const modules: EvalModule[] = [];
  const loadErrors: LoadError[] = [];
  for (const [index, { path }] of found.entries()) {
    if (signal.aborted) break;
    const file = files[index] as string;
    host.onFile?.(file);
    const load = () => loadFile(path, { timeoutMs: options.timeoutMs, signal });
    const loaded = await (traffic === undefined
      ? load()
      : traffic.run({ file, trial: 0, role: 'load', signal }, load));
    if (signal.aborted) break;
    if ('exports' in loaded) modules.push({ file, exports: loaded.exports });
    else loadErrors.push(await reportLoadError(file, path, loaded.error));
  }
  const { plan, problems } = collect(modules);
  const incomplete = signal.aborted || loadErrors.length > 0;
  const selected = selectCases(plan, options, { lines: linesOf(found, files), incomplete });
  const marked = options.strict ? selected.filter(({ case: { mode } }) => mode === 'only') : [];
  return {
    files,
    plan: selected,
    loadErrors,
    filesLoaded: modules.length + loadErrors.length,
    problems: [
      ...problems,
      ...marked.map(
        ({ case: { name }, file }) =>
          `${file}: "${name}" is marked "only". Under --strict, which is the default in CI, no case may keep the others from running.`,
      ),
    ],
  };
}

/** A path from the working folder, the same on every system: it is part of keys. */
function nameOf(path: string, cwd: string): string {
  return (relative(cwd, path) || path).replaceAll(sep, '/');
}

function linesOf(
  found: readonly FoundFile[],
  files: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const lines = new Map<string, readonly number[]>();
  for (const [index, { lines: picked }] of found.entries()) {
    if (picked !== undefined) lines.set(files[index] as string, picked);
  }
  return lines;
}
