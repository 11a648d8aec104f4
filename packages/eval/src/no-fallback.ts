import type { CallReport } from './call-report.ts';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';

/**
 * Passes when nobody had to step in for a model: no call that failed is followed by one to another model, and no
 * `Generation` that the case returned names candidates that were passed over. Retries of the same model are fine. Where
 * an open circuit was passed over without a call, only the returned `Generation` tells: return it, or use `RoutedTo`.
 */
export class NoFallback<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'NoFallback';
  readonly applyTo: readonly Name[] | undefined;

  /** @throws ConfigError for an unknown option or an empty `applyTo`. */
  constructor(options: MetricOptions<Name> = {}) {
    this.applyTo = readMetricOptions(this.name, options, []);
  }

  evaluate({ calls, value }: CaseRun): MetricVerdict {
    if (calls.length === 0) return { pass: false, detail: 'no call was recorded' };
    const passedOver = failuresOf(value);
    if (passedOver.length > 0) return { pass: false, detail: `passed over: ${passedOver.join(', ')}` };
    const failed = calls.find((call, index) => isFailure(call) && hasSuccessor(calls, call, index));
    if (failed === undefined) return { pass: true };
    const successor = calls.slice(calls.indexOf(failed) + 1).find(({ model }) => model !== failed.model);
    return {
      pass: false,
      detail: `${failed.model} failed (${failed.errorCode ?? failed.outcome}), ${successor?.model} stepped in`,
    };
  }
}

function isFailure({ outcome }: CallReport): boolean {
  return outcome !== undefined && outcome !== 'served' && outcome !== 'running';
}

/** The next call is to another model, before the failed one served after all. */
function hasSuccessor(calls: readonly CallReport[], { model }: CallReport, index: number): boolean {
  for (const later of calls.slice(index + 1)) {
    if (later.model !== model) return true;
    if (later.outcome === 'served') return false;
  }
  return false;
}

function failuresOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const failures: unknown = Reflect.get(value, 'failures');
  if (!Array.isArray(failures)) return [];
  return failures.map((failure: unknown) => {
    const { id, outcome } = (failure ?? {}) as { readonly id?: unknown; readonly outcome?: unknown };
    return `${id} (${outcome})`;
  });
}
