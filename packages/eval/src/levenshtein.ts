import { ConfigError, requireNumber } from '@synapsekit/core';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';
import { notText } from './output.ts';

/** Options of `Levenshtein`. */
export interface LevenshteinOptions<Name extends string = string> extends MetricOptions<Name> {
  readonly expected: string;
  /** The least similarity that passes, from 0 to 1: 1 − edits ÷ length of the longer text. */
  readonly minSimilarity: number;
  /** Is `Paris` the same as `paris`? @default false */
  readonly ignoreCase?: boolean | undefined;
}

/** Longer texts take seconds to compare, and say little by their spelling. In characters. */
const maxLength = 20_000;

/**
 * Passes when the output of a case is spelt nearly as expected: counted in edits (a character put in, taken out or
 * replaced). For answers of up to 20,000 characters.
 */
export class Levenshtein<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'Levenshtein';
  readonly applyTo: readonly Name[] | undefined;
  readonly #expected: string;
  readonly #minSimilarity: number;
  readonly #ignoreCase: boolean;

  /** @throws ConfigError for a similarity outside of 0 to 1, a text too long, an unknown option, or an empty `applyTo`. */
  constructor(options: LevenshteinOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['expected', 'minSimilarity', 'ignoreCase']);
    const { expected, minSimilarity, ignoreCase = false } = options;
    if (typeof expected !== 'string' || expected.length > maxLength) {
      throw new ConfigError(`expected of Levenshtein must be a text of at most ${maxLength} characters.`, {
        option: 'expected',
      });
    }
    this.#minSimilarity = requireNumber(minSimilarity, 'minSimilarity', { above: 0, max: 1 });
    this.#ignoreCase = ignoreCase;
    this.#expected = this.#normal(expected);
  }

  evaluate({ output }: CaseRun): MetricVerdict {
    if (typeof output !== 'string') return { pass: false, detail: notText(output) };
    if (output.length > maxLength) {
      return {
        pass: false,
        detail: `the output has ${output.length.toLocaleString('en-US')} characters, too many to compare (${maxLength.toLocaleString('en-US')})`,
      };
    }
    const similarity = similarityOf(this.#normal(output), this.#expected);
    const figures = `similarity ${floor(similarity)}, ${this.#minSimilarity} wanted`;
    return { pass: similarity >= this.#minSimilarity, detail: figures };
  }

  #normal(text: string): string {
    const composed = text.normalize('NFC');
    return this.#ignoreCase ? composed.toLowerCase() : composed;
  }
}

/** Down, so that what is printed is never more than what was judged. */
function floor(similarity: number): number {
  return Math.floor(similarity * 1_000) / 1_000;
}

/** 1 − edits ÷ length of the longer text, counted in code points; 1 for two empty texts. */
export function similarityOf(a: string, b: string): number {
  const [left, right] = [codePoints(a), codePoints(b)];
  const longer = Math.max(left.length, right.length);
  return longer === 0 ? 1 : 1 - editDistance(left, right) / longer;
}

function codePoints(text: string): Uint32Array {
  return Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** Edits between two texts: one row of the classic table (Wagner and Fischer, 1974) at a time. */
function editDistance(a: Uint32Array, b: Uint32Array): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const row = Uint32Array.from({ length: short.length + 1 }, (_, index) => index);
  for (let i = 1; i <= long.length; i++) {
    let diagonal = row[0] as number;
    row[0] = i;
    for (let j = 1; j <= short.length; j++) {
      const above = row[j] as number;
      const replaced = diagonal + (long[i - 1] === short[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, above + 1, (row[j - 1] as number) + 1);
      diagonal = above;
    }
  }
  return row[short.length] as number;
}
