import { denseFeatureNames, TextFeatures } from '../learned/text-features.ts';
import { answerFeatureNames, readAnswer } from './answer-features.ts';

const answerCount = answerFeatureNames.length;
const measureCount = answerCount + denseFeatureNames.length;
/** How much a measure weighs against a word: few measures with much to say, many words with a little each. */
const answerScale = 0.3;
const promptScale = 0.1;
const widest = 3;

/** Mean and standard deviation of each measure over the rows of a training: answer first, then prompt. */
export interface VerifierNorms {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/**
 * What a learned verifier sees: measures of the answer, measures of the prompt, and the prompt's words. `indices` and
 * `values` hold the last pair read, the first `count` entries.
 */
export class VerifierFeatures {
  readonly columns: number;
  readonly indices: Int32Array;
  readonly values: Float64Array;
  count = 0;
  readonly #text: TextFeatures;
  readonly #norms: VerifierNorms;
  readonly #withPrompt: boolean;

  constructor(buckets: number, norms: VerifierNorms, withPrompt = true) {
    this.#text = new TextFeatures(buckets);
    this.#norms = norms;
    this.#withPrompt = withPrompt;
    this.columns = answerCount + this.#text.columns;
    this.indices = new Int32Array(answerCount + this.#text.indices.length);
    this.values = new Float64Array(this.indices.length);
  }

  read(question: string, answer: string): void {
    const measures = readAnswer(question, answer);
    for (let j = 0; j < answerCount; j++)
      this.#put(j, j, answerScale * this.#normed(j, measures[j] as number));
    this.count = answerCount;
    if (!this.#withPrompt) return;
    const text = this.#text;
    text.read(question);
    for (let k = 0; k < text.count; k++) {
      const index = answerCount + (text.indices[k] as number);
      const value = text.values[k] as number;
      this.#put(
        answerCount + k,
        index,
        index < measureCount ? promptScale * this.#normed(index, value) : value,
      );
    }
    this.count = answerCount + text.count;
  }

  #put(at: number, index: number, value: number): void {
    this.indices[at] = index;
    this.values[at] = value;
  }

  #normed(index: number, value: number): number {
    const { means, deviations } = this.#norms;
    const normed = (value - (means[index] as number)) / (deviations[index] as number);
    return Math.max(-widest, Math.min(widest, normed));
  }
}

/** How many measures a `VerifierNorms` has. */
export const verifierMeasures: number = measureCount;

/** Mean and standard deviation of each measure. */
export function verifierNorms(
  pairs: readonly { readonly question: string; readonly answer: string }[],
): VerifierNorms {
  const text = new TextFeatures(16);
  const sums = new Float64Array(measureCount);
  const squares = new Float64Array(measureCount);
  for (const { question, answer } of pairs) {
    text.read(question);
    const measures = [...readAnswer(question, answer), ...text.dense];
    for (const [j, value] of measures.entries()) {
      sums[j] = (sums[j] as number) + value;
      squares[j] = (squares[j] as number) + value * value;
    }
  }
  const means = Array.from(sums, (sum) => sum / pairs.length);
  const deviations = means.map((mean, j) => {
    const variance = (squares[j] as number) / pairs.length - mean * mean;
    // A measure that never changed says nothing, and shall not when it does for once.
    return variance > 1e-9 ? Math.sqrt(variance) : Number.MAX_SAFE_INTEGER;
  });
  return { means, deviations };
}
