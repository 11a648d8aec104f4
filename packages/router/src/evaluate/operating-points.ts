import type { OutcomeTable } from '../learned/outcome-table.ts';

/** What a router can do on a set of rows: at each setting, what every row scores and costs. */
export interface OperatingPoints {
  readonly quality: readonly Float64Array[];
  readonly cost: readonly Float64Array[];
}

/** A point in the plane of cost and quality. */
export interface CostQuality {
  readonly cost: number;
  readonly quality: number;
}

const pairCuts = 40;

/**
 * Between a pair: the best-ranked share goes to the strong model, from none to all. Equal scores share what there is.
 *
 * @param cascade the weak model has answered before: its call is paid for as well.
 */
export function pairPoints(
  table: OutcomeTable,
  costs: readonly Float64Array[],
  scores: ArrayLike<number>,
  cascade = false,
): OperatingPoints {
  const { rows, weak, strong } = table;
  const order = Int32Array.from({ length: rows }, (_, row) => row).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  const quality: Float64Array[] = [];
  const cost: Float64Array[] = [];
  for (let cut = 0; cut <= pairCuts; cut++) {
    const share = strongShares(order, scores, (cut * rows) / pairCuts);
    quality.push(blend(table.scores[weak], table.scores[strong], share));
    const paid = blend(costs[weak], costs[strong], share);
    cost.push(
      cascade ? paid.map((usd, row) => usd + (costs[weak]?.[row] ?? 0) * (share[row] as number)) : paid,
    );
  }
  return { quality, cost };
}

/** How much of each row goes to the strong model, when so many rows do. */
function strongShares(order: Int32Array, scores: ArrayLike<number>, wanted: number): Float64Array {
  const share = new Float64Array(order.length);
  let from = 0;
  while (from < order.length && from < wanted) {
    let to = from + 1;
    while (to < order.length && scores[order[to] as number] === scores[order[from] as number]) to++;
    const part = Math.min(1, (wanted - from) / (to - from));
    for (let i = from; i < to; i++) share[order[i] as number] = part;
    from = to;
  }
  return share;
}

function blend(
  weak: Float64Array | undefined,
  strong: Float64Array | undefined,
  share: Float64Array,
): Float64Array {
  return share.map((part, row) => (weak?.[row] ?? 0) * (1 - part) + (strong?.[row] ?? 0) * part);
}

/** Over the whole pool: at each price of money, each row goes to the model with the best quality less its mean cost. */
export function poolPoints(
  table: OutcomeTable,
  costs: readonly Float64Array[],
  predicted: readonly Float64Array[],
): OperatingPoints {
  const means = table.models.map(({ costUsd }, index) => costUsd ?? costs[index]?.[0] ?? 0);
  const dearest = Math.max(...means) || 1;
  const quality: Float64Array[] = [];
  const cost: Float64Array[] = [];
  for (const price of [0, ...Array.from({ length: 48 }, (_, step) => 10 ** (-3 + step / 8))]) {
    const q = new Float64Array(table.rows);
    const c = new Float64Array(table.rows);
    for (let row = 0; row < table.rows; row++) {
      let best = 0;
      let value = Number.NEGATIVE_INFINITY;
      for (let model = 0; model < means.length; model++) {
        const worth = (predicted[model]?.[row] ?? 0) - price * ((means[model] as number) / dearest);
        if (worth > value) [best, value] = [model, worth];
      }
      q[row] = table.scores[best]?.[row] ?? 0;
      c[row] = costs[best]?.[row] ?? 0;
    }
    quality.push(q);
    cost.push(c);
  }
  return { quality, cost };
}

/** Each model alone. */
export function singlePoints(table: OutcomeTable, costs: readonly Float64Array[]): OperatingPoints {
  return {
    quality: table.scores.map((column) => Float64Array.from(column)),
    cost: costs.map((column) => Float64Array.from(column)),
  };
}

