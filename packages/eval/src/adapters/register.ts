import type { EvalCase } from '../case.ts';
import { isEvalCase } from '../case.ts';
import { RunningCases } from '../case-watch.ts';
import { CostMeter } from '../cost-meter.ts';
import { formatCase, formatSuite } from '../format-case.ts';
import { createPaint } from '../paint.ts';
import { realClock } from '../real-clock.ts';
import type { CaseResult, SuiteResult } from '../result.ts';
import { type RunOptions, runCases } from '../run-cases.ts';
import { judgeSuites } from '../run-suite-metrics.ts';
import { type EvalSuite, isEvalSuite, type PlannedCase, planCase } from '../suite.ts';

/** What can be registered in a test runner. */
export type Registrable = EvalSuite | EvalCase | readonly (EvalSuite | EvalCase)[];

/** What registered cases run with: what a run has, but for what the test runner itself decides. */
export type AdapterOptions = Omit<
  RunOptions,
  'observers' | 'concurrency' | 'bail' | 'shuffle' | 'signal' | 'prior'
>;

/** The part of a test runner that cases are registered with. */
export interface TestRunner {
  /** Defines a test; `timeoutMs` is longer than the case may take, so that the case ends first. */
  test(name: string, options: TestFacts, run: (signal: AbortSignal | undefined) => Promise<void>): void;
  /** Runs something when all tests around have ended, in whatever order they ran. It fails them when it throws. */
  after(timeoutMs: number, run: () => Promise<void>): void;
}

/** How a test takes part. */
interface TestFacts {
  readonly skip: boolean;
  readonly todo: boolean;
  readonly only: boolean;
  readonly timeoutMs: number;
}

const defaultTimeoutMs = 60_000;
/** More than the runner itself takes to abort a case and to judge it. */
const graceMs = 5_000;

/**
 * Registers cases as tests of another runner. Each runs as `synapsekit test` runs it, with cost, metrics, retries and
 * trials, and fails its test with what would have been printed. What judges a suite as a whole comes when all of them
 * have ended: as a test it could come before them, where they are shuffled, filtered, or run side by side.
 */
export function registerCases(what: Registrable, options: AdapterOptions, runner: TestRunner): void {
  const plan = planOf(what);
  const results = new Map<PlannedCase, CaseResult>();
  for (const planned of plan) {
    const { mode, name } = planned.case;
    const facts = {
      skip: mode === 'skip',
      todo: mode === 'todo',
      only: mode === 'only',
      timeoutMs: longest(planned, options),
    };
    runner.test(name, facts, async (signal) => {
      const { cases } = await runCases([{ ...planned, case: runnable(planned.case) }], {
        ...options,
        ...(signal !== undefined && { signal }),
      });
      const [result] = cases;
      if (result === undefined) return;
      results.set(planned, result);
      if (result.status !== 'passed') throw new EvalFailure(formatCase(result, { paint: plain }));
    });
  }
  const together = plan.filter(({ groups = [] }) => groups.length > 0);
  const groups = new Set(together.flatMap((planned) => planned.groups ?? []));
  if (groups.size === 0) return;
  let timeoutMs = graceMs;
  for (const { metrics, timeoutMs: own = options.timeoutMs ?? defaultTimeoutMs } of groups) {
    timeoutMs += metrics.length * (own + graceMs);
  }
  runner.after(timeoutMs, async () => {
    const judged = await judgeTogether(together, results, options);
    const bad = judged.filter(
      ({ status, stop }) => status === 'failed' || status === 'error' || stop !== undefined,
    );
    if (bad.length > 0) throw new EvalFailure(bad.map((suite) => formatSuite(suite, plain)).join('\n'));
  });
}

const plain = createPaint(false);

/** A case that did not pass. Its message is the report; a stack of the runner would say nothing. */
export class EvalFailure extends Error {
  override readonly name: string = 'EvalFailure';

  constructor(report: string) {
    super(report.trimEnd());
    this.stack = `EvalFailure: ${this.message}`;
  }
}

async function judgeTogether(
  plan: readonly PlannedCase[],
  results: ReadonlyMap<PlannedCase, CaseResult>,
  { clock = realClock, timeoutMs = defaultTimeoutMs, reprice, traffic }: AdapterOptions,
): Promise<readonly SuiteResult[]> {
  // Those that the test runner left out were not selected.
  const ran = plan.filter((planned) => results.has(planned));
  const judges = new CostMeter({ reprice });
  const running = new RunningCases(new AbortController().signal);
  try {
    const ended = ran.map((planned) => results.get(planned)).filter((result) => result !== undefined);
    return await judgeSuites(ran, ended, { clock, timeoutMs, running, judges, traffic });
  } finally {
    judges.close();
  }
}

/** Whether it is left out is the test runner's business by now. */
function runnable(each: EvalCase): EvalCase {
  return each.mode === 'run' ? each : { ...each, mode: 'run' };
}

function longest({ timeoutMs, retry, trials }: PlannedCase, options: AdapterOptions): number {
  const times = Math.max(1 + (retry ?? options.retry ?? 0), trials ?? options.trials ?? 1);
  return times * ((timeoutMs ?? options.timeoutMs ?? defaultTimeoutMs) + graceMs);
}

function planOf(what: Registrable): readonly PlannedCase[] {
  const things: readonly unknown[] = Array.isArray(what) ? what : [what];
  return things.flatMap((thing) => {
    if (isEvalSuite(thing)) return thing.plan();
    if (isEvalCase(thing)) return [planCase(thing)];
    throw new TypeError(
      'Only eval cases and suites can be registered: what evalCase(…) and new EvalSuite(…) return.',
    );
  });
}
