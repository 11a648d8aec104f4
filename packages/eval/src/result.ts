import type { CallReport } from './call-report.ts';
import type { ErrorReport } from './error-report.ts';
import type { TrafficReport } from './traffic-control.ts';

/**
 * How a case ended.
 * - `"passed"`: it ran, something judged it, and all of it held.
 * - `"failed"`: a metric or an assertion did not hold.
 * - `"error"`: it crashed, ran out of time, or a metric did.
 * - `"unchecked"`: it ran, and nothing judged it. Not a pass.
 * - `"not-run"`: the run was interrupted before it ended, or its budget was spent. Neither a pass nor a failure.
 * - `"skipped"`, `"todo"`: left out because the file says so.
 */
export type CaseStatus = 'passed' | 'failed' | 'error' | 'unchecked' | 'not-run' | 'skipped' | 'todo';

/** What a metric said of a case. */
export interface MetricResult {
  readonly name: string;
  readonly pass: boolean;
  /** The figures: `"$0.0000023 < $0.001"`. */
  readonly detail?: string | undefined;
  /** Set when the metric itself crashed. */
  readonly error?: ErrorReport | undefined;
}

/** A measured cost, JSON-safe. Amounts are dollars as exact decimal strings. */
export interface CostReport {
  /** The sum of what was recorded with a price. */
  readonly usd: string;
  readonly calls: number;
  readonly estimatedCalls: number;
  /** How many calls may have cost something that is not in `usd`. */
  readonly missingCalls: number;
  /** What is missing and why. */
  readonly missing: readonly string[];
  /** What the case said that it cost, if it did. */
  readonly reportedUsd?: string | undefined;
}

/** How a case ended, and why. */
export interface CaseEnding {
  readonly status: CaseStatus;
  /** Why it did not pass, in a clause, where no metric and no error says it. */
  readonly reason?: string | undefined;
  /** More of it: lines that are printed as they are. */
  readonly reasonDetail?: string | undefined;
  /** What was thrown, for errors and failed assertions. */
  readonly error?: ErrorReport | undefined;
  /** What stopped it at the HTTP boundary. */
  readonly stop?: 'budget' | 'replay-miss' | 'blocked' | undefined;
}

/** One run of a case. */
export interface TrialResult extends CaseEnding {
  readonly metrics: readonly MetricResult[];
  /** How many assertions held. */
  readonly assertions: number;
  readonly cost: CostReport;
  /** Milliseconds, measured. 0 when it did not run. */
  readonly latencyMs: number;
  /** What the case said that it took, if it did. */
  readonly reportedLatencyMs?: number | undefined;
  /** The beginning of its output, if it failed: at most 2,000 characters. */
  readonly output?: string | undefined;
  /** Every call that it made, if there was one; of more than 200 the first 200. */
  readonly calls?: readonly CallReport[] | undefined;
  /** What went over the wire, where something stands there and saw any of it. */
  readonly traffic?: TrafficReport | undefined;
}

/**
 * How one case went. With several trials it shows the one that decided: the first that did not pass, else the last;
 * `cost` and `traffic` are the sums of all.
 */
export interface CaseResult extends TrialResult {
  readonly name: string;
  readonly description?: string | undefined;
  readonly tags: readonly string[];
  /** Name of its suite, if that has one. */
  readonly suite?: string | undefined;
  /** The file it comes from, where the runner knows it. */
  readonly file?: string | undefined;
  /** Where in this file it is defined. Lines and columns count from 1. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Where it is defined, `path:line:column`, if that is another file. */
  readonly definedAt?: string | undefined;
  /** True when it passed only when it was run again. */
  readonly flaky?: boolean | undefined;
  /** Each of its runs, where there were several. */
  readonly trials?: readonly TrialResult[] | undefined;
}

/** What a metric on a whole suite said. */
export interface SuiteResult {
  /** Name of the suite, if it has one; of a case whose trials are judged together, its name. */
  readonly name?: string | undefined;
  readonly file?: string | undefined;
  /** `"not-run"`: some of its cases did not run, or the budget did not allow it, so something was not judged. */
  readonly status: 'passed' | 'failed' | 'error' | 'not-run';
  readonly metrics: readonly MetricResult[];
  /** What was stopped at the HTTP boundary while it was judged; see `TrafficStop`. */
  readonly stop?: 'budget' | 'replay-miss' | 'blocked' | undefined;
}

/** How a run went. JSON-safe. */
export interface RunResult {
  /** Version of this shape. */
  readonly version: 1;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** What its random numbers and orders came from. */
  readonly seed: number;
  /** True when at least one case passed, none that ran did anything else, and all that were to run did. */
  readonly ok: boolean;
  readonly total: number;
  readonly passed: number;
  /** Everything that ran and did not pass: failed, errors, and unchecked ones under `strict`. */
  readonly failed: number;
  readonly byStatus: Readonly<Record<CaseStatus, number>>;
  /** How many passed only when they were run again. */
  readonly flaky: number;
  /** Everything the run cost, each attempt once: cases, judges, and what happened outside of both. */
  readonly cost: CostReport;
  /** The part of it that metrics caused: models as judges. */
  readonly judgeCost: CostReport;
  /** The part of it that loading the eval files caused, where a host measured that. */
  readonly loadCost?: CostReport | undefined;
  /** What was really spent and went over the wire, where something stands there. */
  readonly billed?: TrafficReport | undefined;
  /** In the order of their definition. */
  readonly cases: readonly CaseResult[];
  /** What judges cases together; empty where nothing does. */
  readonly suites: readonly SuiteResult[];
}
