import type { Estimate, ReportedRouter, RouteReport } from '@synapsekit/router/offline';
import { percent, usd, withInterval } from './route-format.ts';
import { costShareOf, nothingToRoute, verdictText } from './route-verdict.ts';

interface Style {
  readonly color: boolean;
}

/** A report as it is printed on a terminal. */
export function reportTable(report: RouteReport, style: Style): string {
  const paint = painter(style);
  const { routers, weak, strong, rows, leftOut, groups, costUnit } = report;
  const head = [
    `${rows} rows${leftOut > 0 ? ` (${leftOut} left out: not every model has a score)` : ''}, ${groups} ${groups === 1 ? 'group' : 'groups'}; ` +
      `${weak} (weak) and ${strong} (strong); intervals: 95 % of ${report.draws} draws`,
    '',
    ...modelTable(report, paint),
    '',
    ...routerTable(routers, costUnit),
    '',
    ...detailTable(routers),
  ];
  return `${[...head, ...verdicts(report, paint)].join('\n')}\n`;
}

function modelTable({ models, costUnit }: RouteReport, paint: Painter): string[] {
  const cells = models.map(({ name, role, quality, costUsd, dominatedBy }) => [
    name,
    role ?? '',
    withInterval(quality),
    costUsd === undefined ? '-' : usd(costUsd),
    dominatedBy === undefined ? '' : paint.warn(`dominated by ${dominatedBy}`),
  ]);
  return align([['model', 'role', 'quality', costUnit === 'usd' ? 'per query' : 'cost', ''], ...cells]);
}

function routerTable(routers: readonly ReportedRouter[], costUnit: RouteReport['costUnit']): string[] {
  const of = costShareOf(costUnit);
  const cells = routers.map(({ name, rows, apgr, cpt50, cpt80, aiq, costTo, unmeasured }) => [
    name,
    unmeasured === undefined ? String(rows) : '-',
    apgr === undefined ? '-' : exact(apgr) ? apgr.value.toFixed(3) : withInterval(apgr),
    cpt50?.value.toFixed(1) ?? '-',
    cpt80?.value.toFixed(1) ?? '-',
    aiq?.value.toFixed(4) ?? '-',
    ...(['90', '95', '98', '100'] as const).map((to) => {
      const cost = costTo?.[to];
      return cost === undefined ? (unmeasured === undefined ? 'never' : '-') : (cost * 100).toFixed(1);
    }),
  ]);
  return [
    ...align([
      ['router', 'rows', 'APGR', 'CPT50', 'CPT80', 'AIQ', 'to 90 %', '95 %', '98 %', '100 %'],
      ...cells,
    ]),
    `(CPT: % of strong calls for 50 and 80 % of the gap; "to 90 %": ${of} for so much of its quality)`,
  ];
}

function detailTable(routers: readonly ReportedRouter[]): string[] {
  const told = routers.filter(
    ({ kind, probe, name }) => kind !== 'baseline' || (probe !== undefined && name !== ''),
  );
  if (told.length === 0) return [];
  const cells = told.map(({ name, advantage, leaveGroupOut, withinGroups, probe, hardenedApgr }) => [
    name,
    advantage === undefined || exact(advantage) ? '-' : signed(advantage),
    leaveGroupOut === undefined ? '-' : withInterval(leaveGroupOut),
    withinGroups === undefined ? '-' : withInterval(withinGroups),
    probe === undefined ? '-' : percent(probe.flipRate, 1),
    probe === undefined ? '-' : probe.microsecondsAt500Chars.toFixed(1),
    probe === undefined
      ? '-'
      : `${percent(probe.attack.before)} -> ${percent(probe.attack.inMessage)}` +
        (probe.attack.hardened === undefined ? '' : `, hardened ${percent(probe.attack.hardened)}`),
    hardenedApgr?.toFixed(3) ?? '-',
  ]);
  return [
    ...align([
      [
        '',
        'ahead of length',
        'groups unseen',
        'within',
        'flips',
        'us',
        'strong calls under attack',
        'hardened',
      ],
      ...cells,
    ]),
    '(groups unseen, within groups, hardened: APGR; flips: decisions that a harmless edit turns; us: for 500',
    ' characters; attack: the same prefix before every query; of an earlier message it moves nothing in a model)',
    '',
  ];
}

function verdicts({ routers, models, rows }: RouteReport, paint: Painter): string[] {
  const lines: string[] = [];
  for (const { name, dominatedBy } of models) {
    if (dominatedBy !== undefined)
      lines.push(paint.warn(`${name} is dominated: ${dominatedBy} is no dearer and no worse. Drop it.`));
  }
  const needless = nothingToRoute(models);
  if (needless !== undefined) lines.push(paint.bad(needless));
  for (const router of routers) {
    const verdict = verdictText(router, rows);
    if (verdict === undefined) continue;
    lines.push(paint[verdict.tone](verdict.sentence));
    if (verdict.rows !== undefined) lines.push(`  ${verdict.rows}`);
  }
  return lines;
}

/** Columns of equal width: words to the left, figures to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function exact({ low, high }: Estimate): boolean {
  return low === high;
}

function signed(estimate: Estimate): string {
  return `${estimate.value >= 0 ? '+' : ''}${withInterval(estimate)}`;
}

interface Painter {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
}

function painter({ color }: Style): Painter {
  const paint =
    (code: number) =>
    (text: string): string =>
      color ? `\u001b[${code}m${text}\u001b[39m` : text;
  return { good: paint(32), bad: paint(31), warn: paint(33) };
}
