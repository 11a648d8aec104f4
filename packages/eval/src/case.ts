import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { Expect } from './expect.ts';
import { MaxCostUSD } from './max-cost-usd.ts';
import { MaxLatencyMs } from './max-latency-ms.ts';
import { type Metric, type MetricFunction, toMetrics } from './metric.ts';

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
}

/** What a case may be given beside its name and function. */
export interface EvalCaseOptions<Value = unknown> {
  /** What it shows, for people. */
  readonly description?: string | undefined;
  /** The most that it may cost, in US dollars: a `MaxCostUSD` of its own. */
  readonly maxCostUsd?: number | string | undefined;
  /** The longest that it may take, in milliseconds: a `MaxLatencyMs` of its own. */
  readonly maxLatencyMs?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** After so many milliseconds it is aborted and counts as an error. @default the suite's, else the run's: 60 000 */
  readonly timeoutMs?: number | undefined;
  /** What judges it, before the metrics of its suite. */
  readonly metrics?: readonly (Metric<string, Value> | MetricFunction<Value>)[] | undefined;
}

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
  readonly metrics: readonly Metric[];
  /** Counts up as cases are made: the order of their definition, which the exports of a module do not keep. */
  readonly sequence: number;
  /** The code. `runCase` runs it as `synapsekit test` does: measured, timed and judged. */
  run(context: EvalContext): Value | PromiseLike<Value>;
}

/**
 * Makes a case of a function.
 *
 * ```ts
 * import { evalCase } from '@synapsekit/eval';
 *
 * export const greets = evalCase('greets', { description: 'Says hello' }, async ({ expect }) => {
 *   expect('Hello, Ada').toContain('Hello');
 * });
 * ```
 *
 * @throws ConfigError for an empty name, an unknown option, or a value out of range.
 */
export function evalCase<const Name extends string, Value>(
  name: Name,
  fn: EvalCaseFunction<Value>,
): EvalCase<Name, Value>;
export function evalCase<const Name extends string, Value>(
  name: Name,
  options: EvalCaseOptions<NoInfer<Value>>,
  fn: EvalCaseFunction<Value>,
): EvalCase<Name, Value>;
export function evalCase<const Name extends string, Value>(
  name: Name,
  ...rest: [EvalCaseFunction<Value>] | [EvalCaseOptions<Value>, EvalCaseFunction<Value>]
): EvalCase<Name, Value> {
  const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
  // A name is printed on one line, and typed on a command line.
  if (typeof name !== 'string' || name.trim() === '' || /\p{Cc}/u.test(name)) {
    throw new ConfigError('The name of an eval case must be a non-empty text on one line.', {
      option: 'name',
    });
  }
  const what = `The eval case "${name}"`;
  if (typeof fn !== 'function') throw new ConfigError(`${what} needs a function.`, { option: 'fn' });
  rejectUnknownKeys(options, optionKeys, what);
  const { description, tags = [], timeoutMs } = options;
  if (timeoutMs !== undefined) requireNumber(timeoutMs, 'timeoutMs', { above: 0 });
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) {
    throw new ConfigError(`${what}: tags must be a list of texts.`, { option: 'tags' });
  }
  return Object.freeze({
    [caseBrand]: 1 as const,
    name,
    ...(description !== undefined && { description }),
    tags: Object.freeze([...tags]),
    ...(timeoutMs !== undefined && { timeoutMs }),
    metrics: Object.freeze(metricsOf(options, name)),
    sequence: ++made,
    run: fn,
  });
}

let made = 0;

const optionKeys: readonly (keyof EvalCaseOptions)[] = [
  'description',
  'maxCostUsd',
  'maxLatencyMs',
  'tags',
  'timeoutMs',
  'metrics',
];

function metricsOf<Value>(
  { maxCostUsd, maxLatencyMs, metrics = [] }: EvalCaseOptions<Value>,
  name: string,
): Metric[] {
  const given = toMetrics(metrics, `the eval case "${name}"`);
  for (const metric of given) {
    if (metric.applyTo === undefined || metric.applyTo.includes(name)) continue;
    throw new ConfigError(
      `${metric.name} is a metric of the eval case "${name}" but applies to ${metric.applyTo.join(', ')}. Leave applyTo out, or move the metric to the suite.`,
      { option: 'applyTo' },
    );
  }
  return [
    ...(maxCostUsd !== undefined ? [new MaxCostUSD({ threshold: maxCostUsd })] : []),
    ...(maxLatencyMs !== undefined ? [new MaxLatencyMs({ threshold: maxLatencyMs })] : []),
    ...given,
  ];
}

/** True for a case, also when another installed copy of this package made it. */
export function isEvalCase(value: unknown): value is EvalCase {
  return typeof value === 'object' && value !== null && (value as Partial<EvalCase>)[caseBrand] === 1;
}
