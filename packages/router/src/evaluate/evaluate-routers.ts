import {
  type Clock,
  ConfigError,
  type Prompt,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
} from '@synapsekit/core';
import { complexities } from '../complexity.ts';
import { defaultL2 } from '../learned/build-model.ts';
import { checkGap, minTrainingRows } from '../learned/check-outcomes.ts';
import type { GainModel } from '../learned/gain-model.ts';
import { type Breathe, difference, evenFolds, groupFolds, heldOutQuality } from '../learned/held-out.ts';
import { bucketsFor, textMatrix } from '../learned/learn-heads.ts';
import {
  type OutcomeTable,
  type OutcomeTableOptions,
  outcomeTable,
  outcomeTableKeys,
  tableRows,
} from '../learned/outcome-table.ts';
import { LengthClassifier } from '../length-classifier.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { OutcomesError } from '../outcomes/outcomes-error.ts';
import { cascadeSteps, hasAnswers, heldOutCascade } from './held-out-cascade.ts';
import { MeasuredRows } from './measured-rows.ts';
import { probeRouter } from './probe-router.ts';
import { reportModels } from './report-models.ts';
import { type ReportedRouter, type RouteReport, unmeasured } from './route-report.ts';

/** A router to be measured: a trained model, or anything that says how much a query gains. */
export type EvaluatedRouter =
  | { readonly name: string; readonly model: GainModel }
  /** The higher, the sooner a query goes to the strong model. */
  | { readonly name: string; readonly score: (prompt: Prompt) => number };

