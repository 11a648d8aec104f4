import { escapeHtml } from './escape.ts';

/** A value of a case. */
interface PlotValue {
  readonly name: string;
  readonly value: number;
  /** Painted as one that did not pass. */
  readonly bad: boolean;
}

/** A plot to draw. */
export interface Plot {
  readonly title: string;
  readonly values: readonly PlotValue[];
  readonly format: (value: number) => string;
  /** Stands there when there are no values. */
  readonly nothing: string;
}

const width = 520;
const height = 180;
const bottom = 22;
const top = 10;

/** Up to so many cases have a bar each. */
const maxBars = 40;

/**
 * One value a case: bars in the order of the cases where there are few, else a curve of all values from the smallest
 * to the largest. The scale is logarithmic where the values are far apart.
 */
export function plotOf({ title, values, format, nothing }: Plot): string {
  const positive = values.filter(({ value }) => value > 0);
  if (positive.length === 0) return figure(title, `<p class="empty">${escapeHtml(nothing)}</p>`, '');
  const sorted = positive.map(({ value }) => value).sort((a, b) => a - b);
  const scale = scaleOf(sorted[0] as number, sorted.at(-1) as number);
  const bars = values.length <= maxBars;
  // The longest label still fits when a phone prints it larger.
  const left = 12 + 8 * Math.max(...scale.ticks.map((tick) => format(tick).length));
  const marks = bars ? barsOf(values, scale, format, left) : curveOf(positive, scale, format, left);
  const grid = scale.ticks
    .map((tick) => {
      const y = yOf(scale.share(tick));
      return `<line class="grid" x1="${left}" x2="${width}" y1="${y}" y2="${y}"/><text x="${left - 6}" y="${y + 4}" text-anchor="end">${escapeHtml(format(tick))}</text>`;
    })
    .join('');
  const axis = bars ? 'cases in order' : 'cases from the smallest to the largest value';
  const svg = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(`${title}: ${summary(sorted, format)}`)}">${grid}${marks}<text x="${(left + width) / 2}" y="${height - 4}" text-anchor="middle">${axis}${scale.log ? ' (logarithmic scale)' : ''}</text></svg>`;
  return figure(title, svg, summary(sorted, format));
}

function figure(title: string, content: string, caption: string): string {
  return `<figure><h2>${escapeHtml(title)}</h2>${content}${caption === '' ? '' : `<figcaption>${escapeHtml(caption)}</figcaption>`}</figure>`;
}

/** The value at or above `share` of all (nearest rank). */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function summary(sorted: readonly number[], format: (value: number) => string): string {
  const least = `least ${format(sorted[0] ?? 0)}`;
  const median = `median ${format(quantile(sorted, 0.5))}`;
  return `${least} · ${median} · p95 ${format(quantile(sorted, 0.95))} · most ${format(sorted.at(-1) ?? 0)}`;
}

interface Scale {
  readonly log: boolean;
  readonly ticks: readonly number[];
  /** Where a value lies, from 0 to 1. */
  share(value: number): number;
}

function scaleOf(least: number, most: number): Scale {
  if (most / least > 50) {
    const low = Math.floor(Math.log10(least));
    const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
    const step = Math.ceil((high - low) / 5);
    const ticks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) =>
      Number(`1e${low + i * step}`),
    );
    return { log: true, ticks, share: (value) => clamp((Math.log10(value) - low) / (high - low)) };
  }
  const step = niceStep(most / 4);
  const top = Math.ceil(most / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) =>
    Number((i * step).toPrecision(12)),
  );
  return { log: false, ticks, share: (value) => clamp(value / top) };
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function yOf(share: number): number {
  return round(height - bottom - share * (height - bottom - top));
}

function barsOf(
  values: readonly PlotValue[],
  scale: Scale,
  format: (value: number) => string,
  left: number,
): string {
  const slot = (width - left) / values.length;
  const wide = Math.min(slot * 0.7, 48);
  const floor = yOf(0);
  return values
    .map(({ name, value, bad }, index) => {
      // The smallest value of a logarithmic scale still has a bar.
      const y = value > 0 ? Math.min(yOf(scale.share(value)), floor - 2) : floor;
      const x = round(left + slot * index + (slot - wide) / 2);
      const tip = `<title>${escapeHtml(`${name}: ${format(value)}`)}</title>`;
      return `<rect class="${bad ? 'bad' : 'mark'}" x="${x}" y="${y}" width="${round(wide)}" height="${round(floor - y)}" rx="2">${tip}</rect>`;
    })
    .join('');
}

/** More points than pixels say nothing. */
const maxPoints = 300;

function curveOf(
  values: readonly PlotValue[],
  scale: Scale,
  format: (value: number) => string,
  left: number,
): string {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const xOf = (index: number): number =>
    round(left + ((width - left - 8) * index) / Math.max(1, sorted.length - 1));
  const every = Math.max(1, Math.floor(sorted.length / maxPoints));
  const points = sorted
    .map(({ value }, index) => ({ index, value }))
    .filter(({ index }) => index % every === 0 || index === sorted.length - 1)
    .map(({ index, value }) => `${xOf(index)},${yOf(scale.share(value))}`);
  const bad = sorted
    .map((each, index) => ({ ...each, index }))
    .filter((each) => each.bad)
    .slice(0, maxPoints)
    .map(
      ({ name, value, index }) =>
        `<circle class="bad" cx="${xOf(index)}" cy="${yOf(scale.share(value))}" r="4"><title>${escapeHtml(`${name}: ${format(value)}`)}</title></circle>`,
    );
  return `<polyline class="curve" points="${points.join(' ')}"/>${bad.join('')}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
