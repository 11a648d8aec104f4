import { quantile } from '../measure/bootstrap.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import { OutcomesError } from '../outcomes/outcomes-error.ts';
import { Fingerprints } from './fingerprints.ts';
import { GainModel } from './gain-model.ts';
import { rowFolds } from './held-out.ts';
import { learnHeads, lengthHeads, packHead, type TextMatrix } from './learn-heads.ts';
import { type OutcomeTable, tableRows } from './outcome-table.ts';
import type { PoolModel, RouterModelJson } from './router-model.ts';

/** The more rows, the more each weight may say, but not in proportion. */
export const defaultL2 = (rows: number): number => 1.5 * Math.sqrt(Math.max(1, rows / 1_500));

/** Trains the heads on all rows of a table and puts the model together: no validation, no refusal. */
export function buildModel(
  table: OutcomeTable,
  texts: TextMatrix,
  { form, l2, seed }: { readonly form: RouterModelJson['form']; readonly l2: number; readonly seed: number },
): RouterModelJson {
  const all = table.models.map((_, index) => index);
  const json: RouterModelJson = {
    kind: 'synapsekit-router-model',
    version: 2,
    form,
    models: table.models.map(rounded),
    weak: table.models[table.weak]?.name ?? '',
    strong: table.models[table.strong]?.name ?? '',
    dense: { mean: [...texts.mean], sd: [...texts.sd] },
    buckets: texts.buckets,
    clipChars: texts.clipChars,
    heads: form === 'length' ? lengthHeads(table, texts) : learnHeads(texts, table, all, l2).map(packHead),
    gains: [0, 1],
    training: { rows: table.rows, seed, fingerprints: Fingerprints.of(table.texts).toJSON() },
  };
  return { ...json, gains: gainSteps(new GainModel(json), table.texts) };
}

/**
 * So many rows, drawn by the seed.
 *
 * @throws OutcomesError when there are not so many.
 */
export function sampleRows(table: OutcomeTable, rows: number, seed: number): OutcomeTable {
  if (rows > table.rows) {
    throw new OutcomesError(
      'too-few',
      `There are ${table.rows} rows with all models, ${rows} were asked for. Ask for fewer (--rows; in code: rows), or score more queries.`,
    );
  }
  const { of } = rowFolds(table.rows, table.rows, seededRandom(seed)); // a place for each row
  const chosen = Int32Array.from({ length: table.rows }, (_, row) => row).filter(
    (row) => (of[row] as number) < rows,
  );
  return tableRows(table, chosen);
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
