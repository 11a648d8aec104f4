import { Bootstrap, type Estimate, estimate } from './bootstrap.ts';
import { GapCurve, type PairScores } from './gap-curve.ts';

/** APGR and CPT of one router with their intervals. `undefined` when the models do equally well. */
export function measureGap(
  pair: PairScores,
  { draws = 1_000, random }: { readonly draws?: number; readonly random: () => number },
): { readonly apgr: Estimate; readonly cpt50: Estimate; readonly cpt80: Estimate } | undefined {
  const curve = new GapCurve(pair);
  const value = curve.metrics();
  if (value === undefined) return undefined;
  const drawn = { apgr: [] as number[], cpt50: [] as number[], cpt80: [] as number[] };
  for (const counts of new Bootstrap(curve.rows, { draws, random })) {
    const metrics = curve.metrics(counts);
    if (metrics === undefined) continue;
    for (const name of ['apgr', 'cpt50', 'cpt80'] as const) drawn[name].push(metrics[name]);
  }
  return {
    apgr: estimate(value.apgr, drawn.apgr),
    cpt50: estimate(value.cpt50, drawn.cpt50),
    cpt80: estimate(value.cpt80, drawn.cpt80),
  };
}
