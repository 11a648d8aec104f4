import { ConfigError, nearestName, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { type EvalCase, isEvalCase } from './case.ts';
import { type Metric, type MetricFunction, toMetrics } from './metric.ts';

/** Seen by other installed copies of this package, where `instanceof` is false. */
const suiteBrand: unique symbol = Symbol.for('@synapsekit/eval-suite');

/** The names of the cases of a suite. */
export type CaseNames<Cases extends readonly EvalCase[]> = Cases[number]['name'];
/** What the cases of a suite return. */
export type CaseValues<Cases extends readonly EvalCase[]> = Awaited<ReturnType<Cases[number]['run']>>;

/** What a suite is made of. */
export interface EvalSuiteOptions<Cases extends readonly EvalCase[]> {
  readonly cases: Cases;
  /** What judges the cases: all of them, or those that a metric's `applyTo` names. */
  readonly metrics?:
    | readonly NoInfer<Metric<CaseNames<Cases>, CaseValues<Cases>> | MetricFunction<CaseValues<Cases>>>[]
    | undefined;
  /** Name for reports. */
  readonly name?: string | undefined;
  /** For the cases that have none of their own, in milliseconds. @default the run's: 60 000 */
  readonly timeoutMs?: number | undefined;
}

/** A case that is to be run, with everything that will judge it. */
export interface PlannedCase {
  readonly case: EvalCase;
  readonly metrics: readonly Metric[];
  readonly timeoutMs?: number | undefined;
  /** Name of its suite, if that has one. */
  readonly suite?: string | undefined;
  /** The file it comes from, for reports. */
  readonly file?: string | undefined;
}

/**
 * Cases and the metrics that judge them. Export one from an eval file and `synapsekit test` runs it.
 *
 * ```ts
 * import { evalCase, EvalSuite, MaxCostUSD } from '@synapsekit/eval';
 *
 * const cheap = evalCase('cheap', async () => ({ output: 'Paris' }));
 * export const suite = new EvalSuite({
 *   cases: [cheap],
 *   metrics: [new MaxCostUSD({ threshold: 0.001, applyTo: ['cheap'] })], // the names are typed
 * });
 * ```
 */
export class EvalSuite<const Cases extends readonly EvalCase[] = readonly EvalCase[]> {
  readonly cases: Cases;
  readonly metrics: readonly Metric[];
  readonly name: string | undefined;
  readonly timeoutMs: number | undefined;

  /** @throws ConfigError for no cases, two of one name, or a metric that applies to a name no case has. */
  constructor(options: EvalSuiteOptions<Cases>) {
    rejectUnknownKeys(options, ['cases', 'metrics', 'name', 'timeoutMs'], 'EvalSuiteOptions');
    const { cases, metrics = [], name, timeoutMs } = options;
    this.cases = checkCases(cases);
    this.metrics = toMetrics(metrics, 'the suite');
    for (const metric of this.metrics) checkNames(metric, cases);
    if (timeoutMs !== undefined) requireNumber(timeoutMs, 'timeoutMs', { above: 0 });
    this.name = name;
    this.timeoutMs = timeoutMs;
    Object.defineProperty(this, suiteBrand, { value: 1 });
  }

  /** The cases with the metrics that judge each, in order. */
  plan(): readonly PlannedCase[] {
    return this.cases.map((each) => {
      const timeoutMs = each.timeoutMs ?? this.timeoutMs;
      return {
        case: each,
        metrics: [
          ...each.metrics,
          ...this.metrics.filter(({ applyTo }) => applyTo === undefined || applyTo.includes(each.name)),
        ],
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(this.name !== undefined && { suite: this.name }),
      };
    });
  }
}

/** A case on its own, with nothing but its own metrics. */
export function planCase(each: EvalCase): PlannedCase {
  const { metrics, timeoutMs } = each;
  return { case: each, metrics, ...(timeoutMs !== undefined && { timeoutMs }) };
}

/** True for a suite, also when another installed copy of this package made it. */
export function isEvalSuite(value: unknown): value is EvalSuite {
  return typeof value === 'object' && value !== null && suiteBrand in value;
}

function checkCases<Cases extends readonly EvalCase[]>(cases: Cases): Cases {
  if (!Array.isArray(cases) || cases.length === 0) {
    throw new ConfigError('cases of a suite must be a list with at least one eval case.', {
      option: 'cases',
    });
  }
  const names = new Set<string>();
  for (const [index, each] of cases.entries()) {
    if (!isEvalCase(each)) {
      throw new ConfigError(
        `cases[${index}] is not an eval case. Make it with evalCase(name, options, fn).`,
        {
          option: 'cases',
        },
      );
    }
    if (names.has(each.name)) {
      throw new ConfigError(`Two cases of the suite are called "${each.name}". Names tell them apart.`, {
        option: 'cases',
      });
    }
    names.add(each.name);
  }
  return cases;
}

function checkNames({ name: metric, applyTo = [] }: Metric, cases: readonly EvalCase[]): void {
  const known = cases.map(({ name }) => name);
  for (const name of applyTo) {
    if (known.includes(name)) continue;
    const meant = nearestName(name, known);
    const help = meant === undefined ? `The suite has: ${known.join(', ')}.` : `Did you mean "${meant}"?`;
    throw new ConfigError(`${metric} applies to "${name}", and the suite has no such case. ${help}`, {
      option: 'applyTo',
    });
  }
}
