import { ConfigError, formatUsd, parseUsd, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { GainModel } from '../learned/gain-model.ts';
import { modelFingerprint } from '../learned/model-fingerprint.ts';
import { mean, type OutcomeTable, outcomeTable, tableRows } from '../learned/outcome-table.ts';
import { seededRandom, shuffled } from '../measure/seeded-random.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { OutcomesError } from '../outcomes/outcomes-error.ts';
import { shareBounds } from './binomial.ts';
import type { CalibrationJson, OperatingPoint, RoutePromise } from './calibration.ts';
import { meanIsAbove } from './mean-test.ts';

/** Options of `calibrateRouter`. */
export interface CalibrateRouterOptions {
  readonly model: GainModel;
  readonly promise: RoutePromise;
  /** How sure the promise is to hold on queries like these. @default 0.95 */
  readonly confidence?: number | undefined;
  /** Order in which rows are looked at. @default 1 */
  readonly seed?: number | undefined;
  /** Dollars per call of models whose rows do not say. */
  readonly costsUsd?: Readonly<Record<string, number>> | undefined;
  /** For a promise of cost: no call costs more than this. @default the dearest call in the rows */
  readonly maxCallUsd?: number | undefined;
}

const known = ['model', 'promise', 'confidence', 'seed', 'costsUsd', 'maxCallUsd'];
const leastRows = 50;

/**
 * Finds the threshold that keeps a promise, on rows that the model was not trained on: thresholds are tried from the
 * safe end, one after the other, each on its own, with a test that holds for any number of rows, until one fails
 * (fixed-sequence testing: nothing has to be paid for trying many). So the promise fails to hold in at most
 * 1 - confidence of all calibrations, as long as the traffic is like the rows.
 *
 * @returns the model with `json.calibration`.
 * @throws OutcomesError when the rows do not carry the promise, with how many might, or hold nothing fresh.
 * @throws ConfigError for a promise that cannot be (keep above 1), or a promise of cost without costs.
 */
export function calibrateRouter(rows: readonly OutcomeRow[], options: CalibrateRouterOptions): GainModel {
  rejectUnknownKeys(options, known, 'calibrateRouter');
  const { model, confidence = 0.95, seed = 1, costsUsd } = options;
  if (!(model instanceof GainModel)) {
    throw new ConfigError('calibrateRouter needs a model: { model: new GainModel(json) }.', {
      option: 'model',
    });
  }
  requireNumber(confidence, 'confidence', { min: 0.5, max: 0.9999 });
  requireNumber(seed, 'seed', { integer: true, min: 0, max: 0xffff_ffff });
  const promise = checkPromise(options.promise);
  const { weak, strong } = model;
  const table = freshRows(
    outcomeTable(rows, { models: [weak, strong], costsUsd, weak, strong }),
    model,
    seed,
  );
  const points = new Points(table, model);
  const alpha = 1 - confidence;

  const found =
    promise.kind === 'quality'
      ? keepQuality(points, promise.keep, alpha)
      : promise.kind === 'share'
        ? keepShare(points, promise.maxStrongShare, alpha)
        : keepCost(points, promise.maxCostUsd, alpha, options.maxCallUsd);
  const calibration: CalibrationJson = {
    model: { fingerprint: modelFingerprint(model.json), weak, strong },
    promise,
    confidence,
    rows: table.rows,
    seed,
    point: points.at(found.threshold),
    unguarded: points.at(found.unguarded),
    weakQuality: points.weakQuality,
    strongQuality: points.strongQuality,
    ...(table.costs !== undefined && { costSdUsd: deviation(points.costs(found.threshold) ?? []) }),
  };
  return new GainModel({ ...model.json, calibration });
}

interface Found {
  readonly threshold: number;
  readonly unguarded: number;
}

/** From all strong, with ever fewer strong calls. */
function keepQuality(points: Points, keep: number, alpha: number): Found {
  const ascending = points.thresholds;
  const margin = (threshold: number): Float64Array => points.margin(threshold, keep);
  let threshold: number | undefined;
  for (const next of ascending) {
    if (!meanIsAbove(margin(next), 0, { low: -keep, high: 1, alpha })) break;
    threshold = next;
  }
  const unguarded = ascending.findLast((next) => mean(margin(next)) >= 0) ?? (ascending[0] as number);
  if (threshold !== undefined) return { threshold, unguarded };
  const safest = ascending[0] as number;
  const share = percent(points.strongCalls(safest) / points.rows);
  throw new OutcomesError(
    'too-few',
    `${points.rows} fresh rows do not carry the promise to keep ${percent(keep)} of the strong model's quality ` +
      `(${percent(1 - alpha)} sure): not even with ${share} of strong calls. ` +
      needed(
        margin(safest),
        0,
        keep + 1,
        alpha,
        keep === 1
          ? 'All of its quality is kept for sure only by always asking the strong model, and that needs no router: promise a little less (0.99 or 0.95).'
          : 'Promise less, or always ask the strong model.',
      ),
  );
}

/** From all weak, with ever more strong calls. */
function keepShare(points: Points, most: number, alpha: number): Found {
  const descending = [Number.MAX_VALUE, ...points.thresholds.toReversed()];
  let threshold: number | undefined;
  for (const next of descending) {
    const { low: _, high } = shareBounds(points.strongCalls(next), points.rows, alpha);
    if (high > most) break;
    threshold = next;
  }
  const unguarded = descending.findLast((next) => points.strongCalls(next) <= most * points.rows) as number;
  if (threshold !== undefined) return { threshold, unguarded };
  throw new OutcomesError(
    'too-few',
    `${points.rows} fresh rows do not carry the promise of at most ${percent(most)} strong calls: even with none of ` +
      `${points.rows}, the share could be ${percent(shareBounds(0, points.rows, alpha).high)}. Score more queries.`,
  );
}

/** From all weak, with ever more strong calls. */
function keepCost(points: Points, most: number, alpha: number, maxCallUsd: number | undefined): Found {
  const all = points.costs(Number.NEGATIVE_INFINITY);
  const cheap = points.costs(Number.MAX_VALUE);
  if (all === undefined || cheap === undefined) {
    throw new OutcomesError(
      'incomplete',
      'A promise of cost needs costs, and the rows hold none. ' +
        'Log costUsd, or say what a call costs: --cost MODEL=USD,… (in code: costsUsd).',
    );
  }
  if (maxCallUsd !== undefined) requireNumber(maxCallUsd, 'maxCallUsd', { above: 0 });
  const bound = maxCallUsd ?? Math.max(...[...all, ...cheap]);
  const under = (threshold: number): Float64Array => (points.costs(threshold) ?? all).map((cost) => -cost);
  const descending = [Number.MAX_VALUE, ...points.thresholds.toReversed(), -Number.MAX_VALUE];
  if (mean(cheap) > most) {
    throw new ConfigError(
      `The promise of at most ${usd(most)} per query cannot be kept: the weak model alone costs ${usd(mean(cheap))}.`,
      { option: 'promise' },
    );
  }
  let threshold: number | undefined;
  for (const next of descending) {
    if (!meanIsAbove(under(next), -most, { low: -bound, high: 0, alpha })) break;
    threshold = next;
  }
  const unguarded = descending.findLast((next) => mean(under(next)) >= -most) as number;
  if (threshold !== undefined) return { threshold, unguarded };
  throw new OutcomesError(
    'too-few',
    `${points.rows} fresh rows do not carry the promise of at most ${usd(most)} per query: not even without a strong ` +
      `call. ${needed(under(Number.MAX_VALUE), -most, bound, alpha, 'Promise more money.')}`,
  );
}

/** What thresholds do on rows. */
class Points {
  readonly rows: number;
  readonly thresholds: readonly number[];
  readonly weakQuality: number;
  readonly strongQuality: number;
  readonly #gains: Float64Array;
  readonly #table: OutcomeTable;

  constructor(table: OutcomeTable, model: GainModel) {
    this.rows = table.rows;
    this.#table = table;
    this.#gains = Float64Array.from(table.texts, (text) => model.gainOfText(text));
    // From little above all strong to all weak; equal ones once.
    this.thresholds = [...new Set([...model.json.gains.slice(1), Number.MAX_VALUE])].toSorted(
      (a, b) => a - b,
    );
    this.weakQuality = mean(table.scores[table.weak] ?? []);
    this.strongQuality = mean(table.scores[table.strong] ?? []);
  }

  strongCalls(threshold: number): number {
    return this.#gains.reduce((count, gain) => count + (gain >= threshold ? 1 : 0), 0);
  }

  /** Row by row: the score of whoever answers. */
  quality(threshold: number): Float64Array {
    return this.#choose(threshold, this.#table.scores);
  }

  /** Row by row, in dollars. */
  costs(threshold: number): Float64Array | undefined {
    return this.#table.costs === undefined ? undefined : this.#choose(threshold, this.#table.costs);
  }

  /** Row by row: by how much the score is above what is to be kept of the strong model's. */
  margin(threshold: number, keep: number): Float64Array {
    const strong = this.#table.scores[this.#table.strong] as Float64Array;
    return this.quality(threshold).map((score, row) => score - keep * (strong[row] as number));
  }

  at(threshold: number): OperatingPoint {
    const costs = this.costs(threshold);
    return {
      threshold,
      strongShare: this.strongCalls(threshold) / this.rows,
      quality: mean(this.quality(threshold)),
      ...(costs !== undefined && { costUsd: mean(costs) }),
    };
  }

  #choose(threshold: number, columns: readonly Float64Array[]): Float64Array {
    const [weak, strong] = [
      columns[this.#table.weak] as Float64Array,
      columns[this.#table.strong] as Float64Array,
    ];
    return this.#gains.map((gain, row) => (gain >= threshold ? strong : weak)[row] as number);
  }
}

/** Rows that the model has not seen, shuffled: the tests look at them in an order that means nothing. */
function freshRows(table: OutcomeTable, model: GainModel, seed: number): OutcomeTable {
  const fresh = shuffled(table.rows, seededRandom(seed)).filter(
    (row) => !model.wasTrainedOn(table.texts[row] as string),
  );
  if (fresh.length >= leastRows) return tableRows(table, fresh);
  const seen = table.rows - fresh.length;
  throw new OutcomesError(
    'too-few',
    `${fresh.length} of ${table.rows} rows are fresh (the model was trained on ${model.json.training.rows} rows, and about ` +
      `${seen} of these count as seen); a promise needs ${leastRows} at the least, ` +
      'and some hundreds to be worth it. Train on a part of the rows ("route train --rows"), or bring others.',
  );
}

function checkPromise(promise: RoutePromise): RoutePromise {
  const keys = { quality: 'keep', cost: 'maxCostUsd', share: 'maxStrongShare' } as const;
  const key = keys[promise?.kind];
  if (key === undefined) {
    throw new ConfigError(
      'promise must be { kind: "quality", keep }, { kind: "cost", maxCostUsd } or { kind: "share", maxStrongShare }.',
      { option: 'promise' },
    );
  }
  rejectUnknownKeys(promise, ['kind', key], 'promise');
  const value: unknown = Reflect.get(promise, key);
  requireNumber(value, key, { above: 0, ...(promise.kind !== 'cost' && { max: 1 }) });
  return promise;
}

/** How many rows might carry it, if they are like these. */
function needed(draws: Float64Array, value: number, scale: number, alpha: number, otherwise: string): string {
  const edge = mean(draws) - value;
  if (!(edge > 0)) return `On these rows it does not even hold by the figures. ${otherwise}`;
  const rows = 2 * Math.log(1 / alpha) * Math.max((deviation(draws) / edge) ** 2, (0.5 * scale) / edge);
  return `About ${Math.ceil(rows / 50) * 50} rows like these might. ${otherwise}`;
}

function deviation(values: ArrayLike<number>): number {
  const middle = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - middle) ** 2)));
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function usd(value: number): string {
  return formatUsd(parseUsd(Number(value.toPrecision(6))));
}
