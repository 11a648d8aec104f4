import { type OutcomeTable, pairOf } from '../learned/outcome-table.ts';
import { Bootstrap, type Estimate, estimate } from '../measure/bootstrap.ts';
import { GapCurve, type GapMetrics } from '../measure/gap-curve.ts';
import { PartedCurve } from '../measure/parted-curve.ts';
import { type TextGroups, textGroups } from '../measure/same-text.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import {
  aiq,
  averages,
  type CostQuality,
  costToReach,
  hull,
  type OperatingPoints,
  oraclePoint,
  pairPoints,
  poolPoints,
  singlePoints,
} from './operating-points.ts';
import type { CostTo, ReportedRouter } from './route-report.ts';

const aiqDraws = 100;
const minGroupRows = 30;

/** Rows to measure routers on, with what all of them are compared with. */
export class MeasuredRows {
  readonly costUnit: 'usd' | 'strong-calls';
  readonly #table: OutcomeTable;
  readonly #costs: readonly Float64Array[];
  readonly #draws: number;
  readonly #seed: number;
  readonly #texts: TextGroups;
  readonly #length: GapCurve;
  readonly #lengthDraws: readonly (number | undefined)[];
  readonly #lengthApgr: number;
  /** Mean cost of the best model alone, and the ends of the range of costs. */
  readonly #bestCost: number;
  readonly #range: readonly [number, number];

