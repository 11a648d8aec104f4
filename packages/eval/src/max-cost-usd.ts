import { formatUsd, type PicoUsd, parseUsd, rejectUnknownKeys, usdDecimal } from '@synapsekit/core';
import { comparison } from './compare.ts';
import { type CaseRun, checkApplyTo, type Metric, type MetricVerdict } from './metric.ts';

/** Options of `MaxCostUSD`. */
export interface MaxCostUSDOptions<Name extends string = string> {
  /** The most that a case may cost, in US dollars. A cost equal to it passes. */
  readonly threshold: number | string;
  /** Names of the cases that it judges. @default all cases of the suite */
  readonly applyTo?: readonly Name[] | undefined;
}

/**
 * Passes when a case costs at most `threshold`. It judges the measured cost: what your trackers recorded while the
 * case ran, each attempt once. A cost that is not known (no price, a call that no tracker recorded, no call
 * recorded at all) fails.
 */
export class MaxCostUSD<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'MaxCostUSD';
  readonly applyTo: readonly Name[] | undefined;
  readonly #threshold: PicoUsd;

  /** @throws ConfigError for a threshold that is no amount, an unknown option, or an empty `applyTo`. */
  constructor(options: MaxCostUSDOptions<Name>) {
    rejectUnknownKeys(options, ['threshold', 'applyTo'], 'MaxCostUSDOptions');
    this.#threshold = parseUsd(options.threshold, 'threshold');
    this.applyTo = checkApplyTo(options.applyTo, this.name);
  }

  evaluate({ cost, attempts }: CaseRun): MetricVerdict {
    if (cost.missingCalls > 0) {
      const known = cost.calls > 0 ? `; ${formatUsd(cost.pico)} is known` : '';
      return { pass: false, detail: `cost unknown: ${cost.missing.join('; ')}${known}` };
    }
    if (cost.calls === 0) {
      const made = attempts.length > 0 ? ` (${attempts.length} refused or never sent)` : '';
      return { pass: false, detail: `cost unknown: no call was recorded${made}` };
    }
    const figures = comparison(cost.pico, this.#threshold, formatUsd, (pico) => `$${usdDecimal(pico)}`);
    const estimated =
      cost.estimatedCalls > 0 ? `, ${cost.estimatedCalls} of ${cost.calls} calls estimated` : '';
    return { pass: cost.pico <= this.#threshold, detail: figures + estimated };
  }
}
