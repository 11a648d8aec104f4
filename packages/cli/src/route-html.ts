import type { Estimate, ReportedRouter, RouteReport } from '@synapsekit/router/offline';
import { escaped, routeChart } from './route-chart.ts';
import { percent, usd } from './route-format.ts';
import { costShareOf, nothingToRoute, verdictText } from './route-verdict.ts';

/** A report as one HTML file: no script, no font, no picture from elsewhere. */
export function reportHtml(report: RouteReport, file: string): string {
  const { rows, weak, strong, routers, draws, models, costUnit } = report;
  const probed = routers.filter(({ probe, kind }) => probe !== undefined || kind === 'held-out');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Routers on ${escaped(file)}</title>
<style>
:root{color-scheme:light dark;--line:#8884;--soft:#777}
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:1rem 0;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .5rem;text-align:right;border-bottom:1px solid var(--line);overflow-wrap:normal}
th:first-child,td:first-child,.verdict{text-align:left}td:first-child{overflow-wrap:anywhere}
.number{white-space:nowrap}small{color:var(--soft)}
.bad{color:#dc2626}.good{color:#059669}.warn{color:#b45309}
.chart{width:100%;height:auto;fill:currentColor}.chart text{font-size:13px}
.name{paint-order:stroke;stroke:Canvas;stroke-width:4px;stroke-linejoin:round}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.5rem 0}.key{width:28px;height:6px;vertical-align:middle}
.narrow{display:none}
@media(max-width:760px){.roomy{display:none}.narrow{display:block}
tr:first-child{display:none}tr{display:grid;grid-template-columns:1fr 1fr;gap:0 1.5rem;padding:.5rem 0;border-bottom:1px solid var(--line)}
td{display:flex;justify-content:space-between;gap:.5rem;padding:.1rem 0;border:0}
td:first-child{font-weight:600}td:first-child,.verdict,.long{grid-column:1/-1}.none{display:none}
td[data-label]::before{content:attr(data-label);color:var(--soft)}}
</style></head><body>
<h1>Routers on ${escaped(file)}</h1>
<p>${rows} rows, ${escaped(weak)} (weak) and ${escaped(strong)} (strong). Intervals: 95 % of ${draws} bootstrap draws.
A router is worth something when the lower bound of its APGR is above prompt length on the same rows and above a coin (0.5).</p>
${verdictList(report)}
<h2>Cost and quality</h2>
${routeChart(report)}
<h2>Routers</h2>
${table(
  ['router', 'verdict', 'rows', 'APGR', 'CPT50', 'CPT80', 'AIQ', 'to 90 %', '95 %', '98 %', '100 %'],
  routers.map(routerCells),
)}
<p><small>Rows: how many it was measured on. CPT: % of strong calls for 50 and 80 % of the gap. "to 90 %": ${costShareOf(costUnit)}
for so much of the best model's quality.</small></p>
${
  probed.length === 0
    ? ''
    : `<h2>How steady they are</h2>
${table(
  ['router', 'ahead of length', 'groups unseen', 'within groups', 'flips', 'µs', 'under attack'],
  probed.map(probeCells),
)}
<p><small>Ahead of length: APGR above prompt length, paired. Groups unseen: APGR with whole groups left out of training.
Within groups: APGR where each group is put in order on its own. Flips: decisions that a harmless edit turns. µs: for one
decision over 500 characters. Under attack: strong calls when the same prefix stands before every query.</small></p>`
}
<h2>Models</h2>
${table(
  ['model', 'role', 'quality', 'per query', ''],
  models.map(({ name, role, quality, costUsd, dominatedBy }) => [
    { html: escaped(name) },
    { html: role },
    { html: interval(quality), className: 'number' },
    { html: costUsd === undefined ? undefined : usd(costUsd) },
    { html: dominatedBy === undefined ? '' : `dominated by ${escaped(dominatedBy)}`, className: 'warn' },
  ]),
)}
</body></html>
`;
}

interface Cell {
  readonly html: string | undefined;
  readonly className?: string;
}

/** On narrow screens each row is a card, and each cell tells its column itself. */
function table(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cell = ({ html, className = '' }: Cell, index: number): string => {
    const classes = [className, html === undefined || html === '' ? 'none' : ''].filter(
      (name) => name !== '',
    );
    const label =
      index === 0 || columns[index] === '' ? '' : ` data-label="${escaped(columns[index] ?? '')}"`;
    return `<td${classes.length === 0 ? '' : ` class="${classes.join(' ')}"`}${label}><span>${html ?? '-'}</span></td>`;
  };
  const head = columns.map(
    (name) => `<th${name === 'verdict' ? ' class="verdict"' : ''}>${escaped(name)}</th>`,
  );
  return `<table><tr>${head.join('')}</tr>
${rows.map((cells) => `<tr>${cells.map(cell).join('')}</tr>`).join('\n')}
</table>`;
}

function verdictList({ routers, rows, models }: RouteReport): string {
  const needless = nothingToRoute(models);
  const verdicts = routers.flatMap((router) => {
    const verdict = verdictText(router, rows);
    if (verdict === undefined) return [];
    const own = verdict.rows === undefined ? '' : `<br><small>${escaped(verdict.rows)}</small>`;
    return [`<li><span class="${verdict.tone}">${escaped(verdict.sentence)}</span>${own}</li>`];
  });
  const items = [
    ...(needless === undefined ? [] : [`<li><span class="bad">${escaped(needless)}</span></li>`]),
    ...verdicts,
  ];
  return items.length === 0 ? '' : `<ul>\n${items.join('\n')}\n</ul>`;
}

const verdictCells: Readonly<Record<ReportedRouter['verdict'], Cell>> = {
  baseline: { html: '', className: 'verdict' },
  worthless: { html: 'worthless', className: 'verdict bad' },
  'better-than-length': { html: 'better than length', className: 'verdict good' },
  unmeasured: { html: 'not measured', className: 'verdict warn' },
};

function routerCells(router: ReportedRouter): Cell[] {
  const { name, rows, apgr, cpt50, cpt80, aiq, costTo, verdict } = router;
  const missing = verdict === 'unmeasured' ? undefined : 'never';
  const cost = (to: '90' | '95' | '98' | '100'): Cell => {
    const share = costTo?.[to];
    return { html: share === undefined ? missing : (share * 100).toFixed(1) };
  };
  return [
    { html: escaped(name) },
    verdictCells[verdict],
    { html: verdict === 'unmeasured' ? undefined : String(rows), className: 'long' },
    { html: apgr && interval(apgr), className: 'number long' },
    { html: cpt50?.value.toFixed(1) },
    { html: cpt80?.value.toFixed(1) },
    { html: aiq?.value.toFixed(4) },
    cost('90'),
    cost('95'),
    cost('98'),
    cost('100'),
  ];
}

function probeCells({
  name,
  advantage,
  leaveGroupOut,
  withinGroups,
  probe,
  hardenedApgr,
}: ReportedRouter): Cell[] {
  const attack =
    probe &&
    `${percent(probe.attack.before)} &rarr; ${percent(probe.attack.inMessage)}` +
      (probe.attack.hardened === undefined
        ? ''
        : `, hardened ${percent(probe.attack.hardened)} (APGR ${hardenedApgr?.toFixed(3) ?? '-'})`);
  return [
    { html: escaped(name) },
    {
      html: advantage && advantage.low !== advantage.high ? interval(advantage) : undefined,
      className: 'number long',
    },
    { html: leaveGroupOut && interval(leaveGroupOut), className: 'number long' },
    { html: withinGroups && interval(withinGroups), className: 'number long' },
    { html: probe && percent(probe.flipRate, 1) },
    { html: probe?.microsecondsAt500Chars.toFixed(1) },
    { html: attack, className: 'long' },
  ];
}

function interval({ value, low, high }: Estimate): string {
  if (low === high) return value.toFixed(3);
  return `${value.toFixed(3)} <small>${low.toFixed(3)}&ndash;${high.toFixed(3)}</small>`;
}
