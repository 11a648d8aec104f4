import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { type CaseRun, checkApplyTo, type Metric, type MetricVerdict } from './metric.ts';
import { notText } from './output.ts';

/** Options of `ContainsKeywords`. */
export interface ContainsKeywordsOptions<Name extends string = string> {
  /** What to look for. A keyword is found wherever it stands, also inside of a longer word. */
  readonly keywords: readonly string[];
  /** Names of the cases that it judges. @default all cases of the suite */
  readonly applyTo?: readonly Name[] | undefined;
  /** Is `Merge` the same as `merge`? @default true */
  readonly ignoreCase?: boolean | undefined;
  /** How many of the keywords must be there. @default all of them */
  readonly minKeywords?: number | undefined;
}

/** Passes when the output of a case contains the keywords. Output that is no text fails. */
export class ContainsKeywords<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'ContainsKeywords';
  readonly applyTo: readonly Name[] | undefined;
  readonly #keywords: readonly string[];
  readonly #ignoreCase: boolean;
  readonly #minKeywords: number;

  /** @throws ConfigError for keywords that are missing or empty, an unknown option, or an empty `applyTo`. */
  constructor(options: ContainsKeywordsOptions<Name>) {
    rejectUnknownKeys(
      options,
      ['keywords', 'applyTo', 'ignoreCase', 'minKeywords'],
      'ContainsKeywordsOptions',
    );
    const { keywords, applyTo, ignoreCase = true } = options;
    const usable =
      Array.isArray(keywords) && keywords.every((word) => typeof word === 'string' && word.trim() !== '');
    if (!usable || keywords.length === 0) {
      // Every text contains the empty one.
      throw new ConfigError('keywords must be a list of texts, none of them empty.', { option: 'keywords' });
    }
    const { minKeywords = keywords.length } = options;
    this.#minKeywords = requireNumber(minKeywords, 'minKeywords', {
      integer: true,
      min: 1,
      max: keywords.length,
    });
    this.#keywords = [...keywords];
    this.#ignoreCase = ignoreCase;
    this.applyTo = checkApplyTo(applyTo, this.name);
  }

  evaluate({ output }: CaseRun): MetricVerdict {
    if (typeof output !== 'string') return { pass: false, detail: notText(output) };
    const text = this.#normal(output);
    const missing = this.#keywords.filter((keyword) => !text.includes(this.#normal(keyword)));
    const found = this.#keywords.length - missing.length;
    const figures = `${found}/${this.#keywords.length} keywords found`;
    if (found >= this.#minKeywords) return { pass: true, detail: figures };
    return {
      pass: false,
      detail: `${figures}, missing: ${missing.map((word) => JSON.stringify(word)).join(', ')}`,
    };
  }

  #normal(text: string): string {
    const composed = text.normalize('NFC');
    return this.#ignoreCase ? composed.toLowerCase() : composed;
  }
}
