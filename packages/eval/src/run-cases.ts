import {
  type Clock,
  linkSignals,
  type Random,
  rejectUnknownKeys,
  requireNumber,
  systemRandom,
} from '@synapsekit/core';
import { checkRepeats, type EvalCase } from './case.ts';
import { listenToEvents } from './case-events.ts';
import { RunningCases } from './case-watch.ts';
import type { Reprice } from './charge.ts';
import { CostMeter } from './cost-meter.ts';
import { addCosts, reportCost } from './cost-report.ts';
import { countResults } from './count-results.ts';
import { realClock } from './real-clock.ts';
import { redactValues } from './redact-values.ts';
import type { CaseResult, CostReport, RunResult, SuiteResult } from './result.ts';
import { leftOut, notRun, runPlannedCase } from './run-planned-case.ts';
import { judgeSuites } from './run-suite-metrics.ts';
import { schedule } from './schedule.ts';
import { seededRandom, shuffle } from './seeded-random.ts';
import { type EvalSuite, type PlannedCase, planCase } from './suite.ts';
import { secretsOf } from './tape/secret-scan.ts';
import type { TrafficController } from './traffic-control.ts';

/** Told how a run goes on. */
export interface RunObserver {
  onRunStart?(plan: readonly PlannedCase[]): void;
  /** `index` is the place of the case in the plan. Cases run side by side, so they begin and end in any order. */
  onCaseStart?(planned: PlannedCase, index: number): void;
  /** A part of a case begins: its function (`""`), or the metric of this name. */
  onCaseStep?(step: string, index: number): void;
  onCaseEnd?(result: CaseResult, index: number): void;
  onRunEnd?(result: RunResult): void;
}

/** How cases are run. */
export interface RunOptions {
  /** Interrupts the run: running cases are aborted, the others are not begun. The result says so. */
  readonly signal?: AbortSignal | undefined;
  /** How many cases run at a time. Cases under a latency limit always run alone. @default 4 */
  readonly concurrency?: number | undefined;
  /** For cases, and metrics on suites, that have none of their own, in milliseconds. @default 60 000 */
  readonly timeoutMs?: number | undefined;
  /** How often cases that say nothing themselves are run again when they do not pass. @default 0 */
  readonly retry?: number | undefined;
  /** How often cases that say nothing themselves are run; all trials must pass. @default 1 */
  readonly trials?: number | undefined;
  /** Begins no more cases once so many have not passed. @default never */
  readonly bail?: number | undefined;
  /** A case that nothing judges counts as failed. @default true */
  readonly strict?: boolean | undefined;
  /** Where `random` of the cases, and the order of `shuffle`, come from. @default a random one; the result tells it */
  readonly seed?: number | undefined;
  /** Runs the cases in an order that the seed determines; reports keep that of their definition. @default false */
  readonly shuffle?: boolean | undefined;
  /** What stands at the HTTP boundary. It is not closed here. */
  readonly traffic?: TrafficController | undefined;
  /** Prices every record anew. @default the prices of whoever recorded */
  readonly reprice?: Reprice | undefined;
  /**
   * Secrets by their name: results do not repeat their values.
   * @default those of the environment, by the names of its variables
   */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Results of an earlier run that this one goes on with: such a case is not run again, and counts as it ended. */
  readonly prior?: ((planned: PlannedCase) => CaseResult | undefined) | undefined;
  readonly observers?: readonly RunObserver[] | undefined;
  /** @default the real one, whatever cases put in the place of `setTimeout` and `Date` */
  readonly clock?: Clock | undefined;
  /** Mints the seed. @default systemRandom */
  readonly random?: Random | undefined;
}

/** As long as a timer can be: some 24 days. */
const longestMs = 2 ** 31 - 1;

const optionKeys: readonly (keyof RunOptions)[] = [
  'signal',
  'concurrency',
  'timeoutMs',
  'retry',
  'trials',
  'bail',
  'strict',
  'seed',
  'shuffle',
  'traffic',
  'reprice',
  'secrets',
  'prior',
  'observers',
  'clock',
  'random',
];

/**
 * Runs a suite. Whatever its cases do, it resolves: crashes, failures and interruptions are in the result.
 *
 * @throws ConfigError for wrong options; what an observer throws.
 */
export function runSuite(suite: Pick<EvalSuite, 'plan'>, options?: RunOptions): Promise<RunResult> {
  return runCases(suite.plan(), options);
}

/**
 * Runs one case with its own metrics.
 *
 * @throws ConfigError for wrong options; what an observer throws.
 */
export async function runCase(each: EvalCase, options?: RunOptions): Promise<CaseResult> {
  const planned = planCase(each);
  const { cases } = await runCases([planned], options);
  return cases[0] ?? notRun(planned);
}

/**
 * Runs what `plan` says, of any number of suites.
 *
 * @throws ConfigError for wrong options; what an observer, `prior` or the `traffic` throws.
 */
