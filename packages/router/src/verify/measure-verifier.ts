import { ConfigError } from '@synapsekit/core';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { foreseen, verifierRows } from './train-verifier.ts';

/** Out-of-fold scores of a cascade: the higher, the sooner the answer is escalated. All lists are as long. */
export interface VerifierMeasurement {
  /** By the answer alone: the chance that it is wrong. */
  readonly answerOnly: Float64Array;
  /** By answer and prompt: the chance that it is wrong. */
  readonly withPrompt: Float64Array;
  /** By answer and prompt: what the strong model is expected to gain. What `learnedVerifier` goes by. */
  readonly gain: Float64Array;
  /** What the weak model scored. */
  readonly weak: Float64Array;
  /** What the strong model scored. */
  readonly strong: Float64Array;
}

/**
 * Measures how well a verifier tells good answers from bad ones, each judged by one that has not seen its row.
 *
 * @throws ConfigError when too few rows have responses.
 */
export function measureVerifier(
  rows: readonly OutcomeRow[],
  options: {
    readonly weak: string;
    readonly strong: string;
    /** @default 10 */
    readonly folds?: number | undefined;
    /** @default 1 */
    readonly seed?: number | undefined;
    /** @default 8192 */
    readonly buckets?: number | undefined;
  },
): VerifierMeasurement {
  const { folds = 10, seed = 1, buckets = 8_192 } = options;
  const usable = verifierRows(rows, options);
  if (usable.length < folds * 2) {
    throw new ConfigError(
      `Only ${usable.length} rows have an answer of ${options.weak} and a score of ${options.strong}: log \`response\`.`,
      { option: 'rows' },
    );
  }
  const wrong = (right: Float64Array): Float64Array => right.map((chance) => 1 - chance);
  const both = foreseen(usable, { buckets, folds, seed });
  return {
    answerOnly: wrong(foreseen(usable, { buckets, folds, seed, withPrompt: false }).right),
    withPrompt: wrong(both.right),
    gain: both.gain,
    weak: Float64Array.from(usable, ({ weakScore }) => weakScore),
    strong: Float64Array.from(usable, ({ strongScore }) => strongScore),
  };
}
