import type { CostQuality, Estimate, ReportedRouter, RouteReport } from '@synapsekit/router/offline';
import { percent, usd } from './route-format.ts';

const width = 760;
const height = 420;
const margin = { top: 16, right: 16, bottom: 48, left: 64 };
const colors = ['#2563eb', '#dc2626', '#059669', '#9333ea', '#ea580c', '#0891b2', '#be185d', '#4d7c0f'];

/** A report as one HTML file: no script, no font, no picture from elsewhere. */
export function reportHtml(report: RouteReport, file: string): string {
  const { rows, weak, strong, routers, draws } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Routers on ${escaped(file)}</title>
<style>
:root{color-scheme:light dark;--line:#8884;--soft:#888}
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}small{color:var(--soft)}.wide{overflow-x:auto}
.bad{color:#dc2626}.good{color:#059669}.warn{color:#b45309}svg{width:100%;height:auto}
svg text{font-size:12px;fill:currentColor}
</style></head><body>
<h1>Routers on ${escaped(file)}</h1>
<p>${rows} rows, ${escaped(weak)} (weak) and ${escaped(strong)} (strong). Intervals: 95 % of ${draws} bootstrap draws.
A router is worth something when the lower bound of its APGR is above prompt length and above a coin (0.5).</p>
<h2>Cost and quality</h2>
${chart(report)}
<h2>Routers</h2>
<div class="wide"><table><tr><th>router</th><th>APGR</th><th>CPT50</th><th>CPT80</th><th>AIQ</th><th>to 90 %</th><th>95 %</th>
<th>98 %</th><th>100 %</th><th>groups unseen</th><th>flips</th><th>&micro;s</th><th>under attack</th><th>verdict</th></tr>
${routers.map(routerRow).join('\n')}
</table></div>
<p><small>CPT: percent of strong calls for 50 and 80 % of the gap. "to 90 %": percent of the best model's cost for so much of
its quality. Groups unseen: APGR with whole groups left out of training. Flips: decisions that a harmless edit turns. Under
attack: strong calls when the same prefix stands before every query, of 50 % without it.</small></p>
<h2>Models</h2>
<table><tr><th>model</th><th>role</th><th>quality</th><th>per query</th><th></th></tr>
${report.models
  .map(
    ({ name, role, quality, costUsd, dominatedBy }) =>
      `<tr><td>${escaped(name)}</td><td>${role ?? ''}</td><td>${interval(quality)}</td><td>${costUsd === undefined ? '-' : usd(costUsd)}</td>` +
      `<td class="warn">${dominatedBy === undefined ? '' : `dominated by ${escaped(dominatedBy)}`}</td></tr>`,
  )
  .join('\n')}
</table>
</body></html>
`;
}

function routerRow(router: ReportedRouter): string {
  const { name, apgr, cpt50, cpt80, aiq, costTo, leaveGroupOut, probe, verdict, unmeasured } = router;
  const cell = (text: string | undefined): string => `<td>${text ?? '-'}</td>`;
  const cost = (to: '90' | '95' | '98' | '100'): string => {
    const share = costTo?.[to];
    return cell(share === undefined ? undefined : (share * 100).toFixed(1));
  };
  const [mark, words] =
    verdict === 'worthless'
      ? ['bad', 'worthless']
      : verdict === 'better-than-length'
        ? ['good', 'better than length']
        : ['', unmeasured ?? ''];
  return (
    `<tr><td>${escaped(name)}</td>${cell(apgr && interval(apgr))}${cell(cpt50?.value.toFixed(1))}${cell(cpt80?.value.toFixed(1))}` +
    `${cell(aiq?.value.toFixed(4))}${cost('90')}${cost('95')}${cost('98')}${cost('100')}` +
    `${cell(leaveGroupOut && interval(leaveGroupOut))}${cell(probe && percent(probe.flipRate, 1))}` +
    `${cell(probe?.microsecondsAt500Chars.toFixed(1))}${cell(probe && percent(probe.attack.inMessage))}` +
    `<td class="${mark}">${escaped(words)}</td></tr>`
  );
}

function chart({ routers, models, costUnit, strong }: RouteReport): string {
  // Single models are drawn as dots.
  const drawn = routers.filter(({ curve, name }) => curve.length > 0 && !name.startsWith('best single'));
  const singles = models.map(({ name, quality, costUsd, role }) => ({
    name,
    cost: costUnit === 'usd' ? costUsd : role === 'weak' ? 0 : role === 'strong' ? 1 : undefined,
    quality: quality.value,
  }));
  const points = [
    ...drawn.flatMap(({ curve }) => curve),
    ...singles.flatMap(({ cost, quality }) => (cost === undefined ? [] : [{ cost, quality }])),
  ];
  if (points.length === 0) return '';
  const maxCost = Math.max(...points.map(({ cost }) => cost)) || 1;
  const low = Math.min(...points.map(({ quality }) => quality));
  const high = Math.max(...points.map(({ quality }) => quality));
  const pad = (high - low) * 0.05 || 0.01;
  const x = (cost: number): number => margin.left + (cost / maxCost) * (width - margin.left - margin.right);
  const y = (quality: number): number =>
    height -
    margin.bottom -
    ((quality - low + pad) / (high - low + 2 * pad)) * (height - margin.top - margin.bottom);
  const path = (curve: readonly CostQuality[]): string =>
    curve
      .map(({ cost, quality }, i) => `${i === 0 ? 'M' : 'L'}${x(cost).toFixed(1)},${y(quality).toFixed(1)}`)
      .join('');
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const lines = drawn.map(({ name, curve }, index) => {
    const color = colors[index % colors.length];
    const dash =
      name === 'random' ? ' stroke-dasharray="6 4"' : name === 'oracle' ? ' stroke-dasharray="2 3"' : '';
    return (
      `<path d="${path(curve)}" fill="none" stroke="${color}" stroke-width="2"${dash}><title>${escaped(name)}</title></path>` +
      `<rect x="${width - 210}" y="${height - margin.bottom - 20 * (drawn.length - index)}" width="14" height="3" fill="${color}"/>` +
      `<text x="${width - 190}" y="${height - margin.bottom - 20 * (drawn.length - index) + 6}">${escaped(name)}</text>`
    );
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Quality over cost, one curve for each router">
${ticks
  .map((tick) => {
    const quality = low - pad + tick * (high - low + 2 * pad);
    const cost = tick * maxCost;
    return (
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(quality)}" y2="${y(quality)}" stroke="#8884"/>` +
      `<text x="${margin.left - 8}" y="${y(quality) + 4}" text-anchor="end">${quality.toFixed(3)}</text>` +
      `<text x="${x(cost)}" y="${height - margin.bottom + 18}" text-anchor="middle">${costUnit === 'usd' ? usd(cost) : percent(tick)}</text>`
    );
  })
  .join('\n')}
<text x="${width / 2}" y="${height - 8}" text-anchor="middle">${costUnit === 'usd' ? 'dollars per query' : `calls to ${escaped(strong)}`}</text>
<text x="14" y="${height / 2}" text-anchor="middle" transform="rotate(-90 14 ${height / 2})">quality</text>
${lines.join('\n')}
${singles
  .filter(({ cost }) => cost !== undefined)
  .map(
    ({ name, cost = 0, quality }) =>
      `<circle cx="${x(cost)}" cy="${y(quality)}" r="5"><title>${escaped(name)}</title></circle>` +
      `<text x="${x(cost) + (cost > maxCost / 2 ? -8 : 8)}" y="${y(quality) + 16}" text-anchor="${cost > maxCost / 2 ? 'end' : 'start'}">${escaped(name)}</text>`,
  )
  .join('\n')}
</svg>`;
}

function interval({ value, low, high }: Estimate): string {
  if (low === high) return value.toFixed(3);
  return `${value.toFixed(3)} <small>${low.toFixed(3)}&ndash;${high.toFixed(3)}</small>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
