import { type Attempt, type BreakerMessage, type BudgetMessage, ConfigError } from '@synapsekit/core';
import type { CallReport } from './call-report.ts';
import type { MeasuredCost } from './measured-cost.ts';
import type { MeasuredTokens } from './measured-tokens.ts';
import { isSuiteMetric, type SuiteMetric } from './suite-metric.ts';

/** One run of a case, as metrics see it. */
export interface CaseRun<Value = unknown> {
  /** Name of the case. */
  readonly name: string;
  /** What the case returned. */
  readonly value: Value;
  /** What is judged: what the case returned if that is a string, its field `output`, or the `text` of a `Generation`. */
  readonly output: unknown;
  /** What the case cost. Measured, not reported. */
  readonly cost: MeasuredCost;
  /** How long the case took, in milliseconds. Measured, not reported. */
  readonly latencyMs: number;
  /** What the case itself says that it cost, in dollars, and took, in milliseconds. */
  readonly reported: { readonly costUsd?: number | undefined; readonly latencyMs?: number | undefined };
  /** The physical attempts that it made: who was asked, who served. */
  readonly attempts: readonly Attempt[];
  /** Every call with its figures: attempts, and what was recorded or sent beside them. In the order of their start. */
  readonly calls: readonly CallReport[];
  /** The tokens of these calls. */
  readonly tokens: MeasuredTokens;
  /** What budgets did while it ran: holds, refusals, bookings. */
  readonly budgetEvents: readonly BudgetMessage[];
  /** What circuit breakers did while it ran. */
  readonly breakerEvents: readonly BreakerMessage[];
  /** The state of every breaker that was heard of in this process, by name, when the case had ended. */
  readonly breakers: ReadonlyMap<string, string>;
  /** Which run of the case this is, from 0. */
  readonly trial: number;
  /** Aborts when the case's time is up or the run is interrupted. Hand it to the calls of a judge. */
  readonly signal: AbortSignal;
}

/** What a metric says. */
export interface MetricVerdict {
  readonly pass: boolean;
  /** The figures, printed in brackets behind the verdict: `"$0.0000023 < $0.001"`. */
  readonly detail?: string | undefined;
}

/** Judges a run of a case. Implement it for metrics of your own; a plain function does for simple ones. */
export interface Metric<Name extends string = string, Value = unknown> {
  /** Printed before the verdict. */
  readonly name: string;
  /** Names of the cases that it judges. @default all cases of the suite */
  readonly applyTo?: readonly Name[] | undefined;
  /** The case must run alone, since what is measured would suffer from company. @default false */
  readonly exclusive?: boolean | undefined;
  /** Calls made in here (a model as judge) count in the total cost of the run, never in the cost of the case. */
  evaluate(run: CaseRun<Value>): MetricVerdict | Promise<MetricVerdict>;
}

/** A metric as a plain function. It is printed under the function's name. */
export type MetricFunction<Value = unknown> = (
  run: CaseRun<Value>,
) => boolean | MetricVerdict | Promise<boolean | MetricVerdict>;

/**
 * A list of metrics and functions as metrics.
 *
 * @throws ConfigError for anything else.
 */
export function toMetrics(
  metrics: readonly (Metric | MetricFunction<never> | SuiteMetric)[],
  where: string,
): readonly (Metric | SuiteMetric)[] {
  if (!Array.isArray(metrics)) {
    throw new ConfigError(`metrics of ${where} must be a list.`, { option: 'metrics' });
  }
  return metrics.map((metric: unknown, index) => {
    if (typeof metric === 'function') return fromFunction(metric as MetricFunction, index);
    if (isMetric(metric)) return metric;
    throw new ConfigError(
      `metrics[${index}] of ${where} must be a metric (a name and an evaluate function) or a plain function.`,
      { option: 'metrics' },
    );
  });
}

function isMetric(value: unknown): value is Metric | SuiteMetric {
  if (typeof value !== 'object' || value === null) return false;
  const { name, evaluate, applyTo } = value as Partial<Metric>;
  return (
    typeof name === 'string' &&
    (typeof evaluate === 'function' || isSuiteMetric(value)) &&
    (applyTo === undefined || Array.isArray(applyTo))
  );
}

function fromFunction(judge: MetricFunction, index: number): Metric {
  return {
    name: judge.name || `metric ${index + 1}`,
    async evaluate(run) {
      const verdict = await judge(run);
      return typeof verdict === 'boolean' ? { pass: verdict } : verdict;
    },
  };
}

/**
 * The options that a metric of this package shares with the others, checked.
 *
 * @throws ConfigError for an empty `applyTo`: a metric that applies to nothing judges nothing.
 */
export function checkApplyTo<Name extends string>(
  applyTo: readonly Name[] | undefined,
  metric: string,
): readonly Name[] | undefined {
  if (applyTo === undefined) return undefined;
  const names: readonly Name[] = Array.isArray(applyTo) ? applyTo : [];
  if (names.length > 0 && names.every((name) => typeof name === 'string')) return [...names];
  throw new ConfigError(
    `applyTo of ${metric} must name at least one case. Leave it out and the metric judges every case.`,
    { option: 'applyTo' },
  );
}
