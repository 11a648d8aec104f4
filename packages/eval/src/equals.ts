import { ConfigError } from '@synapsekit/core';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';
import { util } from './node-builtins.ts';
import { show } from './output.ts';

/** Options of `Equals`. */
export interface EqualsOptions<Name extends string = string> extends MetricOptions<Name> {
  /**
   * What a case has to return: a text or number is compared with its output; an object with what it returned, if that
   * has no `output`, else with its output. Compared strictly, as `assert.deepStrictEqual` does.
   */
  readonly expected: unknown;
  /** Compares only the fields that `expected` has. @default false */
  readonly partial?: boolean | undefined;
  /** Ignores case and white space at the ends of texts. @default false */
  readonly loose?: boolean | undefined;
}

/** Passes when a case returns exactly what is expected. */
export class Equals<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'Equals';
  readonly applyTo: readonly Name[] | undefined;
  readonly #expected: unknown;
  readonly #partial: boolean;
  readonly #loose: boolean;

  /** @throws ConfigError without `expected`, for an unknown option, or an empty `applyTo`. */
  constructor(options: EqualsOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['expected', 'partial', 'loose']);
    const { expected, partial = false, loose = false } = options;
    if (expected === undefined) {
      throw new ConfigError(
        'Equals needs what to expect. A case that returns nothing is judged by expect().',
        {
          option: 'expected',
        },
      );
    }
    if (
      partial &&
      (typeof expected !== 'object' || expected === null || Object.keys(expected).length === 0)
    ) {
      throw new ConfigError('Equals with partial needs an object with at least one field.', {
        option: 'partial',
      });
    }
    this.#expected = expected;
    this.#partial = partial;
    this.#loose = loose;
  }

  evaluate({ value, output }: CaseRun): MetricVerdict {
    const actual = output === undefined ? value : output;
    const same = this.#partial
      ? containsFields(actual, this.#expected)
      : util.isDeepStrictEqual(this.#normal(actual), this.#normal(this.#expected));
    if (same) return { pass: true };
    return { pass: false, detail: `expected ${show(this.#expected)}, got ${show(actual)}` };
  }

  #normal(value: unknown): unknown {
    return this.#loose && typeof value === 'string' ? value.normalize('NFC').trim().toLowerCase() : value;
  }
}

function containsFields(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) {
    return util.isDeepStrictEqual(actual, expected);
  }
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(expected).every(([key, value]) => containsFields(Reflect.get(actual, key), value));
}
