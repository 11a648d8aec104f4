import { formatUsd, parseUsd } from '@synapsekit/core';
import { OutcomesError } from '../outcomes/outcomes-error.ts';
import { type OutcomeTable, pairOf } from './outcome-table.ts';

/** Fewer rows than this teach nothing that can be relied on: with 100, some samples end below a coin. */
export const minTrainingRows = 200;
/** In so many rows the two models must not do alike: the others say nothing about the gain. */
const minTellingRows = 30;

/**
 * Makes sure that a router can be trained on outcomes, and is worth training.
 *
 * @throws OutcomesError when there are too few rows, too few in which the pair differs, when the strong model is not
 *   better, or the weak one no cheaper.
 */
export function checkTrainable(table: OutcomeTable): void {
  const { weak, strong } = pairOf(table);
  const names = `${table.models[table.weak]?.name} and ${table.models[table.strong]?.name}`;
  if (table.rows < minTrainingRows) {
    throw new OutcomesError(
      'too-few',
      `${table.rows} ${table.rows === 1 ? 'row has' : 'rows have'} a score for every model; training needs ${minTrainingRows} ` +
        'at the least, and 1,000 to 1,500 to be worth it. With fewer, some samples end below a coin. Until then prompt ' +
        'length is the better router.',
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
  checkCosts(table);
}

/** @throws OutcomesError when the strong model of the pair is not better. */
export function checkGap(table: OutcomeTable): void {
  const [weak, strong] = [table.models[table.weak], table.models[table.strong]];
  if (weak === undefined || strong === undefined || strong.meanScore > weak.meanScore) return;
  // Of two that are as good as each other the cheaper one is enough, whatever they are called.
  const even = strong.meanScore === weak.meanScore;
  const [asked, enough] =
    even && (strong.costUsd ?? 0) < (weak.costUsd ?? 0) ? [weak, strong] : [strong, weak];
  const costs =
    enough.costUsd === undefined || asked.costUsd === undefined || asked.costUsd < enough.costUsd
      ? ''
      : `, and it costs ${usd(asked.costUsd)} per query against ${usd(enough.costUsd)}: it is dominated`;
  throw new OutcomesError(
    'no-gap',
    `${asked.name} scores ${asked.meanScore.toFixed(3)}, ${enough.name} ${enough.meanScore.toFixed(3)}: nothing is gained by ` +
      `asking the first${costs}. Always take ${enough.name}.`,
  );
}

/**
 * A model that is better and no dearer is the answer to every query; a router between the two could only be wrong.
 *
 * @throws OutcomesError when the weak model of the pair is dominated.
 */
function checkCosts({ models, weak, strong }: OutcomeTable): void {
  const [cheap, best] = [models[weak], models[strong]];
  if (cheap?.costUsd === undefined || best?.costUsd === undefined || best.costUsd > cheap.costUsd) return;
  const others = models.filter(({ name }) => name !== best.name && name !== cheap.name);
  const nobodyCheaper = others.every(({ costUsd = 0 }) => costUsd >= (best.costUsd ?? 0));
  throw new OutcomesError(
    'dominated',
    `${cheap.name} is dominated: it scores ${cheap.meanScore.toFixed(3)} for ${usd(cheap.costUsd)} per query, ${best.name} ` +
      `${best.meanScore.toFixed(3)} for ${usd(best.costUsd)}. ` +
      (nobodyCheaper
        ? `${others.length > 0 ? 'So is every other model. ' : ''}There is nothing to route between: always take ` +
          `${best.name}. If these costs are wrong, mend costUsd in the outcomes (or --cost; in code: costsUsd).`
        : 'Name a cheaper one as the weak model (--weak; in code: weak).'),
  );
}

function usd(value: number): string {
  return formatUsd(parseUsd(Number(value.toPrecision(4))));
}
