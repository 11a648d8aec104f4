import { ConfigError, requireNumber } from '@synapsekit/core';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';
import { show } from './output.ts';

/** Options of `NumericDiff`. One of the two tolerances is needed; with both, one that holds is enough. */
export interface NumericDiffOptions<Name extends string = string> extends MetricOptions<Name> {
  readonly expected: number;
  /** How far the output may be off. */
  readonly absolute?: number | undefined;
  /** How far it may be off as a share of `expected`: 0.01 is one percent. */
  readonly relative?: number | undefined;
}

/**
 * Passes when the output of a case is near a number. Text is searched for numbers (`"$1,234.50"`, `"1e3"`): it must
 * contain exactly one, since nobody knows which one of several is meant.
 */
export class NumericDiff<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'NumericDiff';
  readonly applyTo: readonly Name[] | undefined;
  readonly #expected: number;
  readonly #allowed: number;

  /** @throws ConfigError without a tolerance, for numbers that are none, an unknown option, or an empty `applyTo`. */
  constructor(options: NumericDiffOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['expected', 'absolute', 'relative']);
    const { expected, absolute, relative } = options;
    this.#expected = requireNumber(expected, 'expected');
    if (absolute === undefined && relative === undefined) {
      throw new ConfigError('NumericDiff needs absolute or relative: how far off is near enough.', {
        option: 'absolute',
      });
    }
    this.#allowed = Math.max(
      absolute === undefined ? 0 : requireNumber(absolute, 'absolute', { min: 0 }),
      relative === undefined ? 0 : requireNumber(relative, 'relative', { min: 0 }) * Math.abs(expected),
    );
  }

  evaluate({ value, output }: CaseRun): MetricVerdict {
    const judged = output === undefined ? value : output;
    const numbers = typeof judged === 'string' ? numbersIn(judged) : [judged];
    const [actual] = numbers;
    if (numbers.length > 1) {
      return {
        pass: false,
        detail: `${numbers.length} numbers in the output: ${numbers.slice(0, 5).join(', ')}`,
      };
    }
    if (typeof actual !== 'number' || !Number.isFinite(actual)) {
      return { pass: false, detail: `no number in the output ${show(judged, 60)}` };
    }
    const off = Math.abs(actual - this.#expected);
    // A hair of rounding is no difference: 0.3 is 0.1 + 0.2.
    const pass = off <= this.#allowed + Number.EPSILON * Math.max(Math.abs(actual), Math.abs(this.#expected));
    return { pass, detail: `${actual}, expected ${this.#expected} ± ${this.#allowed}` };
  }
}

/** All numbers of a text; commas between thousands are read, `-` only where it is no dash between words. */
function numbersIn(text: string): number[] {
  const found = text.matchAll(
    /(?<![\w.,])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w]|,\d)/g,
  );
  return [...found].map(([number]) => Number(number.replaceAll(',', '').replace('−', '-')));
}