/** Whoever scores best in each row, the cheapest of them: what no router can beat. */
export function oraclePoint(table: OutcomeTable, costs: readonly Float64Array[]): OperatingPoints {
  const q = new Float64Array(table.rows);
  const c = new Float64Array(table.rows);
  for (let row = 0; row < table.rows; row++) {
    let best = 0;
    for (let model = 1; model < table.models.length; model++) {
      const ahead = (table.scores[model]?.[row] ?? 0) - (table.scores[best]?.[row] ?? 0);
      if (ahead > 0 || (ahead === 0 && (costs[model]?.[row] ?? 0) < (costs[best]?.[row] ?? 0))) best = model;
    }
    q[row] = table.scores[best]?.[row] ?? 0;
    c[row] = costs[best]?.[row] ?? 0;
  }
  return { quality: [q], cost: [c] };
}

/** Means over the rows, each counting as often as `counts` says; the cheapest first. */
export function averages({ quality, cost }: OperatingPoints, counts?: ArrayLike<number>): CostQuality[] {
  return quality
    .map((column, index) => ({
      quality: meanOf(column, counts),
      cost: meanOf(cost[index] as Float64Array, counts),
    }))
    .toSorted((a, b) => a.cost - b.cost || a.quality - b.quality);
}

function meanOf(column: Float64Array, counts: ArrayLike<number> | undefined): number {
  let sum = 0;
  let all = column.length;
  if (counts === undefined) {
    for (let row = 0; row < column.length; row++) sum += column[row] as number;
  } else {
    all = 0;
    for (let row = 0; row < column.length; row++) {
      const count = counts[row] as number;
      sum += count * (column[row] as number);
      all += count;
    }
  }
  return all === 0 ? 0 : sum / all;
}

/** The points that no mixture of others beats: dearer only where it is better, and with falling returns. */
export function hull(points: readonly CostQuality[]): CostQuality[] {
  const top: CostQuality[] = [];
  for (const point of points) {
    if (point.quality <= (top.at(-1)?.quality ?? Number.NEGATIVE_INFINITY)) continue;
    while (top.length > 0) {
      const last = top.at(-1) as CostQuality;
      const before = top.at(-2);
      const sameCost = last.cost === point.cost;
      if (!sameCost && (before === undefined || slope(before, last) > slope(last, point))) break;
      top.pop();
    }
    top.push(point);
  }
  return top;
}

function slope(a: CostQuality, b: CostQuality): number {
  return (b.quality - a.quality) / (b.cost - a.cost);
}

/**
 * Average improvement in quality (RouterBench's AIQ): the mean height of the hull between two costs. What is beyond its
 * ends counts as its ends do.
 */
export function aiq(points: readonly CostQuality[], from: number, to: number): number {
  const top = hull(points);
  const first = top[0];
  if (first === undefined) return Number.NaN;
  if (to <= from) return Math.max(...top.map(({ quality }) => quality));
  let area = 0;
  let at: CostQuality = { cost: from, quality: first.quality };
  for (const point of [...top, { cost: to, quality: top.at(-1)?.quality ?? 0 }]) {
    const end = Math.min(to, Math.max(from, point.cost));
    if (end > at.cost) {
      const part = point.cost > at.cost ? (end - at.cost) / (point.cost - at.cost) : 1;
      const quality = at.quality + (point.quality - at.quality) * part;
      area += ((at.quality + quality) / 2) * (end - at.cost);
      at = { cost: end, quality };
    } else if (point.cost <= from) {
      at = { cost: from, quality: point.quality };
    }
  }
  return area / (to - from);
}

/** The least cost at which a quality is reached, between points on the straight line; `undefined` when it never is. */
export function costToReach(points: readonly CostQuality[], quality: number): number | undefined {
  let before: CostQuality | undefined;
  for (const point of points) {
    if (point.quality >= quality - 1e-12) {
      if (before === undefined || point.quality <= before.quality) return point.cost;
      return (
        before.cost +
        ((quality - before.quality) / (point.quality - before.quality)) * (point.cost - before.cost)
      );
    }
    before = point;
  }
  return undefined;
}
