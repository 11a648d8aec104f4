import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { SparseBuilder, type SparseMatrix } from '../learned/feature-vector.ts';
import { type Int8Weights, packWeights } from '../learned/int8-weights.ts';
import { type LogisticWeights, trainLogistic } from '../learned/train-logistic.ts';
import { quantile } from '../measure/bootstrap.ts';
import { dealTexts, textGroups } from '../measure/same-text.ts';
import { seededRandom, shuffled } from '../measure/seeded-random.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { queryText } from '../query.ts';
import { VerifierFeatures, type VerifierNorms, verifierNorms } from './verifier-features.ts';

/** A trained verifier, as it stands in a model file. JSON-safe. */
export interface VerifierJson {
  readonly version: 2;
  /** Name of the model whose answers it reads. */
  readonly weak: string;
  /** Name of the model that would be asked instead. */
  readonly strong: string;
  readonly buckets: number;
  readonly norms: VerifierNorms;
  /** Is the weak model's answer right? Would the strong model's be? */
  readonly heads: Readonly<
    Record<'weak' | 'strong', { readonly bias: number; readonly weights: Int8Weights }>
  >;
  /** The gain of escalating at every 5 % of the answers, the largest first, each foreseen without its own row. */
  readonly gains: readonly number[];
  /** How many rows it was trained on. */
  readonly rows: number;
}

/** Options of `trainVerifier`. */
export interface TrainVerifierOptions {
  /** Name of the cheap model in the rows: its answers are read. */
  readonly weak: string;
  /** Name of the model to escalate to. */
  readonly strong: string;
  /** Size of the table of words, a power of two. @default 8192 */
  readonly buckets?: number | undefined;
  /** Of the folds in which `gains` are foreseen. @default 1 */
  readonly seed?: number | undefined;
}

/** With fewer rows the worst trainings are no better than chance. */
export const leastVerifierRows = 200;

/** One row that a verifier can learn from. */
export interface VerifierRow {
  readonly question: string;
  readonly answer: string;
  readonly weakScore: number;
  readonly strongScore: number;
}

/** The rows that have both scores and the weak model's answer. */
export function verifierRows(
  rows: readonly OutcomeRow[],
  { weak, strong }: Pick<TrainVerifierOptions, 'weak' | 'strong'>,
): readonly VerifierRow[] {
  return rows.flatMap(({ prompt, outcomes }) => {
    const [cheap, dear] = [outcomes[weak], outcomes[strong]];
    if (cheap?.response === undefined || dear === undefined) return [];
    return [
      {
        question: queryText(prompt),
        answer: cheap.response,
        weakScore: cheap.score,
        strongScore: dear.score,
      },
    ];
  });
}

/**
 * Trains a verifier that reads the cheap model's answer, beside the question, and foresees whether it is right and
 * whether the strong model would be. Deterministic.
 *
 * @returns `undefined` when fewer than 200 rows have the cheap answer and both scores, or all scores are alike: a
 *   verifier is then not worth having.
 * @throws ConfigError for options out of range, or when `weak` and `strong` are the same.
 */
export function trainVerifier(
  rows: readonly OutcomeRow[],
  options: TrainVerifierOptions,
): VerifierJson | undefined {
  rejectUnknownKeys(options, ['weak', 'strong', 'buckets', 'seed'], 'trainVerifier');
  const { weak, strong, buckets = 8_192, seed = 1 } = options;
  requireNumber(seed, 'seed', { integer: true, min: 0 });
  if (weak === strong) {
    throw new ConfigError(`weak and strong are both "${weak}": name two models.`, { option: 'strong' });
  }
  const usable = verifierRows(rows, options);
  const right = usable.filter(({ weakScore }) => weakScore >= 0.5).length;
  if (usable.length < leastVerifierRows || right === 0 || right === usable.length) return undefined;
  const norms = verifierNorms(usable);
  const matrix = matrixOf(usable, new VerifierFeatures(buckets, norms));
  const head = ({ bias, weights }: LogisticWeights) => ({ bias, weights: packWeights(weights) });
  const { weakHead, strongHead } = trainHeads(matrix, usable);
  return {
    version: 2,
    weak,
    strong,
    buckets,
    norms,
    heads: { weak: head(weakHead), strong: head(strongHead) },
    gains: spread(foreseen(usable, { buckets, folds: 5, seed }).gain),
    rows: usable.length,
  };
}

