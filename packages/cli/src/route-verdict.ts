import type { ReportedModel, ReportedRouter } from '@synapsekit/router/offline';

/** What is to be said of a router that is no baseline: on the terminal and in the HTML report alike. */
export interface VerdictText {
  readonly tone: 'good' | 'bad' | 'warn';
  /** The verdict, as a sentence. */
  readonly sentence: string;
  /** On which rows, where that is not all of them. */
  readonly rows?: string | undefined;
}

/** The verdict on a router, and on which rows it was found. `undefined` for a baseline. */
export function verdictText(router: ReportedRouter, allRows: number): VerdictText | undefined {
  const { name, kind, verdict, apgr, lengthApgr = 0.5, unmeasured, excluded, trainedOn, rows } = router;
  if (kind === 'baseline') return undefined;
  if (verdict === 'unmeasured') return { tone: 'warn', sentence: `${name}: not measured: ${unmeasured}.` };
  const length = `prompt length (${lengthApgr.toFixed(3)}${excluded > 0 ? ` on the same ${rows} rows` : ''})`;
  const own =
    excluded === 0
      ? {}
      : {
          rows:
            `measured on ${rows} of ${allRows} rows; about ${excluded} were left out as seen in training ` +
            `(it was trained on ${trainedOn}; its memory of them errs by a few).`,
        };
  if (verdict === 'better-than-length')
    return { tone: 'good', sentence: `${name}: better than ${length}.`, ...own };
  const low = apgr?.low.toFixed(3);
  const what = lengthApgr >= 0.5 ? length : 'a coin (0.500)';
  return {
    tone: 'bad',
    sentence: `${name}: worthless here: the lower bound of its APGR, ${low}, is not above ${what}.`,
    ...own,
  };
}

/** What is to be said where the strong model is no dearer than the weak one: no router can earn anything. */
export function nothingToRoute(models: readonly ReportedModel[]): string | undefined {
  const strong = models.find(({ role }) => role === 'strong');
  const weak = models.find(({ role }) => role === 'weak');
  if (strong === undefined || weak?.dominatedBy !== strong.name) return undefined;
  return `There is nothing to route between ${weak.name} and ${strong.name}: always take ${strong.name}.`;
}

/** What "to 90 %" and the like are percent of. */
export function costShareOf(costUnit: 'usd' | 'strong-calls'): string {
  return costUnit === 'usd' ? "% of the best model's cost" : '% of strong calls';
}