/** Options of `evaluateRouters`. */
export interface EvaluateRoutersOptions extends OutcomeTableOptions {
  readonly routers?: readonly EvaluatedRouter[] | undefined;
  /** Also measure what training on these outcomes gives, each row predicted without itself. @default true */
  readonly learned?: boolean | undefined;
  /**
   * Where rows hold answers (`response`) of the weak model, also measure what a cascade gives that reads them, each judged
   * by a verifier that has not seen it. @default the same as `learned`
   */
  readonly cascade?: boolean | undefined;
  /** How many bootstrap draws. @default 1000 */
  readonly draws?: number | undefined;
  /** @default 1 */
  readonly seed?: number | undefined;
  /** Times decisions. @default systemClock */
  readonly clock?: Clock | undefined;
  /** How far it is, 0 to 1, and what it does. */
  readonly onProgress?: ((share: number, step: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const known = [
  ...outcomeTableKeys,
  ...['routers', 'learned', 'cascade', 'draws', 'seed', 'clock', 'onProgress', 'signal'],
];
/** Intervals of fewer rows say nothing. */
const minFreshRows = 50;
/** Name in a report of the learned router whose every row was predicted without it. */
export const heldOutName = 'learned (held out)';

/**
 * Measures routers on outcomes, always beside a coin, prompt length, its three tiers (what `LengthClassifier` makes of it),
 * the best single model and an oracle. Rows that a
 * model was trained on are left out for it.
 *
 * @throws OutcomesError when the outcomes do not carry it: no two models, no better strong model, costs for some only,
 *   fewer than 50 rows.
 * @throws ConfigError for options out of range, models of a router that the outcomes do not have, a score that is NaN;
 *   `signal.reason` when the signal aborts.
 */
export async function evaluateRouters(
  rows: readonly OutcomeRow[],
  options: EvaluateRoutersOptions = {},
): Promise<RouteReport> {
  rejectUnknownKeys(options, known, 'evaluateRouters');
  const { models, costsUsd, weak, strong, routers = [], learned = true } = options;
  const { cascade = learned, draws = 1_000, seed = 1, clock = systemClock, onProgress, signal } = options;
  requireNumber(draws, 'draws', { integer: true, min: 20, max: 100_000 });
  requireNumber(seed, 'seed', { integer: true, min: 0, max: 0xffff_ffff });
  const table = outcomeTable(rows, { models, costsUsd, weak, strong });
  if (table.rows < minFreshRows) throw tooFew(table.rows);
  checkGap(table);
  checkRouters(routers, table);

  const reads = cascade && hasAnswers(rows, table);
  const steps = 3 + 2 * routers.length + (learned ? 6 : 0) + (reads ? cascadeSteps : 0);
  let done = 0;
  const step = async (name: string): Promise<void> => {
    onProgress?.(Math.min(1, done++ / steps), name);
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  };
  await step('baselines');
  const measured = new MeasuredRows(table, { draws, seed });
  const lengths = table.texts.map(({ length }) => length);
  const length = measured.router('prompt length', 'baseline', lengths);
  const reported: ReportedRouter[] = [
    measured.random(),
    {
      ...length,
      probe: probeRouter({ score: lengthOf }, table.texts, { random: seededRandom(seed), clock }),
    },
    measured.router(tiersName, 'baseline', table.texts.map(tierOf)),
    measured.bestSingle(),
    measured.oracle(),
  ];
  if (learned) reported.push(await heldOut(table, measured, { seed, step }));
  if (reads) reported.push(await heldOutCascade({ rows, table, measured }, { draws, seed, step }));
  for (const router of routers) {
    await step(router.name);
    reported.push(measureGiven(table, measured, router, { draws, seed, clock }));
    await step(router.name);
  }
  onProgress?.(1, 'done');
  return {
    version: 1,
    rows: table.rows,
    leftOut: table.leftOut,
    groups: table.groupNames.length,
    draws,
    seed,
    costUnit: measured.costUnit,
    weak: table.models[table.weak]?.name ?? '',
    strong: table.models[table.strong]?.name ?? '',
    models: reportModels(table, { draws, seed }),
    routers: reported,
  };
}

/** Name in a report of `LengthClassifier`, the classifier that needs no model, with its default bounds. */
const tiersName = 'length tiers';
const tiers = new LengthClassifier();
const tierOf = (text: string): number => complexities.indexOf(tiers.complexityOf(text));

const lengthOf = (prompt: Prompt): number =>
  typeof prompt === 'string' ? prompt.length : JSON.stringify(prompt).length;

/** What training on these outcomes gives: each row predicted by heads that were trained without it, or without its group. */
async function heldOut(
  table: OutcomeTable,
  measured: MeasuredRows,
  { seed, step }: { readonly seed: number; readonly step: (name: string) => Promise<void> },
): Promise<ReportedRouter> {
  if (table.rows < minTrainingRows) {
    return unmeasured(
      heldOutName,
      'held-out',
      `training needs ${minTrainingRows} rows at the least, there are ${table.rows}`,
    );
  }
  const l2 = defaultL2(table.rows);
  const texts = textMatrix(table.texts, bucketsFor(table.models.length, false));
  const all = table.models.map((_, index) => index);
  const breathe: Breathe = async (fold, of) => {
    if (fold % Math.ceil(of / 3) === 0) await step(`learning, fold ${Math.min(fold + 1, of)} of ${of}`);
  };
  const folds = evenFolds(table, table.rows < 3_000 ? 10 : 5, seededRandom(seed));
  const predicted = await heldOutQuality(table, texts, all, folds, { l2, breathe });
  const gain = (quality: readonly Float64Array[], models: readonly number[]): Float64Array =>
    difference(quality[models.indexOf(table.strong)] ?? [], quality[models.indexOf(table.weak)] ?? []);
  const scores = gain(predicted, all);
  const byGroup = groupFolds(table, 10);
  const pair = [table.weak, table.strong];
  const unseen =
    byGroup === undefined
      ? undefined
      : gain(await heldOutQuality(table, texts, pair, byGroup, { l2, breathe }), pair);
  return {
    ...measured.router(heldOutName, 'held-out', scores, { predicted }),
    ...(unseen !== undefined && { leaveGroupOut: measured.apgr(unseen) }),
  };
}

function measureGiven(
  table: OutcomeTable,
  measured: MeasuredRows,
  router: EvaluatedRouter,
  { draws, seed, clock }: { readonly draws: number; readonly seed: number; readonly clock: Clock },
): ReportedRouter {
  const { name } = router;
  const model = 'model' in router ? router.model : undefined;
  const score = 'model' in router ? (prompt: Prompt) => router.model.gain(prompt) : router.score;
  const fresh = Int32Array.from({ length: table.rows }, (_, row) => row).filter(
    (row) => model?.wasTrainedOn(table.texts[row] as string) !== true,
  );
  const excluded = table.rows - fresh.length;
  const counts = { trainedOn: model?.json.training.rows ?? 0, excluded };
  if (fresh.length < minFreshRows) {
    return {
      ...unmeasured(
        name,
        'router',
        `it was trained on ${counts.trainedOn} rows, about ${excluded} of these ${table.rows} count as seen, and what is left ` +
          'says nothing. ' +
          'Train on a part of the rows ("route train --rows"), or evaluate on others',
      ),
      ...counts,
    };
  }
  const own = excluded === 0 ? table : tableRows(table, fresh);
  if (!(gapOf(own) > 0))
    return {
      ...unmeasured(name, 'router', 'on the rows that are left the strong model is not better'),
      ...counts,
    };
  const rows = excluded === 0 ? measured : new MeasuredRows(own, { draws, seed });
  const scores = own.texts.map((text) => {
    const value = score(text);
    if (typeof value === 'number' && !Number.isNaN(value)) return value;
    throw new ConfigError(`The router "${name}" scored a query ${String(value)}: it must be a number.`, {
      option: 'routers',
    });
  });
  const predicted = model === undefined ? undefined : predictions(model, own);
  const hardenedScore = model === undefined ? undefined : (prompt: Prompt) => model.hardenedGain(prompt);
  return {
    ...rows.router(name, 'router', scores, { predicted }),
    ...counts,
    ...(model?.json.groupValidation !== undefined && { leaveGroupOut: model.json.groupValidation.apgr }),
    probe: probeRouter({ score, hardenedScore }, own.texts, { random: seededRandom(seed), clock }),
    ...(hardenedScore !== undefined && { hardenedApgr: rows.apgr(own.texts.map(hardenedScore))?.value }),
  };
}

/** By model of the table. `undefined` when the trained model does not know all of them. */
function predictions(model: GainModel, table: OutcomeTable): readonly Float64Array[] | undefined {
  const places = table.models.map(({ name }) => model.models.indexOf(name));
  if (places.includes(-1)) return undefined;
  const into = new Float64Array(model.models.length);
  const predicted = table.models.map(() => new Float64Array(table.rows));
  for (const [row, text] of table.texts.entries()) {
    model.predictText(text, into);
    for (const [index, place] of places.entries())
      (predicted[index] as Float64Array)[row] = into[place] as number;
  }
  return predicted;
}

function checkRouters(routers: readonly EvaluatedRouter[], table: OutcomeTable): void {
  const [weak, strong] = [table.models[table.weak]?.name, table.models[table.strong]?.name];
  for (const router of routers) {
    if (!('model' in router)) continue;
    const { model, name } = router;
    if (model.weak === weak && model.strong === strong) continue;
    throw new ConfigError(
      `The router "${name}" was trained to choose between ${model.weak} and ${model.strong}, these outcomes are measured ` +
        `between ${weak} and ${strong}. Name the pair (weak, strong), or train it again.`,
      { option: 'routers' },
    );
  }
}

function gapOf({ models, weak, strong }: OutcomeTable): number {
  return (models[strong]?.meanScore ?? 0) - (models[weak]?.meanScore ?? 0);
}

function tooFew(rows: number): Error {
  return new OutcomesError(
    'too-few',
    `${rows} ${rows === 1 ? 'row has' : 'rows have'} a score for every model; an evaluation needs ${minFreshRows} at the least ` +
      'for its intervals to mean anything, and some hundreds to tell routers apart.',
  );
}
