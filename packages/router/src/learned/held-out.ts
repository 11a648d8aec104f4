import type { Random } from '@synapsekit/core';
import { dealTexts, textGroups, textMeans } from '../measure/same-text.ts';
import { shuffled } from '../measure/seeded-random.ts';
import { headQuality, learnHeads, type TextMatrix } from './learn-heads.ts';
import { type OutcomeTable, pairOf } from './outcome-table.ts';

/** Rows in parts: each row is predicted by a model that was trained on the other parts. */
export interface Folds {
  readonly count: number;
  /** The part of each row. */
  readonly of: Int32Array;
}

/** Rows dealt out at random. */
export function rowFolds(rows: number, count: number, random: Random): Folds {
  const of = new Int32Array(rows);
  for (const [place, row] of shuffled(rows, random).entries()) of[row] = place % count;
  return { count, of };
}

/**
 * Rows dealt out so that each part has as many of each pair of scores: predictions of parts are then as high as each other
 * and can stand in one order. Left to chance, a part with many gains is predicted by heads that have seen few. Rows with
 * the same text stand in one part, by the mean of their scores: heads that have seen one of them know the others.
 */
export function evenFolds(table: OutcomeTable, count: number, random: Random): Folds {
  const { weak, strong } = pairOf(table);
  const texts = textGroups(table.texts);
  const gains = textMeans(texts, difference(strong, weak));
  const scores = textMeans(texts, weak);
  const meanOf = (means: Float64Array, row: number): number => means[texts.of[row] as number] as number;
  const order = Array.from(shuffled(table.rows, random)).sort(
    (a, b) => meanOf(gains, a) - meanOf(gains, b) || meanOf(scores, a) - meanOf(scores, b),
  );
  return { count, of: dealTexts(texts, order, count) };
}

/**
 * Whole groups dealt out, the largest first, each to the part that has the fewest rows. `undefined` with fewer than two
 * groups, or rows that have none: nothing can be left out then.
 */
export function groupFolds({ groups, groupNames }: OutcomeTable, atMost: number): Folds | undefined {
  if (groupNames.length < 2 || groups.includes(-1)) return undefined;
  const sizes = groupNames.map(() => 0);
  for (const group of groups) sizes[group] = (sizes[group] ?? 0) + 1;
  const count = Math.min(atMost, groupNames.length);
  const load = new Array<number>(count).fill(0);
  const partOf = new Int32Array(groupNames.length);
  const order = sizes.map((_, group) => group).toSorted((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
  for (const group of order) {
    const part = load.indexOf(Math.min(...load));
    load[part] = (load[part] ?? 0) + (sizes[group] ?? 0);
    partOf[group] = part;
  }
  return { count, of: groups.map((group) => partOf[group] as number) };
}

/** Called between folds: time to breathe, to say how far it is, and to stop. */
export type Breathe = (done: number, of: number) => Promise<void>;

/** What each model is predicted to score in each row, by heads that have not seen the row. By model, as asked for. */
export async function heldOutQuality(
  table: OutcomeTable,
  texts: TextMatrix,
  models: readonly number[],
  folds: Folds,
  { l2, breathe }: { readonly l2: number; readonly breathe: Breathe },
): Promise<Float64Array[]> {
  const quality = models.map(() => new Float64Array(table.rows));
  const all = Int32Array.from({ length: table.rows }, (_, row) => row);
  for (let fold = 0; fold < folds.count; fold++) {
    await breathe(fold, folds.count);
    const heads = learnHeads(
      texts,
      table,
      models,
      l2,
      all.filter((row) => folds.of[row] !== fold),
    );
    for (const row of all) {
      if (folds.of[row] !== fold) continue;
      for (const [index, head] of heads.entries()) {
        (quality[index] as Float64Array)[row] = headQuality(texts, head, row);
      }
    }
  }
  await breathe(folds.count, folds.count);
  return quality;
}

/** The difference of two columns: what the strong model is better by. */
export function difference(strong: ArrayLike<number>, weak: ArrayLike<number>): Float64Array {
  return Float64Array.from(strong, (value, row) => value - (weak[row] as number));
}
