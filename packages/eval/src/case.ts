import { ConfigError, type Random, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { clip, textLimits } from './clip.ts';
import type { Expect } from './expect.ts';
import { MaxCostUSD } from './max-cost-usd.ts';
import { MaxLatencyMs } from './max-latency-ms.ts';
import { type Metric, type MetricFunction, toMetrics } from './metric.ts';
import type { SuiteMetric } from './suite-metric.ts';

/** Seen by other installed copies of this package, where `instanceof` is false. */
const caseBrand: unique symbol = Symbol.for('@synapsekit/eval-case');

/** What a case is given when it runs. */
export interface EvalContext {
  /** Asserts. A case that no metric judges passes only if it asserted something, and all of it held. */
  readonly expect: Expect;
  /** Aborts when the case's time is up or the run is interrupted. Hand it to your calls. */
  readonly signal: AbortSignal;
  /** Name of the case. */
  readonly name: string;
  /** Which run of the case this is, from 0: trials and retries count up. */
  readonly trial: number;
  /** Random numbers in [0, 1) that the seed of the run, the name and the trial determine: the same ones every time. */
  readonly random: Random;
}

/** What a case may be given beside its name and function. */
export interface EvalCaseOptions<Value = unknown> {
  /** What it shows, for people. */
  readonly description?: string | undefined;
  /** The most that it may cost, in US dollars: a `MaxCostUSD` of its own. */
  readonly maxCostUsd?: number | string | undefined;
  /** The longest that it may take, in milliseconds: a `MaxLatencyMs` of its own. */
  readonly maxLatencyMs?: number | undefined;
  /** Words to select it by (`--tag`), and for reports. */
  readonly tags?: readonly string[] | undefined;
  /** After so many milliseconds it is aborted and counts as an error. @default the suite's, else the run's: 60 000 */
  readonly timeoutMs?: number | undefined;
  /** What judges it, before the metrics of its suite. */
  readonly metrics?: readonly (Metric<string, Value> | MetricFunction<Value> | SuiteMetric)[] | undefined;
  /** Leaves it out of the run; a text says why. @default false */
  readonly skip?: boolean | string | undefined;
  /** Runs only the cases that are marked so. Not for CI: there it is refused. @default false */
  readonly only?: boolean | undefined;
  /** How often it is run again when it does not pass. One that passes then is reported as flaky. @default the run's: 0 */
  readonly retry?: number | undefined;
  /** How often it is run in any case; it passes when all of its trials do. @default the run's: 1 */
  readonly trials?: number | undefined;
}

/** How a case takes part in a run. */
export type CaseMode = 'run' | 'skip' | 'only' | 'todo';

/**
 * The code of a case. It may return what is judged: `{ output, costUsd, latencyMs, … }`, all of it optional; a string
 * or a `Generation` as it is. The cost and latency it reports are printed where they differ from the measured ones, which decide.
 */
export type EvalCaseFunction<Value> = (context: EvalContext) => Value | PromiseLike<Value>;

/** A case: a value to export. It registers nothing and runs nowhere by itself. */
export interface EvalCase<Name extends string = string, Value = unknown> {
  readonly [caseBrand]: 1;
  readonly name: Name;
  readonly description?: string | undefined;
  readonly tags: readonly string[];
  readonly timeoutMs?: number | undefined;
  readonly metrics: readonly (Metric | SuiteMetric)[];
  /** Counts up as cases are made: the order of their definition, which the exports of a module do not keep. */
  readonly sequence: number;
  readonly mode: CaseMode;
  /** Why it is left out, where the case says so. */
  readonly skipReason?: string | undefined;
  readonly retry?: number | undefined;
  readonly trials?: number | undefined;
  /** The stack where it was made, as V8 prints it: its first frame is its place in the file. */
  readonly stack: string;
  /** The code. `runCase` runs it as `synapsekit test` does: measured, timed and judged. */
  run(context: EvalContext): Value | PromiseLike<Value>;
}

/** What a case is made of. */
export interface CaseParts<Name extends string, Value> {
  readonly mode: CaseMode;
  readonly name: Name;
  readonly options: EvalCaseOptions<Value>;
  readonly fn: EvalCaseFunction<Value>;
  readonly stack: string;
}

/** @throws ConfigError for anything that would not do what it says. */
export function makeCase<Name extends string, Value>({
  mode: wanted,
  name,
  options,
  fn,
  stack,
}: CaseParts<Name, Value>): EvalCase<Name, Value> {
  // A name is printed on one line, and typed on a command line.
  if (!isName(name)) {
    throw new ConfigError(
      `The name of an eval case must be a text on one line, of 1 to ${textLimits.name} characters.`,
      {
        option: 'name',
      },
    );
  }
  const what = `The eval case "${name}"`;
  if (typeof fn !== 'function') throw new ConfigError(`${what} needs a function.`, { option: 'fn' });
  rejectUnknownKeys(options, optionKeys, what);
  const { description, tags = [], timeoutMs, skip = false, only = false, retry, trials } = options;
  if (timeoutMs !== undefined) requireNumber(timeoutMs, 'timeoutMs', { above: 0 });
  checkRepeats(what, { retry, trials });
  if (
    !Array.isArray(tags) ||
    !tags.every((tag) => typeof tag === 'string' && tag.length <= textLimits.label)
  ) {
    throw new ConfigError(
      `${what}: tags must be a list of texts, of at most ${textLimits.label} characters each.`,
      { option: 'tags' },
    );
  }
  let mode: CaseMode = wanted;
  if (mode === 'run' && only) mode = 'only';
  if (mode !== 'todo' && skip !== false) mode = 'skip';
  return Object.freeze({
    [caseBrand]: 1 as const,
    name,
    ...(description !== undefined && { description: clip(String(description), textLimits.detail) }),
    tags: tags.length === 0 ? nothing : Object.freeze([...tags]),
    ...(timeoutMs !== undefined && { timeoutMs }),
    metrics: metricsOf(options, name),
    sequence: ++made,
    mode,
    ...(typeof skip === 'string' && { skipReason: clip(skip, textLimits.detail) }),
    ...(retry !== undefined && { retry }),
    ...(trials !== undefined && { trials }),
    stack,
    run: fn,
  });
}

/** True for what can be the name of a case or a suite. */
export function isName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length > textLimits.name) return false;
  return name.trim() !== '' && !/\p{Cc}/u.test(name);
}

