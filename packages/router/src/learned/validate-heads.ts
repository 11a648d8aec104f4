import { beyondLength } from '../measure/beyond-length.ts';
import { Bootstrap, type Estimate, estimate, quantile } from '../measure/bootstrap.ts';
import { GapCurve } from '../measure/gap-curve.ts';
import { type TextGroups, textGroups, textMeans } from '../measure/same-text.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import { type Breathe, difference, type Folds, heldOutQuality } from './held-out.ts';
import type { TextMatrix } from './learn-heads.ts';
import { type OutcomeTable, pairOf } from './outcome-table.ts';
import type { ValidationJson } from './router-model.ts';

/**
 * Predictions of folds share rows and are a little more alike than chance has it: at half of 5 %, length alone was taken for
 * more in 2 to 4 % of simulated trainings.
 */
const provenAt = 0.025;

/** How heads do on rows that they were not trained on, beside length. */
export async function validateHeads(
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
  const pair = pairOf(table);
  const curveOf = (of: ArrayLike<number>): GapCurve => new GapCurve({ scores: of, ...pair });
  const groups = textGroups(table.texts);
  // A text is one observation, however often it stands there.
  const { z, p } = beyondLength(
    textMeans(groups, scores),
    textMeans(groups, lengths),
    textMeans(groups, difference(pair.strong, pair.weak)),
  );
  return {
    by: options.by,
    folds: folds.count,
    ...compare(curveOf(scores), curveOf(lengths), groups, options.seed),
    beyondLength: { z: four(z), p: Number(p.toPrecision(3)) },
  };
}

/**
 * True where what was learnt is clearly better than length: better on rows held out, and by something that length does not
 * say (which length alone would feign in at most 5 % of all trainings). Where the longer queries gain less, the model that
 * goes by length is worse than a coin: there it is enough to be surely better than both.
 */
export function isProven({ apgr, lengthApgr, advantage, beyondLength: { p } }: ValidationJson): boolean {
  if (lengthApgr < 0.5 && advantage.low > 0 && apgr.low > 0.5) return true;
  return apgr.value > 0.5 && advantage.value > 0 && p <= provenAt;
}

function compare(
  router: GapCurve,
  length: GapCurve,
  texts: TextGroups,
  seed: number,
): { readonly apgr: Estimate; readonly lengthApgr: number; readonly advantage: Estimate } {
  const apgr: number[] = [];
  const ahead: number[] = [];
  for (const counts of new Bootstrap(router.rows, { random: seededRandom(seed), texts })) {
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
