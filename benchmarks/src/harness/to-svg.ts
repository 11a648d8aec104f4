import { formatLimit, formatValue } from './format.ts';
import type { Group, Report } from './report.ts';
import { Svg } from './svg.ts';
import { type NamedVerdict, verdictsOf } from './verdicts.ts';

const width = 1120;
const labelWidth = 470;
const plotLeft = labelWidth + 10;
const plotRight = width - 180;
const rowHeight = 20;
const colours = { met: '#1a7f4b', missed: '#c0392b', informative: '#7a8694', bar: '#3b6ea5', ink: '#1f2933' };

/** The report as a picture: how near each target is, then the times, on one logarithmic scale. */
export function toSvg({ machine, benches }: Report): string {
  const svg = new Svg(width);
  const { date, node, cpu, cores } = machine;
  svg.text(20, svg.move(34), 'Targets: measured ÷ allowed', { size: 20, bold: true });
  svg.text(
    20,
    svg.move(20),
    `${date}, Node ${node}, ${cores} cores, ${cpu}. Bars: median; whiskers: quartiles; grey: informative.`,
    {
      colour: colours.informative,
    },
  );
  drawTargets(svg, verdictsOf(benches));
  svg.move(30);
  svg.text(20, svg.move(24), 'Times, per unit of work (logarithmic)', { size: 20, bold: true });
  const timed = benches.flatMap(({ groups }) => groups).filter(({ unit }) => unit === 'ns');
  const medians = timed.flatMap(({ rows }) => rows.flatMap(({ summary }) => [summary.q1, summary.q3]));
  const scale = logScale(Math.min(...medians), Math.max(...medians));
  for (const group of timed) drawTimes(svg, group, scale);
  return svg.toString();
}

/** Left of the line is better: at-least targets are turned round. */
function drawTargets(svg: Svg, verdicts: readonly NamedVerdict[]): void {
  const share = (value: number, { limit, comparison }: NamedVerdict['verdict']): number =>
    comparison === 'at least' ? limit / value : value / limit;
  const least = 0.05;
  const scale = logScale(least, 4);
  const top = svg.y + 14;
  for (const { bench, verdict } of verdicts) {
    const y = svg.move(rowHeight);
    const { met, binding, text, value, low, high, unit } = verdict;
    const colour = !binding ? colours.informative : met ? colours.met : colours.missed;
    svg.text(labelWidth, y, `${bench}: ${text}`, { anchor: 'end', size: 11.5 });
    svg.bar(plotLeft, y, scale(share(value, verdict)) - plotLeft, colour);
    svg.whisker(scale(share(low, verdict)), scale(share(high, verdict)), y, colours.ink);
    const mark = `${met ? '✓' : '✗'} ${formatValue(value, unit)} (${formatLimit(verdict)})`;
    svg.text(width - 10, y, mark, { anchor: 'end', size: 11.5, colour });
  }
  svg.verticalLine(scale(1), top, svg.y + 6, colours.ink);
  svg.text(scale(1), svg.move(22), 'target', { anchor: 'middle', size: 11.5 });
}

function drawTimes(svg: Svg, { title, rows }: Group, scale: (value: number) => number): void {
  svg.text(20, svg.move(26), title, { bold: true });
  for (const { name, summary } of rows) {
    const y = svg.move(rowHeight);
    svg.text(labelWidth, y, name, { anchor: 'end', size: 11.5 });
    svg.bar(plotLeft, y, scale(summary.median) - plotLeft, colours.bar);
    svg.whisker(scale(summary.q1), scale(summary.q3), y, colours.ink);
    svg.text(width - 10, y, formatValue(summary.median, 'ns'), { anchor: 'end', size: 11.5 });
  }
}

/** Whole decades from `least` to `most` over the plot; what lies outside stops at its edge. */
function logScale(least: number, most: number): (value: number) => number {
  const [from, to] = [Math.log10(least) - 0.05, Math.log10(most) + 0.05];
  return (value) => {
    const share = (Math.log10(Math.max(value, Number.MIN_VALUE)) - from) / (to - from);
    return plotLeft + Math.min(1, Math.max(0, share)) * (plotRight - plotLeft);
  };
}
