import { relative } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CostMeter,
  crashCase,
  createTextReporter,
  type ErrorReport,
  type PlannedCase,
  ProviderLimiter,
  type Redact,
  type RunObserver,
  redactValues,
  reportCost,
  reportError,
  runCases,
  secretsOf,
  type TextReporter,
} from '@synapsekit/eval';
import { type Baseline, formatComparison, readBaseline } from './baseline.ts';
import { BatchedOutput } from './batched-output.ts';
import { usesColor } from './colors.ts';
import type { CommandArgs } from './command.ts';
import { createTraffic, type Traffic } from './create-traffic.ts';
import { checkBudget, lastRunFor, notPassed, planOf, priorResult } from './earlier-run.ts';
import { formatProblems, formatStrayErrors, formatVerdict } from './format-problems.ts';
import { type CliIo, exitCodes } from './io.ts';
import { journalPath, type LastRun, RunJournal } from './last-run.ts';
import { formatList, listAsJson } from './list-cases.ts';
import { type LoadedCases, loadCases } from './load-cases.ts';
import { Progress } from './progress.ts';
import { checkReportFiles, format, removeReports, writeReportFiles } from './report-files.ts';
import { rerunCommand } from './rerun-command.ts';
import { checkBaselineSelection, compare, keepBaseline } from './run-baseline.ts';
import type { Selection } from './select-cases.ts';
import type { TestOptions } from './test-options.ts';
import { createReport, type TestReport } from './test-report.ts';
import type { Watchdog } from './watchdog.ts';

/** What the parts of a test run share. */
interface TestRun {
  readonly options: TestOptions;
  readonly io: CliIo;
  /** Standard output of the text reporters. */
  readonly output: BatchedOutput;
  /** Measures everything, loading included. */
  readonly meter: CostMeter;
  readonly traffic: Traffic;
  readonly baseline: Baseline | undefined;
  /** The run that this one goes on with. */
  readonly last: LastRun | undefined;
  /** What of it runs again; `undefined` for everything. */
  readonly again: Selection['again'];
  readonly progress: Progress | undefined;
  readonly watchdog: Watchdog | undefined;
  /** Errors that nobody caught, outside of cases. */
  readonly strays: ErrorReport[];
  /** Takes the secrets of the environment out of what is told. */
  readonly redact: Redact;
}

/** Beyond its own time, a case that does not give way gets so long before the process is killed, in milliseconds. */
const watchdogGraceMs = 5_000;

/**
 * Finds, loads and runs cases, and prints how it went.
 *
 * @throws UsageError when there is nothing to run.
 */
export async function runTest(options: TestOptions, args: CommandArgs, io: CliIo): Promise<number> {
  checkBaselineSelection(options);
  checkReportFiles(options.reporters, io.cwd);
  const last = lastRunFor(options, io.cwd);
  const again = options.onlyFailed && last !== undefined ? notPassed(last) : undefined;
  if (options.onlyFailed && again === undefined) {
    io.stdout.write('Every case of the last run passed: nothing to run again.\n');
    return exitCodes.ok;
  }
  if (!options.list) removeReports(options.reporters, io.cwd);
  const limiter = new ProviderLimiter({ perProvider: options.perProvider });
  // A baseline that is not there is told before anything is paid.
  const baseline = options.compare === undefined ? undefined : readBaseline(options.compare, io.cwd);
  const traffic = await createTraffic(args, io, { limiter });
  const redact = redactValues(secretsOf(io.env));
  const onTerminal = io.stderr.isTTY === true && io.env.CI === undefined;
  const progress = onTerminal ? new Progress(io.stderr) : undefined;
  const strays: ErrorReport[] = [];
  const endGuard = io.host?.guard({
    onError(error) {
      // An interrupted case may drop its work as it likes.
      if (!crashCase(error) && !io.signal.aborted) strays.push(redact(reportError(error)));
    },
    onExit: (error) => crashCase(error, 'it tried to end the process'),
  });
  const output = new BatchedOutput(io.stdout);
  const endIntercept = io.host?.interceptOutput({
    beforeWrite() {
      progress?.hide();
      output.flush();
    },
    onOutput: (end) => output.others(end),
    toStderr: screenReporter(options) !== 'default' && screenReporter(options) !== 'minimal',
  });
  const watchdog = await startWatchdog(options, io);
  const meter = new CostMeter({ reprice: traffic.reprice });
  try {
    return await meter.run(() =>
      loadAndRun({
        options,
        io,
        output,
        meter,
        traffic,
        progress,
        watchdog,
        strays,
        baseline,
        last,
        again,
        redact,
      }),
    );
  } finally {
    watchdog?.stop();
    output.flush();
    await closeTraffic(traffic); // where it did not come to that
    meter.close();
    progress?.hide();
    endIntercept?.();
    endGuard?.();
  }
}

async function loadAndRun(run: TestRun): Promise<number> {
  const { options, io, traffic, last, again, watchdog } = run;
  if (options.resume) checkBudget(last, traffic);
  const found = await loadCases(
    { ...options, again },
    {
      cwd: io.cwd,
      signal: io.signal,
      traffic: traffic.controller,
      beforeLoading: prepareLoader(io),
      onFile: (file) => watchdog?.onFile(file),
    },
  );
  const { loadErrors, problems } = run.redact({ loadErrors: found.loadErrors, problems: found.problems });
  const loaded = { ...found, loadErrors, problems };
  io.stderr.write(formatProblems(loaded, io.cwd));
  return options.list ? list(run, loaded) : runAndReport(run, loaded);
}

