import { requireNumber } from '@synapsekit/core';
import { comparison } from './compare.ts';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, oneOf, readMetricOptions } from './metric-options.ts';

/** Options of `MaxTokens`. */
export interface MaxTokensOptions<Name extends string = string> extends MetricOptions<Name> {
  /** The most tokens that a case may use. As many pass. */
  readonly threshold: number;
  /** Which tokens count. @default "total": input and output, of all calls */
  readonly kind?: 'total' | 'input' | 'output' | undefined;
}

/**
 * Passes when all calls of a case together use at most `threshold` tokens. A call without known usage, or no call at
 * all, fails: the tokens are unknown then.
 */
export class MaxTokens<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'MaxTokens';
  readonly applyTo: readonly Name[] | undefined;
  readonly #threshold: number;
  readonly #kind: 'total' | 'input' | 'output';

  /** @throws ConfigError for a threshold that is no whole number, an unknown option, or an empty `applyTo`. */
  constructor(options: MaxTokensOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['threshold', 'kind']);
    this.#threshold = requireNumber(options.threshold, 'threshold', { integer: true, min: 0 });
    this.#kind = oneOf(options.kind ?? 'total', ['total', 'input', 'output'], 'kind', this.name);
  }

  evaluate({ tokens }: CaseRun): MetricVerdict {
    if (tokens.missingCalls > 0) {
      const calls = tokens.missingCalls === 1 ? '1 call' : `${tokens.missingCalls} calls`;
      return { pass: false, detail: `tokens unknown: no usage of ${calls} to ${tokens.missing.join(', ')}` };
    }
    if (tokens.calls === 0) return { pass: false, detail: 'tokens unknown: no call was recorded' };
    const used = tokens[this.#kind];
    const what = this.#kind === 'total' ? 'tokens' : `${this.#kind} tokens`;
    const estimated =
      tokens.estimatedCalls > 0 ? `, ${tokens.estimatedCalls} of ${tokens.calls} calls estimated` : '';
    const figures = comparison(used, this.#threshold, formatCount, formatCount);
    return { pass: used <= this.#threshold, detail: `${figures} ${what}${estimated}` };
  }
}

function formatCount(amount: number): string {
  return amount.toLocaleString('en-US');
}
