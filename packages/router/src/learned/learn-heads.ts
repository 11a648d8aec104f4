import { quantile } from '../measure/bootstrap.ts';
import { SparseBuilder, type SparseMatrix } from './feature-vector.ts';
import { denseClip, denseScale } from './gain-model.ts';
import { packWeights } from './int8-weights.ts';
import type { OutcomeTable } from './outcome-table.ts';
import type { LearnedHeadJson, LengthHeadJson } from './router-model.ts';
import { denseFeatureNames, TextFeatures } from './text-features.ts';
import { type LogisticWeights, trainLogistic } from './train-logistic.ts';

const measures = denseFeatureNames.length;
const minClipChars = 200;

/** Texts as numbers: what heads are trained on. */
export interface TextMatrix {
  readonly matrix: SparseMatrix;
  readonly mean: Float64Array;
  readonly sd: Float64Array;
  readonly buckets: number;
  /** Of longer texts only the end is read. */
  readonly clipChars: number;
}

/** How many buckets so many models can have, so that a model file stays below 64 KB, a verifier in it included. */
export function bucketsFor(models: number, verifier: boolean): number {
  const weights = verifier ? 1 << 15 : 1 << 16;
  return Math.max(512, Math.min(1 << 15, 2 ** Math.floor(Math.log2(weights / models))));
}

/** Measures texts. Standardised by their own mean and deviation: no label is looked at. */
export function textMatrix(texts: readonly string[], buckets: number): TextMatrix {
  const lengths = Float64Array.from(texts, ({ length }) => length).sort();
  const clipChars = Math.max(minClipChars, Math.ceil(quantile(lengths, 0.99)));
  const features = new TextFeatures(buckets);
  const builder = new SparseBuilder(features.columns);
  const sum = new Float64Array(measures);
  const squares = new Float64Array(measures);
  for (const text of texts) {
    features.read(text.slice(-clipChars));
    for (let j = 0; j < measures; j++) {
      const value = features.dense[j] as number;
      sum[j] = (sum[j] as number) + value;
      squares[j] = (squares[j] as number) + value * value;
    }
    builder.add(features.indices, features.values, features.count);
  }
  // Few digits, so that a model file reads back to the very numbers that it was trained with.
  const mean = sum.map((total) => digits(total / texts.length));
  const sd = squares.map((total, j) => {
    const variance = total / texts.length - ((sum[j] as number) / texts.length) ** 2;
    return variance > 1e-10 ? digits(Math.sqrt(variance)) : 0;
  });
  const matrix = builder.build();
  for (let row = 0; row < matrix.rows; row++) {
    const start = matrix.starts[row] as number;
    for (let j = 0; j < measures; j++) {
      const at = sd[j] as number;
      const z = at === 0 ? 0 : ((matrix.values[start + j] as number) - (mean[j] as number)) / at;
      matrix.values[start + j] = denseScale * Math.max(-denseClip, Math.min(denseClip, z));
    }
  }
  return { matrix, mean, sd, buckets, clipChars };
}

/** One head for each of these models, from these rows. */
export function learnHeads(
  { matrix }: TextMatrix,
  { scores }: Pick<OutcomeTable, 'scores'>,
  models: readonly number[],
  l2: number,
  rows?: Int32Array,
): LogisticWeights[] {
  return models.map((model) => trainLogistic(matrix, scores[model] as Float64Array, { l2, rows }));
}

/** What a head says of a row. */
export function headQuality({ matrix }: TextMatrix, { bias, weights }: LogisticWeights, row: number): number {
  const end = matrix.starts[row + 1] as number;
  let margin = bias;
  for (let k = matrix.starts[row] as number; k < end; k++) {
    margin += (weights[matrix.indices[k] as number] as number) * (matrix.values[k] as number);
  }
  return 1 / (1 + Math.exp(-margin));
}

/** A head as it stands in a file. */
export function packHead({ bias, weights }: LogisticWeights): LearnedHeadJson {
  return {
    bias: digits(bias),
    dense: Array.from(weights.subarray(0, measures), digits),
    words: packWeights(weights.subarray(measures)),
  };
}

/**
 * Heads that go by the length alone: a line of the score over its standardised logarithm, by least squares. The strong
 * model's is made to rise at least a little faster than the weak one's: the order is that of length.
 */
export function lengthHeads(table: OutcomeTable, { mean, sd, clipChars }: TextMatrix): LengthHeadJson[] {
  const features = new TextFeatures(16);
  const z = table.texts.map((text) => {
    features.read(text.slice(-clipChars));
    return sd[0] === 0 ? 0 : ((features.dense[0] as number) - (mean[0] as number)) / (sd[0] as number);
  });
  const heads = table.models.map(({ meanScore }, index) => {
    let product = 0;
    let square = 1e-9;
    for (let row = 0; row < table.rows; row++) {
      product += (z[row] as number) * ((table.scores[index]?.[row] as number) - meanScore);
      square += (z[row] as number) ** 2;
    }
    return { intercept: digits(meanScore), slope: digits(product / square) };
  });
  const [weak, strong] = [heads[table.weak], heads[table.strong]];
  if (weak !== undefined && strong !== undefined && strong.slope - weak.slope < 1e-3) {
    heads[table.strong] = { ...strong, slope: digits(weak.slope + 1e-3) };
  }
  return heads;
}

function digits(value: number): number {
  return Number(value.toPrecision(7));
}
