import { ConfigError } from '@synapsekit/core';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';
import { notText } from './output.ts';

/** Options of `Regex`. */
export interface RegexOptions<Name extends string = string> extends MetricOptions<Name> {
  /** What the output must match, anywhere in it: anchor it with `^` and `$` for the whole. */
  readonly pattern: RegExp;
  /** Passes when it does not match. @default false */
  readonly not?: boolean | undefined;
}

/** Passes when the output of a case matches a regular expression. Output that is no text fails, also with `not`. */
export class Regex<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'Regex';
  readonly applyTo: readonly Name[] | undefined;
  readonly #pattern: RegExp;
  readonly #not: boolean;

  /** @throws ConfigError for a pattern that is no regular expression, an unknown option, or an empty `applyTo`. */
  constructor(options: RegexOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['pattern', 'not']);
    const { pattern, not = false } = options;
    if (!(pattern instanceof RegExp)) {
      throw new ConfigError('pattern of Regex must be a regular expression, such as /^\\d+$/.', {
        option: 'pattern',
      });
    }
    // With g or y an expression remembers where it stopped: the second case would be judged differently.
    this.#pattern = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''));
    this.#not = not;
  }

  evaluate({ output }: CaseRun): MetricVerdict {
    if (typeof output !== 'string') return { pass: false, detail: notText(output) };
    const matches = this.#pattern.test(output);
    const pass = matches !== this.#not;
    return { pass, detail: `${matches ? 'matches' : 'does not match'} ${this.#pattern}` };
  }
}
