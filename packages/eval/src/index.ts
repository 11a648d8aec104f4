export { BreakerState, type BreakerStateName, type BreakerStateOptions } from './breaker-state.ts';
export { BudgetBlocked, type BudgetBlockedOptions } from './budget-blocked.ts';
export type { CallReport } from './call-report.ts';
export {
  type CaseMode,
  type EvalCase,
  type EvalCaseFunction,
  type EvalCaseOptions,
  type EvalContext,
  isEvalCase,
} from './case.ts';
export type {
  AsyncRowCases,
  Dataset,
  EachBuilder,
  RowCases,
  RowFunction,
  RowName,
  RowOptions,
} from './case-each.ts';
export { caseKey, casePosition } from './case-key.ts';
export { crashCase } from './case-scope.ts';
export type { Charge, Reprice } from './charge.ts';
export { ContainsKeywords, type ContainsKeywordsOptions } from './contains-keywords.ts';
export { CostMeter } from './cost-meter.ts';
export { reportCost } from './cost-report.ts';
export { countResults } from './count-results.ts';
export { type CsvOptions, csv } from './dataset-csv.ts';
export { jsonl } from './dataset-jsonl.ts';
export type { DatasetOptions } from './dataset-lines.ts';
export { Equals, type EqualsOptions } from './equals.ts';
export { type ErrorReport, reportError } from './error-report.ts';
export { type EvalCaseFactory, type EvalCaseMaker, evalCase } from './eval-case.ts';
export type { AsyncExpectation, Expect, Expectation } from './expect.ts';
export { type ErrorStyle, formatError } from './format-error.ts';
export { JsonSchema, type JsonSchemaOptions } from './json-schema.ts';
export { Levenshtein, type LevenshteinOptions } from './levenshtein.ts';
export type { Matchers } from './matchers.ts';
export { MaxCalls, type MaxCallsOptions } from './max-calls.ts';
export { MaxCostUSD, type MaxCostUSDOptions } from './max-cost-usd.ts';
export { MaxLatencyMs, type MaxLatencyMsOptions } from './max-latency-ms.ts';
export { MaxTokens, type MaxTokensOptions } from './max-tokens.ts';
export { MaxTotalCostUSD, type MaxTotalCostUSDOptions } from './max-total-cost-usd.ts';
export type { MeasuredCost } from './measured-cost.ts';
export type { MeasuredTokens } from './measured-tokens.ts';
export type { CaseRun, Metric, MetricFunction, MetricVerdict } from './metric.ts';
export type { MetricOptions } from './metric-options.ts';
export { MinWordCount, type MinWordCountOptions } from './min-word-count.ts';
export { NoFallback } from './no-fallback.ts';
export { NumericDiff, type NumericDiffOptions } from './numeric-diff.ts';
export { ProviderLimiter, type ProviderLimiterOptions } from './provider-limiter.ts';
export { type Redact, redactValues } from './redact-values.ts';
export { Regex, type RegexOptions } from './regex.ts';
export { pastBoundary } from './relay/uncovered-traffic.ts';
export type {
  CaseEnding,
  CaseResult,
  CaseStatus,
  CostReport,
  MetricResult,
  RunResult,
  SuiteResult,
  TrialResult,
} from './result.ts';
export { RoutedTo, type RoutedToOptions } from './routed-to.ts';
export { RunBudget, type RunBudgetOptions } from './run-budget/run-budget.ts';
export { type RunObserver, type RunOptions, runCase, runCases, runSuite } from './run-cases.ts';
export type { SourcePosition } from './source-position.ts';
export type { StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts';
export {
  type CaseGroup,
  type CaseNames,
  type CaseValues,
  EvalSuite,
  type EvalSuiteOptions,
  isEvalSuite,
  type PlannedCase,
  planCase,
} from './suite.ts';
export type { SuiteMetric, SuiteRun } from './suite-metric.ts';
export { secretsOf } from './tape/secret-scan.ts';
export { createTextReporter, type TextReporter, type TextReporterOptions } from './text-reporter.ts';
export { type ExpectedToolCall, ToolCalls, type ToolCallsOptions } from './tool-calls.ts';
export { createReprice, type PriceAs } from './traffic/call-prices.ts';
export { ProviderTraffic } from './traffic/provider-traffic.ts';
export type {
  ProviderTrafficOptions,
  SendLimiter,
  TapeMode,
  TapeOptions,
} from './traffic/traffic-options.ts';
export type { TrafficContext, TrafficController, TrafficReport, TrafficStop } from './traffic-control.ts';
