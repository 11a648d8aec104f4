import { ConfigError, nearestName, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { checkRepeats, type EvalCase, isEvalCase, isName } from './case.ts';
import { textLimits } from './clip.ts';
import { type Metric, type MetricFunction, toMetrics } from './metric.ts';
import { isSuiteMetric, type SuiteMetric } from './suite-metric.ts';

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
    | readonly NoInfer<
        | Metric<CaseNames<Cases>, CaseValues<Cases>>
        | MetricFunction<CaseValues<Cases>>
        | SuiteMetric<CaseNames<Cases>>
      >[]
    | undefined;
  /** Name for reports. */
  readonly name?: string | undefined;
  /** For the cases that have none of their own, and for each metric that judges them together, in milliseconds. @default the run's: 60 000 */
  readonly timeoutMs?: number | undefined;
  /** For the cases that say nothing themselves: how often one that does not pass is run again. @default the run's: 0 */
  readonly retry?: number | undefined;
  /** For the cases that say nothing themselves: how often each is run. @default the run's: 1 */
  readonly trials?: number | undefined;
}

/** Cases that are judged together, after each has been on its own. */
export interface CaseGroup {
  readonly name?: string | undefined;
  readonly metrics: readonly SuiteMetric[];
  /** The names of all its cases, also of those that were not selected. */
  readonly names: readonly string[];
  /** How long each of its metrics may take, in milliseconds. @default the run's */
  readonly timeoutMs?: number | undefined;
}

/** A case that is to be run, with everything that will judge it. */
export interface PlannedCase {
  readonly case: EvalCase;
  readonly metrics: readonly Metric[];
  readonly timeoutMs?: number | undefined;
  readonly retry?: number | undefined;
  readonly trials?: number | undefined;
  /** What judges it together with others, or over all of its trials. */
  readonly groups?: readonly CaseGroup[] | undefined;
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
  readonly metrics: readonly (Metric | SuiteMetric)[];
  readonly name: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly retry: number | undefined;
  readonly trials: number | undefined;

  /** @throws ConfigError for no cases, two of one name, or a metric that applies to a name no case has. */
  constructor(options: EvalSuiteOptions<Cases>) {
    rejectUnknownKeys(
      options,
      ['cases', 'metrics', 'name', 'timeoutMs', 'retry', 'trials'],
      'EvalSuiteOptions',
    );
    const { cases, metrics = [], name, timeoutMs, retry, trials } = options;
    if (name !== undefined && !isName(name)) {
      throw new ConfigError(
        `The name of a suite must be a text on one line, of 1 to ${textLimits.name} characters.`,
        { option: 'name' },
      );
    }
    this.cases = checkCases(cases);
    this.metrics = toMetrics(metrics, 'the suite');
    for (const metric of this.metrics) checkNames(metric, cases);
    if (timeoutMs !== undefined) requireNumber(timeoutMs, 'timeoutMs', { above: 0 });
    checkRepeats(`The suite${name === undefined ? '' : ` "${name}"`}`, { retry, trials });
    this.name = name;
    this.timeoutMs = timeoutMs;
    this.retry = retry;
    this.trials = trials;
    Object.defineProperty(this, suiteBrand, { value: 1 });
  }

  /** The cases with the metrics that judge each, in order. */
  plan(): readonly PlannedCase[] {
    const together = this.metrics.filter(isSuiteMetric);
    const each = this.metrics.filter(isCaseMetric);
    const { name } = this;
    const group: CaseGroup | undefined =
      together.length === 0
        ? undefined
        : {
            ...(name !== undefined && { name }),
            metrics: together,
            names: this.cases.map((one) => one.name),
            ...(this.timeoutMs !== undefined && { timeoutMs: this.timeoutMs }),
          };
    return this.cases.map((one) => {
      const ours = each.filter(({ applyTo }) => applyTo === undefined || applyTo.includes(one.name));
      return planned(one, { metrics: ours, group, defaults: this });
    });
  }
}

/** A case on its own, with nothing but its own metrics. */
export function planCase(each: EvalCase): PlannedCase {
  return planned(each, {});
}

function planned(
  each: EvalCase,
  {
    metrics = [],
    group,
    defaults = {},
  }: {
    readonly metrics?: readonly Metric[];
    readonly group?: CaseGroup | undefined;
    readonly defaults?: Partial<Pick<EvalSuite, 'name' | 'timeoutMs' | 'retry' | 'trials'>>;
  },
): PlannedCase {
  const timeoutMs = each.timeoutMs ?? defaults.timeoutMs;
  // What the case says of the one settles the other, too: they exclude each other.
  const says = each.retry !== undefined || each.trials !== undefined ? each : defaults;
  const own = each.metrics.filter(isSuiteMetric);
  const groups = [
    ...(group === undefined ? [] : [group]),
    ...(own.length === 0
      ? []
      : [
          {
            name: each.name,
            metrics: own,
            names: [each.name],
            ...(timeoutMs !== undefined && { timeoutMs }),
          },
        ]),
  ];
  return {
    case: each,
    metrics: [...each.metrics.filter(isCaseMetric), ...metrics],
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(says.retry !== undefined && { retry: says.retry }),
    ...(says.trials !== undefined && { trials: says.trials }),
    ...(groups.length > 0 && { groups }),
    ...(defaults.name !== undefined && { suite: defaults.name }),
  };
}

function isCaseMetric(metric: Metric | SuiteMetric): metric is Metric {
  return !isSuiteMetric(metric);
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

function checkNames({ name: metric, applyTo = [] }: Metric | SuiteMetric, cases: readonly EvalCase[]): void {
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
