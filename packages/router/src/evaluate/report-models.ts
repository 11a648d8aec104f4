import type { OutcomeTable } from '../learned/outcome-table.ts';
import { Bootstrap, estimate } from '../measure/bootstrap.ts';
import { textGroups } from '../measure/same-text.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import type { ReportedModel } from './route-report.ts';

/** The models of a table, the cheapest first, with those named that nobody needs. */
export function reportModels(
  table: OutcomeTable,
  { draws, seed }: { readonly draws: number; readonly seed: number },
): ReportedModel[] {
  const drawn: number[][] = table.models.map(() => []);
  for (const counts of new Bootstrap(table.rows, {
    draws: Math.min(draws, 400),
    random: seededRandom(seed),
    texts: textGroups(table.texts),
  })) {
    const drawnRows = counts.reduce((sum, count) => sum + count, 0);
    for (const [index, column] of table.scores.entries()) {
      let sum = 0;
      for (let row = 0; row < table.rows; row++) sum += (counts[row] as number) * (column[row] as number);
      drawn[index]?.push(sum / drawnRows);
    }
  }
  return table.models
    .map((model, index): ReportedModel => {
      const { name, meanScore, costUsd } = model;
      const role = index === table.weak ? 'weak' : index === table.strong ? 'strong' : undefined;
      const better = costUsd === undefined ? undefined : dominator(table, index);
      return {
        name,
        ...(role !== undefined && { role }),
        quality: estimate(meanScore, drawn[index] ?? []),
        ...(costUsd !== undefined && { costUsd }),
        ...(better !== undefined && { dominatedBy: better }),
      };
    })
    .toSorted((a, b) => (a.costUsd ?? 0) - (b.costUsd ?? 0) || a.quality.value - b.quality.value);
}

/** The best of those that are no dearer and no worse. */
function dominator({ models }: OutcomeTable, index: number): string | undefined {
  const { costUsd: cost = 0, meanScore: score = 0 } = models[index] ?? {};
  const better = models.filter(({ costUsd = 0, meanScore }, other) => {
    if (other === index || costUsd > cost || meanScore < score) return false;
    return costUsd < cost || meanScore > score;
  });
  return better.toSorted((a, b) => b.meanScore - a.meanScore)[0]?.name;
}
