import { rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { Bootstrap, type Estimate, estimate, quantile } from '../measure/bootstrap.ts';
import { GapCurve } from '../measure/gap-curve.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { OutcomesError } from '../outcomes/outcomes-error.ts';
import { queryText } from '../query.ts';
import { trainVerifier } from '../verify/train-verifier.ts';
import { Fingerprints } from './fingerprints.ts';
import { GainModel } from './gain-model.ts';
import { type Breathe, difference, type Folds, groupFolds, heldOutQuality, rowFolds } from './held-out.ts';
import { bucketsFor, learnHeads, lengthHeads, packHead, type TextMatrix, textMatrix } from './learn-heads.ts';
import {
  type OutcomeTable,
  type OutcomeTableOptions,
  outcomeTable,
  outcomeTableKeys,
  pairOf,
  tableRows,
} from './outcome-table.ts';
import type { PoolModel, RouterModelJson, ValidationJson } from './router-model.ts';

/** Fewer rows than this teach nothing that can be relied on: with 100, some samples end below a coin. */
export const minTrainingRows = 200;
/** In so many rows the two models must not do alike: the others say nothing about the gain. */
const minTellingRows = 30;
/** The more rows, the more each weight may say, but not in proportion. */
export const defaultL2 = (rows: number): number => 1.5 * Math.sqrt(Math.max(1, rows / 1_500));

/** Options of `trainRouterModel`. */
export interface TrainRouterModelOptions extends OutcomeTableOptions {
  /** Deals rows into folds. The same rows, options and seed give the same file, byte for byte. @default 1 */
  readonly seed?: number | undefined;
  /** How many of the rows to train on, drawn by the seed; the others stay fresh to calibrate and evaluate on. @default all */
  readonly rows?: number | undefined;
  /** How strongly weights are held at zero. @default 1.5, rising with the root of the rows */
  readonly l2?: number | undefined;
  /** Size of the table of words, a power of two. @default what keeps the file below 64 KB: 16384 for two models */
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
 * clearly better than prompt length (90 % of paired bootstrap draws), the model goes by length, and says so.
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
  const table = options.rows === undefined ? whole : sample(whole, options.rows, seed);
  checkCarries(table);
  const l2 = options.l2 ?? defaultL2(table.rows);

  const nameOf = (index: number): string => table.models[index]?.name ?? '';
  const names = { weak: nameOf(table.weak), strong: nameOf(table.strong) };
  const answered = verifier && rows.some(({ outcomes }) => outcomes[names.weak]?.response !== undefined);
  const buckets = options.buckets ?? bucketsFor(table.models.length, answered);
  const texts = textMatrix(table.texts, buckets);
  const folds = rowFolds(table.rows, table.rows < 3_000 ? 10 : 5, seededRandom(seed));
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
    validation(table, texts, parts, { by, l2, seed, breathe: breathe('validate', before) });
  const validated = await validate('rows', folds, 0);
  const groupValidated = byGroups === undefined ? undefined : await validate('groups', byGroups, folds.count);

  await breathe('train', steps - 1)(0, 1);
  const judge = proof === 'groups' ? (groupValidated ?? validated) : validated;
  const form = fallback && !(judge.advantage.low > 0 && judge.apgr.value > 0.5) ? 'length' : 'learned';
  const heads =
    form === 'length'
      ? lengthHeads(table, texts)
      : learnHeads(
          texts,
          table,
          table.models.map((_, index) => index),
          l2,
        ).map(packHead);
  const reads = answered
    ? trainVerifier(trainedRows(rows, table, options.rows), { ...names, seed })
    : undefined;
  const json: RouterModelJson = {
    kind: 'synapsekit-router-model',
    version: 1,
    form,
    models: table.models.map(rounded),
    ...names,
    dense: { mean: [...texts.mean], sd: [...texts.sd] },
    buckets,
    clipChars: texts.clipChars,
    heads,
    gains: [0, 1],
    training: { rows: table.rows, seed, fingerprints: Fingerprints.of(table.texts).toJSON() },
    validation: validated,
    ...(groupValidated !== undefined && { groupValidation: groupValidated }),
    ...(reads !== undefined && { verifier: reads }),
  };
  await breathe('train', steps)(0, 1);
  return new GainModel({ ...json, gains: gainSteps(new GainModel(json), table.texts) });
}

/** A threshold is looked for among these, so that it does not depend on the rows that it is then tested on. */
function gainSteps(model: GainModel, texts: readonly string[]): number[] {
  const gains = Float64Array.from(texts, (text) => model.gainOfText(text)).sort();
  return Array.from({ length: 51 }, (_, step) => Number(quantile(gains, step / 50).toPrecision(6)));
}

/** Few digits: a sum of floats is no more exact. */
function rounded({ name, meanScore, costUsd, latencyMs }: PoolModel): PoolModel {
  const digits = (value: number): number => Number(value.toPrecision(7));
  return {
    name,
    meanScore: digits(meanScore),
    ...(costUsd !== undefined && { costUsd: digits(costUsd) }),
    ...(latencyMs !== undefined && { latencyMs: digits(latencyMs) }),
  };
}

function sample(table: OutcomeTable, rows: number, seed: number): OutcomeTable {
  if (rows > table.rows) {
    throw new OutcomesError(
      'too-few',
      `There are ${table.rows} rows with all models, ${rows} were asked for.`,
    );
  }
  const { of } = rowFolds(table.rows, table.rows, seededRandom(seed)); // a place for each row
  const chosen = Int32Array.from({ length: table.rows }, (_, row) => row).filter(
    (row) => (of[row] as number) < rows,
  );
  return tableRows(table, chosen);
}

function checkCarries(table: OutcomeTable): void {
  const { weak, strong } = pairOf(table);
  const names = `${table.models[table.weak]?.name} and ${table.models[table.strong]?.name}`;
  if (table.rows < minTrainingRows) {
    throw new OutcomesError(
      'too-few',
      `${table.rows} rows have a score for every model; training needs ${minTrainingRows} at the least, and 1,000 to 1,500 ` +
        'to be worth it. With fewer, some samples end below a coin. Until then prompt length is the better router.',
    );
  }
  const telling = weak.reduce((count, score, row) => count + (score !== strong[row] ? 1 : 0), 0);
  if (telling < minTellingRows) {
    throw new OutcomesError(
      'too-few',
      `${names} differ in ${telling} of ${table.rows} rows; at least ${minTellingRows} are needed to learn where. ` +
        (telling === 0 ? 'As things are, always take the cheaper one.' : 'Score more queries.'),
    );
  }
  checkGap(table);
}

/** @throws OutcomesError when the strong model of the pair is not better. */
export function checkGap(table: OutcomeTable): void {
  const [weak, strong] = [table.models[table.weak], table.models[table.strong]];
  if (weak === undefined || strong === undefined || strong.meanScore > weak.meanScore) return;
  throw new OutcomesError(
    'no-gap',
    `${strong.name} scores ${strong.meanScore.toFixed(3)}, ${weak.name} ${weak.meanScore.toFixed(3)}: nothing is gained by ` +
      `asking the first. Always take ${weak.name}.`,
  );
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

async function validation(
  table: OutcomeTable,
  texts: TextMatrix,
  folds: Folds,
  options: {
    readonly by: 'rows' | 'groups';
    readonly l2: number;
    readonly seed: number;
    readonly breathe: Breathe;
  },
): Promise<ValidationJson> {
  const [weak, strong] = await heldOutQuality(table, texts, [table.weak, table.strong], folds, options);
  const scores = difference(strong ?? [], weak ?? []);
  const lengths = table.texts.map(({ length }) => length);
  return {
    by: options.by,
    folds: folds.count,
    ...compare(
      new GapCurve({ scores, ...pairOf(table) }),
      new GapCurve({ scores: lengths, ...pairOf(table) }),
      options.seed,
    ),
  };
}

function compare(
  router: GapCurve,
  length: GapCurve,
  seed: number,
): { readonly apgr: Estimate; readonly lengthApgr: number; readonly advantage: Estimate } {
  const apgr: number[] = [];
  const ahead: number[] = [];
  for (const counts of new Bootstrap(router.rows, { random: seededRandom(seed) })) {
    const [ours, theirs] = [router.metrics(counts)?.apgr, length.metrics(counts)?.apgr];
    if (ours === undefined || theirs === undefined) continue;
    apgr.push(ours);
    ahead.push(ours - theirs);
  }
  const [ours, theirs] = [router.metrics()?.apgr ?? Number.NaN, length.metrics()?.apgr ?? Number.NaN];
  const sorted = Float64Array.from(ahead).sort();
  const short = ({ value, low, high }: Estimate): Estimate => ({
    value: four(value),
    low: four(low),
    high: four(high),
  });
  return {
    apgr: short(estimate(ours, apgr)),
    lengthApgr: four(theirs),
    advantage: short({ value: ours - theirs, low: quantile(sorted, 0.1), high: quantile(sorted, 0.9) }),
  };
}

function four(value: number): number {
  return Number(value.toFixed(4));
}
