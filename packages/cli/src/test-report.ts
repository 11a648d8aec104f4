import type { ErrorReport, RunResult } from '@synapsekit/eval';
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
}

/** Puts together how a run went, and what the command exits with. */
export function createReport(
  result: RunResult,
  { files, loadErrors, problems }: LoadedCases,
  strayErrors: readonly ErrorReport[],
  signal: AbortSignal,
): TestReport {
  const unusable = loadErrors.length > 0 || problems.length > 0;
  const ok = result.ok && !unusable && strayErrors.length === 0 && !signal.aborted;
  let exitCode: number = ok ? exitCodes.ok : exitCodes.failed;
  if (unusable) exitCode = exitCodes.unusable;
  if (signal.aborted) exitCode = interruptedCode(signal);
  return { ...result, ok, exitCode, files, loadErrors, problems, strayErrors };
}
