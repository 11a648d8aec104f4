import { rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { type CaseRun, checkApplyTo, type Metric, type MetricVerdict } from './metric.ts';
import { notText } from './output.ts';

/** Options of `MinWordCount`. */
export interface MinWordCountOptions<Name extends string = string> {
  /** How many words the output must have. */
  readonly words: number;
  /** Names of the cases that it judges. @default all cases of the suite */
  readonly applyTo?: readonly Name[] | undefined;
}

/**
 * Passes when the output of a case has at least `words` words, counted as `wc -w` does: runs of anything but white
 * space. Output that is no text fails.
 */
export class MinWordCount<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'MinWordCount';
  readonly applyTo: readonly Name[] | undefined;
  readonly #words: number;

  /** @throws ConfigError for a number that is not whole or below 1, an unknown option, or an empty `applyTo`. */
  constructor(options: MinWordCountOptions<Name>) {
    rejectUnknownKeys(options, ['words', 'applyTo'], 'MinWordCountOptions');
    this.#words = requireNumber(options.words, 'words', { integer: true, min: 1 });
    this.applyTo = checkApplyTo(options.applyTo, this.name);
  }

  evaluate({ output }: CaseRun): MetricVerdict {
    if (typeof output !== 'string') return { pass: false, detail: notText(output) };
    const words = countWords(output);
    if (words >= this.#words) return { pass: true, detail: counted(words) };
    return { pass: false, detail: `${counted(words)}, ${this.#words} wanted` };
  }
}

function countWords(text: string): number {
  let words = 0;
  for (const _ of text.matchAll(/\S+/gu)) words++;
  return words;
}

function counted(words: number): string {
  return words === 1 ? '1 word' : `${words} words`;
}
