import { ConfigError } from '@synapsekit/core';
import type { CallReport } from './call-report.ts';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';

/** Options of `RoutedTo`. */
export interface RoutedToOptions<Name extends string = string> extends MetricOptions<Name> {
  /**
   * Who has to serve: `"groq/llama-3.1-8b-instant"`, `"gpt-4o"`, or all models of a provider: `"groq/*"`. Several
   * names: any of them.
   */
  readonly model: string | readonly string[];
  /** Which calls: the last one that was served, or all of them. @default "last" */
  readonly calls?: 'last' | 'all' | undefined;
}

/** Passes when the answer came from a model. The last call that was served is the answer; a classifier came before. */
export class RoutedTo<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'RoutedTo';
  readonly applyTo: readonly Name[] | undefined;
  readonly #models: readonly string[];
  readonly #all: boolean;

  /** @throws ConfigError for no model, an unknown option, or an empty `applyTo`. */
  constructor(options: RoutedToOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['model', 'calls']);
    const { model, calls = 'last' } = options;
    const models: readonly unknown[] = typeof model === 'string' ? [model] : (model ?? []);
    if (models.length === 0 || !models.every((name) => typeof name === 'string' && name.trim() !== '')) {
      throw new ConfigError('model of RoutedTo must name at least one model.', { option: 'model' });
    }
    if (calls !== 'last' && calls !== 'all') {
      throw new ConfigError('calls of RoutedTo must be "last" or "all".', { option: 'calls' });
    }
    this.#models = models as readonly string[];
    this.#all = calls === 'all';
  }

  evaluate({ calls }: CaseRun): MetricVerdict {
    const served = calls.filter(({ outcome }) => outcome === 'served');
    if (served.length === 0) return { pass: false, detail: 'no call was served' };
    const judged = this.#all ? served : served.slice(-1);
    const strays = judged.filter((call) => !this.#models.some((name) => isModel(call, name)));
    const answered = [...new Set((strays.length > 0 ? strays : judged).map(({ model }) => model))].join(', ');
    if (strays.length === 0) return { pass: true, detail: answered };
    return { pass: false, detail: `${answered}, not ${this.#models.join(' or ')}` };
  }
}

/** Whether a call went to the model (or to any of a provider) that a name stands for. */
function isModel({ model, provider }: CallReport, name: string): boolean {
  if (name.endsWith('/*')) {
    const wanted = name.slice(0, -2);
    return provider === wanted || model.startsWith(`${wanted}/`);
  }
  return model === name || (provider !== undefined && `${provider}/${model}` === name);
}