/** Teaches Node to load TypeScript as projects write it; not in tests of this package, whose modules others load. */
function prepareLoader(io: CliIo): (() => Promise<void>) | undefined {
  if (io.host === undefined) return undefined;
  return async () => {
    const { installHooks } = await import('./loader/hooks.ts');
    installHooks(io.host?.onModule);
  };
}

function list({ options, io }: TestRun, { plan, loadErrors, problems }: LoadedCases): number {
  const json = screenReporter(options) === 'json';
  io.stdout.write(json ? `${JSON.stringify(listAsJson(plan), undefined, 2)}\n` : formatList(plan));
  return loadErrors.length + problems.length > 0 ? exitCodes.unusable : exitCodes.ok;
}

async function runAndReport(run: TestRun, loaded: LoadedCases): Promise<number> {
  const { options, io, meter, progress, strays, traffic, watchdog } = run;
  const { plan } = loaded;
  const last = options.resume ? run.last : undefined;
  // With nothing to run, what is wrong has been said already.
  const reporter = plan.length === 0 ? undefined : textReporter(run, plan);
  const journal = new RunJournal(io.cwd, { now: () => performance.now(), shard: options.shard });
  journal.begin({
    startedAt: new Date().toISOString(),
    budgetUsd: traffic.mode === 'replay' ? undefined : traffic.budgetUsd,
    ...planOf(loaded, last),
  });
  const longest = plan.reduce((most, { timeoutMs = options.timeoutMs }) => Math.max(most, timeoutMs), 0);
  watchdog?.begin(plan, longest + watchdogGraceMs);
  const { concurrency, timeoutMs, retry, trials, bail, seed, shuffle, strict } = options;
  const result = await runCases(plan, {
    concurrency,
    timeoutMs,
    retry,
    trials,
    bail,
    seed,
    shuffle,
    strict,
    secrets: secretsOf(io.env),
    traffic: traffic.controller,
    prior: last === undefined ? undefined : (planned) => priorResult(planned, last),
    signal: io.signal,
    observers: [
      { onCaseEnd: (ended) => journal.add(ended) },
      ...(watchdog ? [watchdog] : []),
      ...(progress ? [progress] : []),
      ...(reporter ? [{ ...reporter, onRunEnd() {} } satisfies RunObserver] : []),
    ],
  });
  await nextTurn(); // rejections that nobody handles are known a turn later
  journal.flush();
  const problems = [...loaded.problems, ...run.redact(await closeTraffic(traffic))];
  const measured = {
    ...result,
    ...(last === undefined && { cost: reportCost(meter.cost) }),
    loadCost: reportCost(meter.ownCost),
    billed: traffic.controller.total(), // with what came after the last case
  };
  const comparison = compare(options, run.baseline, measured);
  problems.push(...keepBaseline(options, loaded, measured, io.cwd));
  const facts = {
    strayErrors: strays,
    signal: io.signal,
    passWithNoCases: options.passWithNoCases,
    comparison,
  };
  let report = createReport(measured, { ...facts, loaded: { ...loaded, problems } });
  const unwritten = await writeReportFiles(options.reporters, report, io.cwd);
  if (unwritten.length > 0) {
    problems.push(...unwritten);
    report = createReport(measured, { ...facts, loaded: { ...loaded, problems } });
  }
  journal.end(report.exitCode);
  await print(run, report, { reporter, later: problems.slice(loaded.problems.length), journal });
  return report.exitCode;
}

async function print(
  { options, io, output, traffic }: TestRun,
  report: TestReport,
  {
    reporter,
    later,
    journal,
  }: {
    readonly reporter: TextReporter | undefined;
    readonly later: readonly string[];
    readonly journal: RunJournal;
  },
): Promise<void> {
  const screen = screenReporter(options);
  const text = screen === 'default' || screen === 'minimal';
  output.flush();
  if (!text) io.stdout.write(await format(screen, report, io.cwd));
  io.stderr.write(formatStrayErrors(report.strayErrors, io.cwd));
  reporter?.onRunEnd(report);
  output.flush();
  if (text && report.comparison !== undefined) io.stdout.write(formatComparison(report.comparison));
  for (const problem of later) io.stderr.write(`${problem}\n`);
  if (journal.problem !== undefined) io.stderr.write(`${journal.problem}\n`);
  if (text) io.stderr.write(formatVerdict({ ...report, budgetUsd: traffic.budgetUsd }));
}

async function closeTraffic({ controller }: Traffic): Promise<readonly string[]> {
  try {
    await controller.close();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Only in a process of its own, where there is something to kill. */
async function startWatchdog({ timeoutMs, shard }: TestOptions, io: CliIo): Promise<Watchdog | undefined> {
  if (io.host === undefined) return undefined;
  const { Watchdog } = await import('./watchdog.ts');
  return new Watchdog({
    limitMs: timeoutMs + watchdogGraceMs,
    resultsPath: relative(io.cwd, journalPath(io.cwd, shard)),
  });
}

/** What goes to standard output. */
function screenReporter({ reporters }: TestOptions): TestOptions['reporters'][number]['name'] {
  return reporters.find(({ file }) => file === undefined)?.name ?? 'default';
}

function textReporter(
  { options, io, output, progress }: TestRun,
  plan: readonly PlannedCase[],
): TextReporter | undefined {
  const name = screenReporter(options);
  if (name !== 'default' && name !== 'minimal') return undefined;
  return createTextReporter({
    color: usesColor(io, io.stdout, options.noColor),
    cwd: io.cwd,
    minimal: name === 'minimal',
    rerun: rerunCommand(plan, options),
    write(text) {
      progress?.hide();
      output.write(text);
    },
  });
}
