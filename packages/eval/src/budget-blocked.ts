import { wasSent } from './call-report.ts';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';

/** Options of `BudgetBlocked`. */
export interface BudgetBlockedOptions<Name extends string = string> extends MetricOptions<Name> {
  /** Name of the guard that has to refuse. @default any */
  readonly guard?: string | undefined;
  /** The limit that has to refuse, by its name: `"perRequest"`, `"daily"`. @default any */
  readonly limit?: string | undefined;
  /** Also asks that no call was sent at all. @default false */
  readonly nothingSent?: boolean | undefined;
}

/** Passes when a budget refused a call of the case, as the budgets themselves report it. */
export class BudgetBlocked<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'BudgetBlocked';
  readonly applyTo: readonly Name[] | undefined;
  readonly #guard: string | undefined;
  readonly #limit: string | undefined;
  readonly #nothingSent: boolean;

  /** @throws ConfigError for an unknown option or an empty `applyTo`. */
  constructor(options: BudgetBlockedOptions<Name> = {}) {
    this.applyTo = readMetricOptions(this.name, options, ['guard', 'limit', 'nothingSent']);
    this.#guard = options.guard;
    this.#limit = options.limit;
    this.#nothingSent = options.nothingSent ?? false;
  }

  evaluate({ budgetEvents, calls }: CaseRun): MetricVerdict {
    const refusals = budgetEvents.filter(({ type }) => type === 'refusal');
    const [match] = refusals.filter(
      ({ guard, limit }) =>
        (this.#guard === undefined || guard === this.#guard) &&
        (this.#limit === undefined || limit === this.#limit),
    );
    if (match === undefined) {
      const others = refusals.map(({ guard, limit }) => `${guard} by ${limit}`).join(', ');
      return { pass: false, detail: `no such refusal${others === '' ? '' : `; refused: ${others}`}` };
    }
    const sent = calls.filter(wasSent).length;
    if (this.#nothingSent && sent > 0) {
      return { pass: false, detail: `refused, but ${sent} ${sent === 1 ? 'call was' : 'calls were'} sent` };
    }
    return { pass: true, detail: match.limit === undefined ? match.guard : `${match.limit} limit` };
  }
}