/** What verifiers say of rows that they were not trained on. */
export interface ForeseenRows {
  /** That the weak answer is right. */
  readonly right: Float64Array;
  /** How much better the strong model is expected to do. */
  readonly gain: Float64Array;
}

/** How rows are foreseen. */
export interface ForeseeOptions {
  readonly buckets: number;
  readonly folds: number;
  readonly seed: number;
  readonly withPrompt?: boolean;
}

/** Cross-validation: each row is judged by a verifier that has not seen its question, in this row or another. */
export function foreseen(rows: readonly VerifierRow[], options: ForeseeOptions): ForeseenRows {
  const folds = foreseeing(rows, options);
  for (;;) {
    const step = folds.next();
    if (step.done === true) return step.value;
  }
}

/** The same, a fold at a time, for those who let others have a turn in between. */
export function* foreseeing(
  rows: readonly VerifierRow[],
  options: ForeseeOptions,
): Generator<void, ForeseenRows, undefined> {
  const { buckets, folds, seed, withPrompt = true } = options;
  const right = new Float64Array(rows.length);
  const gain = new Float64Array(rows.length);
  const order = shuffled(rows.length, seededRandom(seed));
  const parts = dealTexts(textGroups(rows.map(({ question }) => question)), order, folds);
  for (let fold = 0; fold < folds; fold++) {
    const train = order.filter((row) => parts[row] !== fold);
    const test = order.filter((row) => parts[row] === fold);
    // Norms, too, are learned from the other rows only.
    const norms = verifierNorms(Array.from(train, (row) => rows[row] as VerifierRow));
    const matrix = matrixOf(rows, new VerifierFeatures(buckets, norms, withPrompt));
    const { weakHead, strongHead } = trainHeads(matrix, rows, train);
    for (const row of test) {
      const weakRight = chance(matrix, row, weakHead);
      right[row] = weakRight;
      gain[row] = chance(matrix, row, strongHead) - weakRight;
    }
    yield;
  }
  return { right, gain };
}

function trainHeads(
  matrix: SparseMatrix,
  rows: readonly VerifierRow[],
  subset?: Int32Array,
): { readonly weakHead: LogisticWeights; readonly strongHead: LogisticWeights } {
  const labels = (score: (row: VerifierRow) => number): Float64Array => Float64Array.from(rows, score);
  return {
    weakHead: trainLogistic(
      matrix,
      labels(({ weakScore }) => weakScore),
      { rows: subset },
    ),
    strongHead: trainLogistic(
      matrix,
      labels(({ strongScore }) => strongScore),
      { rows: subset },
    ),
  };
}

function matrixOf(rows: readonly VerifierRow[], features: VerifierFeatures): SparseMatrix {
  const builder = new SparseBuilder(features.columns);
  for (const { question, answer } of rows) {
    features.read(question, answer);
    builder.add(features.indices, features.values, features.count);
  }
  return builder.build();
}

function chance(
  { starts, indices, values }: SparseMatrix,
  row: number,
  { bias, weights }: LogisticWeights,
): number {
  let margin = bias;
  for (let k = starts[row] as number; k < (starts[row + 1] as number); k++) {
    margin += (weights[indices[k] as number] as number) * (values[k] as number);
  }
  return 1 / (1 + Math.exp(-margin));
}

function spread(gains: Float64Array): readonly number[] {
  const sorted = Float64Array.from(gains).sort();
  return Array.from({ length: 21 }, (_, i) => Number(quantile(sorted, 1 - i / 20).toPrecision(4)));
}
