import type { CostQuality, RouteReport } from '@synapsekit/router/offline';
import { percent, usd } from './route-format.ts';

const colors = ['#2563eb', '#dc2626', '#059669', '#9333ea', '#ea580c', '#0891b2', '#be185d', '#4d7c0f'];
const margin = { top: 16, right: 32, bottom: 48, left: 56 };
const charWidth = 7;
const textHeight = 14;

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * The curves of a report, drawn for wide and for narrow screens (style sheets choose by class), with a legend in HTML.
 * Empty when nothing was measured.
 */
export function routeChart(report: RouteReport): string {
  const curves = drawnCurves(report);
  if (curves.length === 0) return '';
  const legend = curves.map(
    ({ name, color, dash }) =>
      `<span><svg class="key" viewBox="0 0 28 6" aria-hidden="true"><path d="M0,3H28" stroke="${color}" stroke-width="3"${dash}/></svg> ` +
      `${escaped(name)}</span>`,
  );
  return (
    `<div class="roomy">${svg(report, { width: 1_000, height: 480 })}</div>` +
    `<div class="narrow">${svg(report, { width: 460, height: 380 })}</div>` +
    `<p class="legend">${legend.join('\n')}\n<span>&#9679; one model for every query</span></p>` +
    `<p><small>${captions(report).join(' ')}</small></p>`
  );
}

