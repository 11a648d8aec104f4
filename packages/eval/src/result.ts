import type { ErrorReport } from './error-report.ts';

/**
 * How a case ended.
 * - `"passed"`: it ran, something judged it, and all of it held.
 * - `"failed"`: a metric or an assertion did not hold.
 * - `"error"`: it crashed, ran out of time, or a metric did.
 * - `"unchecked"`: it ran, and nothing judged it. Not a pass.
 * - `"not-run"`: the run was interrupted before it ended.
 */
export type CaseStatus = 'passed' | 'failed' | 'error' | 'unchecked' | 'not-run';

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
  /** What was thrown, for errors and failed assertions. */
  readonly error?: ErrorReport | undefined;
}

/** How one case went. */
export interface CaseResult extends CaseEnding {
  readonly name: string;
  readonly description?: string | undefined;
  readonly tags: readonly string[];
  /** Name of its suite, if that has one. */
  readonly suite?: string | undefined;
  /** The file it comes from, where the runner knows it. */
  readonly file?: string | undefined;
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
}

/** How a run went. JSON-safe. */
export interface RunResult {
  /** Version of this shape. */
  readonly version: 1;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** True when there were cases and every one of them passed. */
  readonly ok: boolean;
  readonly total: number;
  readonly passed: number;
  /** Everything that ran and did not pass: failed, errors, unchecked. */
  readonly failed: number;
  readonly byStatus: Readonly<Record<CaseStatus, number>>;
  /** Everything the run cost, each attempt once: cases, judges, and what happened outside of both. */
  readonly cost: CostReport;
  /** The part of it that metrics caused: models as judges. */
  readonly judgeCost: CostReport;
  /** The part of it that loading the eval files caused, where a host measured that. */
  readonly loadCost?: CostReport | undefined;
  /** In the order of their definition. */
  readonly cases: readonly CaseResult[];
}
