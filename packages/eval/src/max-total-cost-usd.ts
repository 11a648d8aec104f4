import { formatUsd, type PicoUsd, parseUsd, usdDecimal } from '@synapsekit/core';
import { comparison } from './compare.ts';
import type { MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';
import type { SuiteMetric, SuiteRun } from './suite-metric.ts';

/** Options of `MaxTotalCostUSD`. */
export interface MaxTotalCostUSDOptions<Name extends string = string> extends MetricOptions<Name> {
  /** The most that the cases may cost together, in US dollars, all trials counted. A cost equal to it passes. */
  readonly threshold: number | string;
}

/**
 * Passes when the cases of a suite cost at most `threshold` together. Cases that need no model cost nothing; when no
 * case made a call, or a cost is not known, it fails.
 */
export class MaxTotalCostUSD<const Name extends string = never> implements SuiteMetric<Name> {
  readonly name: string = 'MaxTotalCostUSD';
  readonly applyTo: readonly Name[] | undefined;
  readonly #threshold: PicoUsd;

  /** @throws ConfigError for a threshold that is no amount, an unknown option, or an empty `applyTo`. */
  constructor(options: MaxTotalCostUSDOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['threshold']);
    this.#threshold = parseUsd(options.threshold, 'threshold');
  }

  evaluateSuite({ cost, cases, total }: SuiteRun): MetricVerdict {
    if (cost.missingCalls > 0) {
      return {
        pass: false,
        detail: `cost unknown: ${cost.missing.join('; ')}; ${formatUsd(cost.pico)} is known`,
      };
    }
    if (cost.calls === 0) return { pass: false, detail: 'cost unknown: no call was recorded' };
    const figures = comparison(cost.pico, this.#threshold, formatUsd, (pico) => `$${usdDecimal(pico)}`);
    const part = cases.length < total ? `, ${cases.length} of ${total} cases` : '';
    return { pass: cost.pico <= this.#threshold, detail: figures + part };
  }
}