/** Text that is safe in HTML and in attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Round numbers, four to eight of them, that enclose a range. */
export function roundTicks(low: number, high: number): number[] {
  const rough = (high - low || Math.abs(high) || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  // Twelve digits: what binary fractions add is gone.
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

function drawnCurves({ routers }: RouteReport): {
  readonly name: string;
  readonly curve: readonly CostQuality[];
  readonly color: string;
  readonly dash: string;
}[] {
  // Single models are drawn as dots.
  return routers
    .filter(({ curve, name }) => curve.length > 0 && !name.startsWith('best single'))
    .map(({ name, curve, kind }, index) => {
      const dashes = kind !== 'baseline' ? '' : name === 'random' ? '6 4' : name === 'oracle' ? '2 3' : '';
      return {
        name,
        curve,
        color: colors[index % colors.length] as string,
        dash: dashes === '' ? '' : ` stroke-dasharray="${dashes}"`,
      };
    });
}

function captions({ routers, costUnit, rows }: RouteReport): string[] {
  const end = routers.find(({ name, kind }) => name === 'oracle' && kind === 'baseline')?.curve.at(-1);
  const told = [];
  if (end !== undefined) {
    const at = costUnit === 'usd' ? `${usd(end.cost)} per query` : `${percent(end.cost)} strong calls`;
    told.push(
      `The oracle knows every score beforehand. Its curve ends at ${at}: paying for more gains nothing.`,
    );
  }
  for (const { name, excluded, rows: own, curve } of routers) {
    if (excluded === 0 || curve.length === 0) continue;
    told.push(
      `${escaped(name)} is drawn on the ${own} of ${rows} rows that it was not trained on, so its ends may lie off the dots.`,
    );
  }
  return told;
}

function svg(report: RouteReport, { width, height }: Size): string {
  const { models, costUnit, strong } = report;
  const curves = drawnCurves(report);
  const singles = models.flatMap(({ name, quality, costUsd, role }) => {
    const cost = costUnit === 'usd' ? costUsd : role === 'weak' ? 0 : role === 'strong' ? 1 : undefined;
    return cost === undefined ? [] : [{ name, cost, quality: quality.value }];
  });
  const points = [...curves.flatMap(({ curve }) => curve), ...singles];
  const costs =
    costUnit === 'usd' ? roundTicks(0, Math.max(...points.map(({ cost }) => cost))) : [0, 0.25, 0.5, 0.75, 1];
  const heights = points.map(({ quality }) => quality);
  const qualities = roundTicks(Math.min(...heights), Math.max(...heights));
  const scale = (ticks: readonly number[], from: number, to: number) => {
    const [low, high] = [ticks[0] as number, ticks.at(-1) as number];
    return (value: number): number => from + ((value - low) / (high - low)) * (to - from);
  };
  const x = scale(costs, margin.left, width - margin.right);
  const y = scale(qualities, height - margin.bottom, margin.top);
  const at = ({ cost, quality }: CostQuality): Point => ({ x: x(cost), y: y(quality) });
  const drawn = curves.map((curve) => ({ ...curve, points: curve.curve.map(at) }));
  const digits = Math.max(2, ...qualities.map((tick) => String(tick).split('.')[1]?.length ?? 0));
  const [left, right, bottom] = [margin.left, width - margin.right, height - margin.bottom];
  const middle = (margin.top + bottom) / 2;
  const axisX = costUnit === 'usd' ? 'dollars per query' : `strong calls (to ${escaped(strong)})`;
  const lines = [
    ...qualities.map(
      (tick) =>
        `<line x1="${left}" x2="${right}" y1="${place(y(tick))}" y2="${place(y(tick))}" stroke="#8884"/>` +
        `<text x="${left - 8}" y="${place(y(tick) + 4)}" text-anchor="end">${tick.toFixed(digits)}</text>`,
    ),
    // Dollars are long: on a narrow screen every other one is told.
    ...costs
      .filter((_, index) => costUnit !== 'usd' || width > 600 || costs.length < 5 || index % 2 === 0)
      .map(
        (tick) =>
          `<text x="${place(x(tick))}" y="${bottom + 18}" text-anchor="middle">${costUnit === 'usd' ? usd(tick) : percent(tick)}</text>`,
      ),
    `<text x="${(left + right) / 2}" y="${height - 8}" text-anchor="middle">${axisX}</text>`,
    `<text x="12" y="${middle}" text-anchor="middle" transform="rotate(-90 12 ${middle})">quality</text>`,
    ...drawn.map(
      ({ name, color, dash, points: on }) =>
        `<path d="M${on.map((point) => `${place(point.x)},${place(point.y)}`).join('L')}" fill="none" stroke="${color}" ` +
        `stroke-width="2"${dash}><title>${escaped(name)}</title></path>`,
    ),
    ...singles.map((single) => {
      const dot = at(single);
      return `<circle cx="${place(dot.x)}" cy="${place(dot.y)}" r="5"><title>${escaped(single.name)}</title></circle>`;
    }),
  ];
  const taken = [...drawn.flatMap(({ points: on }) => along(on)), ...singles.map(at)];
  const room = { left: left + 2, right: width - 4, top: margin.top, bottom: bottom - 2 };
  return `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="Quality over cost, one curve for each router">
${[
  ...lines,
  ...labels(
    singles.map((single) => ({ text: single.name, ...at(single) })),
    taken,
    room,
  ),
].join('\n')}
</svg>`;
}

/** Names beside their dots, where they cover the least of curves, dots and each other; far ones with a line. */
function labels(
  named: readonly (Point & { readonly text: string })[],
  taken: readonly Point[],
  room: Box,
): string[] {
  const placed: Box[] = [];
  return named.map(({ text, x, y }) => {
    const wide = text.length * charWidth;
    let best: Box | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const away of [18, 32, 48, 66, 86, 110]) {
      for (const down of [away, -away]) {
        for (const start of [x + 10, x - wide / 2, x - wide - 10]) {
          const left = Math.max(room.left, Math.min(room.right - wide, start));
          const top = y + down - textHeight / 2;
          const box = { left, right: left + wide, top, bottom: top + textHeight };
          const covered =
            taken.filter((point) => covers(box, point)).length +
            50 * placed.filter((other) => overlap(box, other)).length;
          const outside = box.top < room.top || box.bottom > room.bottom ? 1_000 : 0;
          const cost = 3 * covered + outside + away / 20;
          if (cost < least) [best, least] = [box, cost];
        }
      }
    }
    const box = best as Box;
    placed.push(box);
    const center = (box.left + box.right) / 2;
    const edge = box.top > y ? box.top : box.bottom;
    const leader =
      Math.abs(edge - y) < 20
        ? ''
        : `<line x1="${place(x)}" y1="${place(y)}" x2="${place(center)}" y2="${place(edge)}" stroke="#888"/>`;
    return `${leader}<text class="name" x="${place(center)}" y="${place(box.bottom - 3)}" text-anchor="middle">${escaped(text)}</text>`;
  });
}

/** A curve as points that are close enough for a label not to slip between. */
function along(points: readonly Point[]): Point[] {
  return points.flatMap((to, index) => {
    const from = points[index - 1];
    if (from === undefined) return [to];
    const parts = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 5));
    return Array.from({ length: parts }, (_, part) => ({
      x: from.x + ((to.x - from.x) * (part + 1)) / parts,
      y: from.y + ((to.y - from.y) * (part + 1)) / parts,
    }));
  });
}

function covers({ left, right, top, bottom }: Box, { x, y }: Point): boolean {
  return x > left - 4 && x < right + 4 && y > top - 3 && y < bottom + 3;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function place(value: number): string {
  return value.toFixed(1);
}
