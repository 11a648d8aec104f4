import type { MeasuredCost } from './measured-cost.ts';
import type { MetricVerdict } from './metric.ts';
import type { CaseResult } from './result.ts';

/** What a metric on a whole suite sees: the cases that it judges, after they have ended. */
export interface SuiteRun {
  /** Name of the suite, if it has one. */
  readonly name?: string | undefined;
  /** The results of the cases that the metric applies to and that were selected; skipped ones are left out. */
  readonly cases: readonly CaseResult[];
  /** How many cases it applies to in all, also those that were not selected. */
  readonly total: number;
  /** What these cases cost together, all trials counted. */
  readonly cost: MeasuredCost;
  /** Aborts when the run is interrupted. */
  readonly signal: AbortSignal;
}

/** Judges the cases of a suite together: their total cost, their mean. It is printed below them. */
export interface SuiteMetric<Name extends string = string> {
  /** Printed before the verdict. */
  readonly name: string;
  /** Names of the cases that it judges together. @default all cases of the suite */
  readonly applyTo?: readonly Name[] | undefined;
  /** Calls made in here count in the total cost of the run, never in the cost of a case. */
  evaluateSuite(run: SuiteRun): MetricVerdict | Promise<MetricVerdict>;
}

/** True for a metric on a suite. */
export function isSuiteMetric(metric: object): metric is SuiteMetric {
  return 'evaluateSuite' in metric && typeof metric.evaluateSuite === 'function';
}
