import { rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { seededRandom } from '../measure/seeded-random.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { queryText } from '../query.ts';
import { trainVerifier } from '../verify/train-verifier.ts';
import { buildModel, defaultL2, sampleRows } from './build-model.ts';
import { checkTrainable } from './check-outcomes.ts';
import { GainModel } from './gain-model.ts';
import { type Breathe, evenFolds, type Folds, groupFolds } from './held-out.ts';
import { bucketsFor, textMatrix } from './learn-heads.ts';
import {
  type OutcomeTable,
  type OutcomeTableOptions,
  outcomeTable,
  outcomeTableKeys,
} from './outcome-table.ts';
import type { ValidationJson } from './router-model.ts';
import { isProven, validateHeads } from './validate-heads.ts';

/** Options of `trainRouterModel`. */
export interface TrainRouterModelOptions extends OutcomeTableOptions {
  /** Deals rows into folds. The same rows, options and seed give the same file, byte for byte. @default 1 */
  readonly seed?: number | undefined;
  /** How many of the rows to train on, drawn by the seed; the others stay fresh to calibrate and evaluate on. @default all */
  readonly rows?: number | undefined;
  /** How strongly weights are held at zero. @default 1.5, rising with the root of the rows */
  readonly l2?: number | undefined;
  /** Size of the table of words, a power of two. @default what keeps the file below 64 KB: 32768 for two models */
  readonly buckets?: number | undefined;
  /**
   * What learning has to be better than length on: `"rows"`, rows like those it was trained on, or `"groups"`, kinds of
   * queries that it has never seen. @default "rows"
   */
  readonly proof?: 'rows' | 'groups' | undefined;
  /** False keeps the learned heads even where they are not clearly better than length. @default true */
  readonly fallback?: boolean | undefined;
  /** Train a verifier of the weak model's answers where the rows hold responses. @default true */
  readonly verifier?: boolean | undefined;
  /** How far it is, 0 to 1, and what it does. */
  readonly onProgress?: ((share: number, step: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const known = [
  ...outcomeTableKeys,
  ...['seed', 'rows', 'l2', 'buckets', 'proof', 'fallback', 'verifier', 'onProgress', 'signal'],
];

/**
 * Trains a router on outcomes: a head for each model that predicts whether it will do, so that the difference is what
 * the dearer one gains. Validates on rows held out, and on groups held out where there are groups; where that is not
 * clearly better than prompt length (better, and by something that length does not say), the model goes by length, and says
 * so.
 *
 * @throws OutcomesError when the outcomes do not carry it: fewer than 200 rows with all models, fewer than 30 in which
 *   the pair differs, no better strong model, costs for some models only.
 * @throws ConfigError for options out of range; `signal.reason` when the signal aborts.
 */
export async function trainRouterModel(
  rows: readonly OutcomeRow[],
  options: TrainRouterModelOptions = {},
): Promise<GainModel> {
  rejectUnknownKeys(options, known, 'trainRouterModel');
  const { seed = 1, proof = 'rows', fallback = true, verifier = true, signal } = options;
  requireNumber(seed, 'seed', { integer: true, min: 0, max: 0xffff_ffff });
  if (options.l2 !== undefined) requireNumber(options.l2, 'l2', { above: 0 });
  if (options.rows !== undefined) requireNumber(options.rows, 'rows', { integer: true, min: 1 });
  signal?.throwIfAborted();

  const { models, costsUsd, weak, strong } = options;
  const whole = outcomeTable(rows, { models, costsUsd, weak, strong });
  const table = options.rows === undefined ? whole : sampleRows(whole, options.rows, seed);
  checkTrainable(table);
  const l2 = options.l2 ?? defaultL2(table.rows);

  const nameOf = (index: number): string => table.models[index]?.name ?? '';
  const names = { weak: nameOf(table.weak), strong: nameOf(table.strong) };
  const answered = verifier && rows.some(({ outcomes }) => outcomes[names.weak]?.response !== undefined);
  const buckets = options.buckets ?? bucketsFor(table.models.length, answered);
  const texts = textMatrix(table.texts, buckets);
  const folds = evenFolds(table, table.rows < 3_000 ? 10 : 5, seededRandom(seed));
  const byGroups = groupFolds(table, 10);
  const steps = folds.count + (byGroups?.count ?? 0) + 1;
  const breathe =
    (step: string, before: number): Breathe =>
    async (done) => {
      options.onProgress?.((before + done) / steps, step);
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    };
  const validate = (by: 'rows' | 'groups', parts: Folds, before: number): Promise<ValidationJson> =>
    validateHeads(table, texts, parts, { by, l2, seed, breathe: breathe('validate', before) });
  const validated = await validate('rows', folds, 0);
  const groupValidated = byGroups === undefined ? undefined : await validate('groups', byGroups, folds.count);

  await breathe('train', steps - 1)(0, 1);
  const judge = proof === 'groups' ? (groupValidated ?? validated) : validated;
  const form = fallback && !isProven(judge) ? 'length' : 'learned';
  const reads = answered
    ? trainVerifier(trainedRows(rows, table, options.rows), { ...names, seed })
    : undefined;
  const model = buildModel(table, texts, { form, l2, seed });
  await breathe('train', steps)(0, 1);
  return new GainModel({
    ...model,
    validation: validated,
    ...(groupValidated !== undefined && { groupValidation: groupValidated }),
    ...(reads !== undefined && { verifier: reads }),
  });
}

/** The rows that a table was made of, with their responses. */
function trainedRows(
  rows: readonly OutcomeRow[],
  table: OutcomeTable,
  sampled: number | undefined,
): readonly OutcomeRow[] {
  if (sampled === undefined) return rows;
  const texts = new Set(table.texts);
  return rows.filter(({ prompt }) => texts.has(queryText(prompt)));
}
