import { requireNumber } from '@synapsekit/core';
import { wasSent } from './call-report.ts';
import { comparison } from './compare.ts';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';

/** Options of `MaxCalls`. */
export interface MaxCallsOptions<Name extends string = string> extends MetricOptions<Name> {
  /** The most calls that a case may make. As many pass; 0 says that it makes none. */
  readonly threshold: number;
}

/**
 * Passes when a case makes at most `threshold` calls to models: physical ones, so a retry counts, and one that failed
 * too. When no call was recorded it fails, unless `threshold` is 0.
 */
export class MaxCalls<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'MaxCalls';
  readonly applyTo: readonly Name[] | undefined;
  readonly #threshold: number;

  /** @throws ConfigError for a threshold that is no whole number, an unknown option, or an empty `applyTo`. */
  constructor(options: MaxCallsOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['threshold']);
    this.#threshold = requireNumber(options.threshold, 'threshold', { integer: true, min: 0 });
  }

  evaluate({ calls }: CaseRun): MetricVerdict {
    const sent = calls.filter(wasSent).length;
    if (sent === 0 && this.#threshold > 0) {
      return { pass: false, detail: 'calls unknown: no call was recorded' };
    }
    return {
      pass: sent <= this.#threshold,
      detail: `${comparison(sent, this.#threshold, String, String)} ${this.#threshold === 1 ? 'call' : 'calls'}`,
    };
  }
}