/** @throws ConfigError for numbers that are none, and for both of them. */
export function checkRepeats(
  what: string,
  { retry, trials }: { readonly retry?: number | undefined; readonly trials?: number | undefined },
): void {
  if (retry !== undefined) requireNumber(retry, 'retry', { integer: true, min: 0 });
  if (trials !== undefined) requireNumber(trials, 'trials', { integer: true, min: 1 });
  if ((retry ?? 0) > 0 && (trials ?? 1) > 1) {
    throw new ConfigError(
      `${what} has both retry and trials: one says that a single pass is enough, the other that all must pass.`,
      { option: 'retry' },
    );
  }
}

let made = 0;

const nothing: readonly never[] = Object.freeze([]);

const optionKeys: readonly (keyof EvalCaseOptions)[] = [
  'description',
  'maxCostUsd',
  'maxLatencyMs',
  'tags',
  'timeoutMs',
  'metrics',
  'skip',
  'only',
  'retry',
  'trials',
];

function metricsOf<Value>(
  { maxCostUsd, maxLatencyMs, metrics }: EvalCaseOptions<Value>,
  name: string,
): readonly (Metric | SuiteMetric)[] {
  if (maxCostUsd === undefined && maxLatencyMs === undefined && metrics === undefined) return nothing;
  const given = toMetrics(metrics ?? nothing, `the eval case "${name}"`);
  for (const metric of given) {
    if (metric.applyTo === undefined || metric.applyTo.includes(name)) continue;
    throw new ConfigError(
      `${metric.name} is a metric of the eval case "${name}" but applies to ${metric.applyTo.join(', ')}. Leave applyTo out, or move the metric to the suite.`,
      { option: 'applyTo' },
    );
  }
  return Object.freeze([
    ...(maxCostUsd !== undefined ? [new MaxCostUSD({ threshold: maxCostUsd })] : []),
    ...(maxLatencyMs !== undefined ? [new MaxLatencyMs({ threshold: maxLatencyMs })] : []),
    ...given,
  ]);
}

/** True for a case, also when another installed copy of this package made it. */
export function isEvalCase(value: unknown): value is EvalCase {
  return typeof value === 'object' && value !== null && (value as Partial<EvalCase>)[caseBrand] === 1;
}
