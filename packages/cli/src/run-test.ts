import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CostMeter,
  crashCase,
  createTextReporter,
  type ErrorReport,
  reportCost,
  reportError,
  runCases,
  type TextReporter,
} from '@synapsekit/eval';
import { usesColor } from './colors.ts';
import { formatProblems, formatStrayErrors, formatVerdict } from './format-problems.ts';
import { type CliIo, exitCodes } from './io.ts';
import { formatList, listAsJson } from './list-cases.ts';
import { type LoadedCases, loadCases } from './load-cases.ts';
import { Progress } from './progress.ts';
import type { TestOptions } from './test-options.ts';
import { createReport } from './test-report.ts';

/** What the parts of a test run share. */
interface TestRun {
  readonly options: TestOptions;
  readonly io: CliIo;
  /** Measures everything, loading included. */
  readonly meter: CostMeter;
  readonly progress: Progress | undefined;
  /** Errors that nobody caught, outside of cases. */
  readonly strays: ErrorReport[];
}

/**
 * Finds, loads and runs cases, and prints how it went.
 *
 * @throws UsageError when there is nothing to run.
 */
export async function runTest(options: TestOptions, io: CliIo): Promise<number> {
  const onTerminal = io.stderr.isTTY === true && io.env.CI === undefined;
  const progress = onTerminal ? new Progress(io.stderr) : undefined;
  const strays: ErrorReport[] = [];
  const endGuard = io.host?.guard({
    onError(error) {
      // An interrupted case may drop its work as it likes.
      if (!crashCase(error) && !io.signal.aborted) strays.push(reportError(error));
    },
    onExit: (error) => crashCase(error, 'it tried to end the process'),
  });
  const endIntercept = io.host?.interceptOutput({
    beforeWrite: () => progress?.hide(),
    toStderr: options.json,
  });
  const meter = new CostMeter();
  try {
    return await meter.run(() => loadAndRun({ options, io, meter, progress, strays }));
  } finally {
    meter.close();
    progress?.hide();
    endIntercept?.();
    endGuard?.();
  }
}

async function loadAndRun(run: TestRun): Promise<number> {
  const { options, io } = run;
  const loaded = await loadCases(options, io);
  io.stderr.write(formatProblems(loaded, io.cwd));
  return options.list ? list(run, loaded) : runAndReport(run, loaded);
}

function list({ options, io }: TestRun, { plan, loadErrors, problems }: LoadedCases): number {
  io.stdout.write(options.json ? `${JSON.stringify(listAsJson(plan), undefined, 2)}\n` : formatList(plan));
  return loadErrors.length + problems.length > 0 ? exitCodes.unusable : exitCodes.ok;
}

async function runAndReport(run: TestRun, loaded: LoadedCases): Promise<number> {
  const { options, io, meter, progress, strays } = run;
  const { concurrency, timeoutMs, json } = options;
  // With nothing to run, what is wrong has been said already.
  const reporter = json || loaded.plan.length === 0 ? undefined : textReporter(run);
  const result = await runCases(loaded.plan, {
    concurrency,
    timeoutMs,
    signal: io.signal,
    observers: [...(progress ? [progress] : []), ...(reporter ? [{ ...reporter, onRunEnd() {} }] : [])],
  });
  await nextTurn(); // rejections that nobody handles are known a turn later
  const measured = { ...result, cost: reportCost(meter.cost), loadCost: reportCost(meter.ownCost) };
  const report = createReport(measured, loaded, strays, io.signal);
  if (json) io.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  io.stderr.write(formatStrayErrors(strays, io.cwd));
  reporter?.onRunEnd(measured);
  if (reporter !== undefined) io.stderr.write(formatVerdict(report));
  return report.exitCode;
}

function textReporter({ options, io, progress }: TestRun): TextReporter {
  return createTextReporter({
    color: usesColor(io, io.stdout, options.noColor),
    cwd: io.cwd,
    write(text) {
      progress?.hide();
      io.stdout.write(text);
    },
  });
}
