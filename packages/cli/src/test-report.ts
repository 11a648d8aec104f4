import type { ErrorReport, RunResult, SuiteResult } from '@synapsekit/eval';
import type { Comparison } from './baseline.ts';
import { exitCodes, interruptedCode } from './io.ts';
import type { LoadedCases } from './load-cases.ts';
import type { LoadError } from './load-error.ts';

/** What `synapsekit test --json` prints. */
export interface TestReport extends RunResult {
  /** What the command exits with. */
  readonly exitCode: number;
  /** The eval files, as paths from the working folder. */
  readonly files: readonly string[];
  readonly loadErrors: readonly LoadError[];
  /** What else is wrong with the files, in sentences. */
  readonly problems: readonly string[];
  /** Errors that nobody caught and that belong to no running case. */
  readonly strayErrors: readonly ErrorReport[];
  /** How far it came before somebody interrupted it, in a sentence; absent when nobody did. */
  readonly interrupted?: string | undefined;
  /** How it compares with a baseline, where one was asked for. */
  readonly comparison?: Comparison | undefined;
}

/** What an exit code is made of. */
export interface RunFacts {
  readonly loaded: Pick<LoadedCases, 'files' | 'loadErrors' | 'problems' | 'filesLoaded'>;
  readonly strayErrors: readonly ErrorReport[];
  readonly signal: AbortSignal;
  /** No file and no case are no error. */
  readonly passWithNoCases: boolean;
  readonly comparison?: Comparison | undefined;
}

/** Puts together how a run went, and what the command exits with. */
export function createReport(result: RunResult, facts: RunFacts): TestReport {
  const { files, loadErrors, problems } = facts.loaded;
  const { strayErrors, signal } = facts;
  const exitCode = exitCodeOf(result, facts);
  return {
    ...result,
    ok: exitCode === exitCodes.ok,
    exitCode,
    files,
    loadErrors,
    problems,
    strayErrors: signal.aborted ? [] : strayErrors,
    ...(signal.aborted && { interrupted: interruption(result, facts) }),
    ...(facts.comparison !== undefined && { comparison: facts.comparison }),
  };
}

function interruption({ cases, byStatus }: RunResult, { loaded, signal }: RunFacts): string {
  const by = signal.reason instanceof Error ? signal.reason.message.replace(/\.$/, '') : 'Interrupted';
  const { files, filesLoaded } = loaded;
  if (filesLoaded < files.length) {
    return `${by} while eval files were loaded: ${filesLoaded} of ${files.length} were, and no case has run.`;
  }
  return `${by}: ${cases.length - byStatus['not-run']} of ${cases.length} cases had ended. synapsekit test --resume goes on.`;
}

/** The first of these that is true: interrupted, unusable, failed, a replay miss, a regression, incomplete. */
function exitCodeOf(result: RunResult, facts: RunFacts): number {
  const { loaded, strayErrors, signal, passWithNoCases, comparison } = facts;
  if (signal.aborted) return interruptedCode(signal);
  if (loaded.loadErrors.length > 0 || loaded.problems.length > 0) return exitCodes.unusable;
  const { cases, suites, failed, passed } = result;
  const misses = cases.filter(({ status, stop }) => status === 'error' && stop === 'replay-miss').length;
  const missed = ({ status, stop }: Pick<SuiteResult, 'status' | 'stop'>): boolean =>
    status === 'error' && stop === 'replay-miss';
  const lost = suites.some(
    (suite) => (suite.status === 'failed' || suite.status === 'error') && !missed(suite),
  );
  // Of requests that belong to no case: the body of a file asked, or work that it began there.
  const stop = result.billed?.stop?.kind;
  if (failed > misses || lost || strayErrors.length > 0 || stop === 'blocked') return exitCodes.failed;
  if (misses > 0 || stop === 'replay-miss' || suites.some(missed)) return exitCodes.replayMiss;
  if (comparison !== undefined && comparison.regressions.length > 0) return exitCodes.regressed;
  const unpaid = stop === 'budget' || suites.some((suite) => suite.stop === 'budget');
  if (unpaid || cases.some(({ status }) => status === 'not-run')) return exitCodes.incomplete;
  if (cases.length === 0 && passWithNoCases) return exitCodes.ok;
  // Nothing that passed is nothing that was shown.
  return passed > 0 ? exitCodes.ok : exitCodes.failed;
}