export async function runCases(plan: readonly PlannedCase[], options: RunOptions = {}): Promise<RunResult> {
  const settings = readOptions(options);
  const { clock, seed, observers, traffic, concurrency } = settings;
  const startedAt = new Date(clock.now()).toISOString();
  const startedMs = clock.monotonic();
  const link = linkSignals(options.signal);
  const { signal } = link;
  const running = new RunningCases(signal);
  const meter = new CostMeter({ reprice: options.reprice });
  const judges = meter.run(() => new CostMeter());
  // A case that waits for nothing must not let the process end before its time is up.
  const over = new AbortController();
  clock.sleep(longestMs, { signal: over.signal }).catch(() => {});
  const endListening = listenToEvents();

  const failures: unknown[] = [];
  /** Nobody would see the results. */
  const giveUp = (error: unknown): void => {
    failures.push(error);
    link.abort(error);
  };
  const tell = (message: (observer: RunObserver) => void): void => {
    try {
      for (const observer of observers) message(observer);
    } catch (error) {
      giveUp(error);
    }
  };
  const steps = observers.some(({ onCaseStep }) => onCaseStep !== undefined);
  const results: CaseResult[] = new Array(plan.length);
  const redact = redactValues(options.secrets ?? secretsOf(process.env));
  const keep = (told: CaseResult, index: number): void => {
    const result = redact(told);
    results[index] = result;
    tell((observer) => observer.onCaseEnd?.(result, index));
  };
  /** What results of an earlier run have cost. */
  const taken: CostReport[] = [];
  let failed = 0;
  const onlySome = plan.some(({ case: { mode } }) => mode === 'only');
  const tasks = plan.map((planned, index) => ({
    exclusive: planned.metrics.some(({ exclusive }) => exclusive === true),
    async run() {
      const absent = leave(planned, onlySome);
      if (absent !== undefined) return keep(absent, index);
      const earlier = options.prior?.(planned);
      if (earlier !== undefined) {
        taken.push(earlier.cost);
        return keep(earlier, index);
      }
      if (signal.aborted) return keep(notRun(planned), index);
      if (failed >= settings.bail) {
        const many = failed === 1 ? 'a case' : `${failed} cases`;
        return keep(notRun(planned, `the run ended early, after ${many} had not passed`), index);
      }
      tell((observer) => observer.onCaseStart?.(planned, index));
      const onStep = steps
        ? (step: string) => tell((observer) => observer.onCaseStep?.(step, index))
        : () => {};
      const host = { clock, timeoutMs: settings.timeoutMs, running, judges, seed, traffic, onStep };
      const result = await runPlannedCase(planned, host, settings);
      const isBad = result.status !== 'unchecked' || settings.strict;
      if (result.status !== 'passed' && result.status !== 'not-run' && isBad) failed++;
      keep(result, index);
    },
  }));

  // What breaks here is no case: the results of an earlier run, who stands at the HTTP boundary.
  const guarded = tasks.map(({ exclusive, run }) => ({ exclusive, run: () => run().catch(giveUp) }));
  try {
    tell((observer) => observer.onRunStart?.(plan));
    const order = settings.shuffle ? shuffle(guarded, seededRandom(seed, 'order')) : guarded;
    await meter.run(() => schedule(order, concurrency));
    if (failures.length > 0)
      for (const [index, planned] of plan.entries()) results[index] ??= notRun(planned);
    const suiteHost = { clock, timeoutMs: settings.timeoutMs, running, judges, traffic };
    const suites = redact(await meter.run(() => judgeAll(plan, results, suiteHost)));
    const result: RunResult = {
      version: 1,
      startedAt,
      durationMs: Math.round(clock.monotonic() - startedMs),
      seed,
      ...countResults(results, suites, settings.strict),
      cost: addCosts(reportCost(meter.cost), taken),
      judgeCost: reportCost(judges.cost),
      ...(traffic !== undefined && { billed: traffic.total() }),
      cases: results,
      suites,
    };
    tell((observer) => observer.onRunEnd?.(result));
    if (failures.length > 0) throw failures[0];
    return result;
  } finally {
    over.abort('over');
    endListening();
    judges.close();
    meter.close();
    link.dispose();
  }
}

async function judgeAll(...args: Parameters<typeof judgeSuites>): Promise<readonly SuiteResult[]> {
  try {
    return await judgeSuites(...args);
  } catch (error) {
    if (args[2].running.signal.aborted) return []; // what a suite metric did when the run was interrupted
    throw error;
  }
}

/** The result of a case that the file leaves out; `undefined` for one that is to be run. */
function leave(planned: PlannedCase, onlySome: boolean): CaseResult | undefined {
  const { mode, skipReason } = planned.case;
  if (mode === 'todo') return leftOut(planned, 'todo');
  if (mode === 'skip') return leftOut(planned, 'skipped', skipReason);
  if (onlySome && mode !== 'only') return leftOut(planned, 'skipped', 'other cases are marked "only"');
  return undefined;
}

function readOptions(options: RunOptions) {
  rejectUnknownKeys(options, optionKeys, 'RunOptions');
  const { concurrency = 4, timeoutMs = 60_000, retry = 0, trials = 1, strict = true } = options;
  const { observers = [], clock = realClock, random = systemRandom, traffic } = options;
  requireNumber(concurrency, 'concurrency', { integer: true, min: 1 });
  requireNumber(timeoutMs, 'timeoutMs', { above: 0 });
  checkRepeats('RunOptions', { retry, trials });
  const { bail = Number.POSITIVE_INFINITY, seed = Math.floor(random() * 2 ** 31) } = options;
  if (bail !== Number.POSITIVE_INFINITY) requireNumber(bail, 'bail', { integer: true, min: 1 });
  requireNumber(seed, 'seed', { integer: true, min: 0 });
  const { shuffle: mixed = false } = options;
  return {
    concurrency,
    timeoutMs,
    retry,
    trials,
    strict,
    observers,
    clock,
    traffic,
    bail,
    seed,
    shuffle: mixed,
  };
}
