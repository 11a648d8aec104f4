export {
  type EvalCase,
  type EvalCaseFunction,
  type EvalCaseOptions,
  type EvalContext,
  evalCase,
  isEvalCase,
} from './case.ts';
export { crashCase } from './case-scope.ts';
export { ContainsKeywords, type ContainsKeywordsOptions } from './contains-keywords.ts';
export { CostMeter } from './cost-meter.ts';
export { reportCost } from './cost-report.ts';
export { type ErrorReport, reportError } from './error-report.ts';
export type { AsyncExpectation, Expect, Expectation } from './expect.ts';
export { type ErrorStyle, formatError } from './format-error.ts';
export type { Matchers } from './matchers.ts';
export { MaxCostUSD, type MaxCostUSDOptions } from './max-cost-usd.ts';
export { MaxLatencyMs, type MaxLatencyMsOptions } from './max-latency-ms.ts';
export type { MeasuredCost } from './measured-cost.ts';
export type { CaseRun, Metric, MetricFunction, MetricVerdict } from './metric.ts';
export { MinWordCount, type MinWordCountOptions } from './min-word-count.ts';
export type { CaseEnding, CaseResult, CaseStatus, CostReport, MetricResult, RunResult } from './result.ts';
export { type RunObserver, type RunOptions, runCase, runCases, runSuite } from './run-cases.ts';
export {
  type CaseNames,
  type CaseValues,
  EvalSuite,
  type EvalSuiteOptions,
  isEvalSuite,
  type PlannedCase,
  planCase,
} from './suite.ts';
export { createTextReporter, type TextReporter, type TextReporterOptions } from './text-reporter.ts';