  constructor(table: OutcomeTable, { draws, seed }: { readonly draws: number; readonly seed: number }) {
    this.#table = table;
    this.#texts = textGroups(table.texts);
    this.#draws = draws;
    this.#seed = seed;
    this.costUnit = table.costs === undefined ? 'strong-calls' : 'usd';
    // Without costs a call counts 1 if it goes to the strong model. Of other models nothing can be said then.
    this.#costs =
      table.costs ??
      table.models.map((_, index) => new Float64Array(table.rows).fill(index === table.weak ? 0 : 1));
    this.#length = new GapCurve({ scores: table.texts.map(({ length }) => length), ...pairOf(table) });
    this.#lengthDraws = this.#bootstrap(this.#length).map((metrics) => metrics?.apgr);
    this.#lengthApgr = this.#length.metrics()?.apgr ?? Number.NaN;
    const means = averages(singlePoints(table, this.#costs)).map(({ cost }) => cost);
    this.#range = [Math.min(...means), Math.max(...means)];
    this.#bestCost = meanOf(this.#costs[table.strong] ?? new Float64Array());
  }

  /** A coin between the two models; over the pool, the best mixtures of single models (RouterBench's zero router). */
  random(): ReportedRouter {
    const table = this.#table;
    const even = new Float64Array(table.rows);
    const exact = (value: number): Estimate => ({ value, low: value, high: value });
    const points = averages(singlePoints(table, this.#costs));
    return {
      name: 'random',
      kind: 'baseline',
      rows: table.rows,
      trainedOn: 0,
      excluded: 0,
      apgr: exact(0.5),
      cpt50: exact(50),
      cpt80: exact(80),
      aiq: this.#aiq(singlePoints(table, this.#costs)),
      costTo: this.#costTo(averages(pairPoints(table, this.#costs, even))),
      verdict: 'baseline',
      curve: hull(points),
    };
  }

  /** One model for everything: the cheapest one that is good enough. */
  bestSingle(): ReportedRouter {
    const points = averages(singlePoints(this.#table, this.#costs));
    const best = this.#bestQuality();
    const cheapest = (share: number): number | undefined => {
      const enough = points.find(({ quality }) => quality >= share * best - 1e-9);
      return enough === undefined ? undefined : this.#share(enough.cost);
    };
    return {
      name: `best single (${this.#table.models[this.#table.strong]?.name})`,
      kind: 'baseline',
      rows: this.#table.rows,
      trainedOn: 0,
      excluded: 0,
      costTo: { 90: cheapest(0.9), 95: cheapest(0.95), 98: cheapest(0.98), 100: cheapest(1) },
      verdict: 'baseline',
      curve: points,
    };
  }

  /** Knows every score beforehand: what no router can beat. */
  oracle(): ReportedRouter {
    const { weak, strong } = pairOf(this.#table);
    const gains = strong.map((score, row) => score - (weak[row] as number));
    const only = oraclePoint(this.#table, this.#costs);
    const pair = pairPoints(this.#table, this.#costs, gains);
    const points = { quality: [...pair.quality, ...only.quality], cost: [...pair.cost, ...only.cost] };
    return {
      ...this.#figures(gains),
      name: 'oracle',
      kind: 'baseline',
      rows: this.#table.rows,
      trainedOn: 0,
      excluded: 0,
      aiq: this.#aiq(points),
      costTo: this.#costTo(hull(averages(points))),
      verdict: 'baseline',
      curve: hull(averages(points)),
    };
  }

  /**
   * A router by its scores, and by what it predicts of every model of the pool, if it does.
   *
   * @param options `cascade`: it scores answers of the weak model, which are paid for before.
   */
  router(
    name: string,
    kind: ReportedRouter['kind'],
    scores: ArrayLike<number>,
    {
      predicted,
      cascade = false,
    }: { readonly predicted?: readonly Float64Array[] | undefined; readonly cascade?: boolean } = {},
  ): ReportedRouter {
    const figures = this.#figures(scores);
    const pool =
      predicted !== undefined && this.#table.models.length > 2 && this.#table.costs !== undefined
        ? poolPoints(this.#table, this.#costs, predicted)
        : pairPoints(this.#table, this.#costs, scores, cascade);
    const points = averages(pool);
    const { apgr } = figures;
    const better = apgr !== undefined && apgr.low > Math.max(this.#lengthApgr, 0.5);
    return {
      name,
      kind,
      rows: this.#table.rows,
      trainedOn: 0,
      excluded: 0,
      ...figures,
      aiq: this.#aiq(pool),
      costTo: this.#costTo(points),
      lengthApgr: this.#lengthApgr,
      withinGroups: this.#withinGroups(scores),
      verdict: kind === 'baseline' ? 'baseline' : better ? 'better-than-length' : 'worthless',
      curve: points,
    };
  }

  /** APGR of some scores. */
  apgr(scores: ArrayLike<number>): Estimate | undefined {
    return this.#figures(scores).apgr;
  }

  #figures(scores: ArrayLike<number>): Pick<ReportedRouter, 'apgr' | 'cpt50' | 'cpt80' | 'advantage'> {
    const curve = new GapCurve({ scores, ...pairOf(this.#table) });
    const value = curve.metrics();
    if (value === undefined) return {};
    const drawn = this.#bootstrap(curve);
    const interval = (name: keyof GapMetrics): Estimate =>
      estimate(
        value[name],
        drawn.map((metrics) => metrics?.[name]).filter((figure) => figure !== undefined),
      );
    const ahead = drawn.flatMap((metrics, draw) => {
      const length = this.#lengthDraws[draw];
      return metrics === undefined || length === undefined ? [] : [metrics.apgr - length];
    });
    return {
      apgr: interval('apgr'),
      cpt50: interval('cpt50'),
      cpt80: interval('cpt80'),
      advantage: estimate(value.apgr - this.#lengthApgr, ahead),
    };
  }

  /** The same draws for every router: differences between them are not due to luck. */
  #bootstrap<Metrics>(curve: { metrics(counts: Uint16Array): Metrics | undefined }): (Metrics | undefined)[] {
    const random = seededRandom(this.#seed);
    const drawn: (Metrics | undefined)[] = [];
    for (const counts of new Bootstrap(this.#table.rows, {
      draws: this.#draws,
      random,
      texts: this.#texts,
    })) {
      drawn.push(curve.metrics(counts));
    }
    return drawn;
  }

  #aiq(points: OperatingPoints): Estimate {
    const [from, to] = this.#range;
    const random = seededRandom(this.#seed);
    const drawn: number[] = [];
    for (const counts of new Bootstrap(this.#table.rows, { draws: aiqDraws, random, texts: this.#texts })) {
      drawn.push(aiq(averages(points, counts), from, to));
    }
    return estimate(aiq(averages(points), from, to), drawn);
  }

  #costTo(points: readonly CostQuality[]): CostTo {
    const best = this.#bestQuality();
    const to = (share: number): number | undefined => {
      const cost = costToReach(points, share * best);
      return cost === undefined ? undefined : this.#share(cost);
    };
    return { 90: to(0.9), 95: to(0.95), 98: to(0.98), 100: to(1) };
  }

  #share(cost: number): number {
    return this.#bestCost === 0 ? 0 : cost / this.#bestCost;
  }

  #bestQuality(): number {
    return this.#table.models[this.#table.strong]?.meanScore ?? 0;
  }

  /** Groups with enough rows, each put in order on its own. */
  #withinGroups(scores: ArrayLike<number>): Estimate | undefined {
    const { groups, groupNames } = this.#table;
    if (groupNames.length < 2) return undefined;
    const curve = new PartedCurve({ scores, ...pairOf(this.#table) }, groups, minGroupRows);
    const value = curve.metrics()?.apgr;
    const drawn = this.#bootstrap(curve).flatMap((metrics) => (metrics === undefined ? [] : [metrics.apgr]));
    return value === undefined ? undefined : estimate(value, drawn);
  }
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
