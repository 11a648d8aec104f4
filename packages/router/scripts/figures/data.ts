import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildModel, defaultL2, sampleRows } from '../../src/learned/build-model.ts';
import { GainModel } from '../../src/learned/gain-model.ts';
import { bucketsFor, textMatrix } from '../../src/learned/learn-heads.ts';
import { type OutcomeTable, outcomeTable, pairOf, tableRows } from '../../src/learned/outcome-table.ts';
import { GapCurve, type GapMetrics } from '../../src/measure/gap-curve.ts';
import type { OutcomeRow } from '../../src/outcomes/outcome.ts';
import { readOutcomes } from '../../src/outcomes/read-outcomes.ts';

export const sets = ['mmlu', 'gsm8k'] as const;
export type SetName = (typeof sets)[number];

/** One set of outcomes. */
export interface DataSet {
  readonly name: SetName;
  readonly rows: readonly OutcomeRow[];
  readonly table: OutcomeTable;
}

/** Ten training samples: as many as the first study had. */
export const seeds: readonly number[] = Array.from({ length: 10 }, (_, index) => index + 1);

/** Both sets. `undefined` when the folder has none. */
export async function readSets(folder: string): Promise<Readonly<Record<SetName, DataSet>> | undefined> {
  const file = (name: SetName): string => join(folder, `${name}.jsonl.gz`);
  if (!sets.every((name) => existsSync(file(name)))) return undefined;
  const read = async (name: SetName): Promise<DataSet> => {
    const rows = await readOutcomes(file(name));
    return { name, rows, table: outcomeTable(rows) };
  };
  return { mmlu: await read('mmlu'), gsm8k: await read('gsm8k') };
}

/** What a scorer of texts is worth on a table. */
export function metricsOf(table: OutcomeTable, score: (text: string) => number): GapMetrics {
  const found = new GapCurve({ scores: table.texts.map(score), ...pairOf(table) }).metrics();
  if (found === undefined) throw new Error('The strong model is not better.');
  return found;
}

/** Trains on so many rows, drawn by the seed as `route train --rows` does, and measures on all others. */
export function onTheRest(table: OutcomeTable, rows: number, seed: number): GapMetrics {
  const sample = sampleRows(table, rows, seed);
  const texts = textMatrix(sample.texts, bucketsFor(table.models.length, false));
  const model = new GainModel(buildModel(sample, texts, { form: 'learned', l2: defaultL2(rows), seed }));
  const seen = new Set(sample.texts);
  const rest = Int32Array.from(table.texts.keys()).filter((row) => !seen.has(table.texts[row] as string));
  return metricsOf(tableRows(table, rest), (text) => model.gainOfText(text));
}
