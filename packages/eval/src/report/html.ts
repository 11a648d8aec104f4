import { formatUsd } from '@synapsekit/core';
import type { ErrorReport } from '../error-report.ts';
import { shortenFrame } from '../format-error.ts';
import { formatMs } from '../max-latency-ms.ts';
import type { RunResult, SuiteResult } from '../result.ts';
import { escapeHtml } from './escape.ts';
import { plotOf } from './html-plot.ts';
import { script } from './html-script.ts';
import { style } from './html-style.ts';
import { type RunTrouble, troubleLines } from './trouble.ts';

/** How the page looks. */
export interface HtmlOptions {
  /** Stands above it. @default "Eval report" */
  readonly title?: string | undefined;
  /** Paths of stack frames are printed from this folder. @default as they are */
  readonly cwd?: string | undefined;
  /** What went wrong outside of the cases. Stands above all else. @default nothing */
  readonly troubles?: readonly RunTrouble[] | undefined;
}

/**
 * A run as one HTML file: figures, plots of cost and latency, a table to sort and search, and for each case its
 * metrics, error, and the calls with their scopes. It loads nothing from anywhere, and its policy forbids it to.
 */
export function formatHtml(result: RunResult, options: HtmlOptions = {}): string {
  const { title = 'Eval report', cwd, troubles = [] } = options;
  const { cases, suites } = result;
  const ran = cases.filter(({ status }) => !['skipped', 'todo', 'not-run'].includes(status));
  const costs = ran.map((each) => ({
    name: each.name,
    value: Number(each.cost.usd),
    bad: each.status !== 'passed',
  }));
  const times = ran.map((each) => ({
    name: each.name,
    value: Math.max(0.1, each.latencyMs), // a scale of decades has no zero
    bad: each.status !== 'passed',
  }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(verdict(result))} · ${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="when"><time datetime="${escapeHtml(result.startedAt)}">${escapeHtml(result.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))}</time> · ${formatMs(result.durationMs)} · seed ${result.seed}</p>
</header>
<main>
${troubles.length > 0 ? `<section class="troubles" aria-label="What went wrong outside of the cases">${troubles.map((each) => troubleBlock(each, cwd)).join('')}</section>` : ''}
<section class="figures" aria-label="Figures">${figures(result)}</section>
${suites.length > 0 ? `<section class="suites" aria-label="Suites as a whole">${suites.map(suiteLine).join('')}</section>` : ''}
<section class="plots">
${plotOf({ title: 'Cost', values: costs.filter(({ value }) => value > 0), format: formatUsd, nothing: 'no case has a measured cost' })}
${plotOf({ title: 'Latency', values: times, format: formatMs, nothing: 'no case ran' })}
</section>
<section>
<form class="tools" role="search" onsubmit="return false">
<input id="search" type="search" placeholder="Search cases" aria-label="Search cases">
<select id="status" aria-label="Status"><option value="">all</option><option value="bad">not passed</option><option value="passed">passed</option><option value="left">not run, skipped</option></select>
<output id="count"></output>
</form>
<table id="cases">
<thead><tr>
<th scope="col"><button type="button" data-sort="name">Case</button></th>
<th scope="col" class="wide"><button type="button" data-sort="metrics">Metrics</button></th>
<th scope="col" class="number wide"><button type="button" data-sort="calls">Calls</button></th>
<th scope="col" class="number wide"><button type="button" data-sort="tokens">Tokens</button></th>
<th scope="col" class="number"><button type="button" data-sort="cost">Cost</button></th>
<th scope="col" class="number"><button type="button" data-sort="latency">Latency</button></th>
</tr></thead>
<tbody></tbody>
</table>
<p><button type="button" id="more" hidden>Show more</button></p>
<noscript>The table needs JavaScript. The figures above do not.</noscript>
</section>
</main>
<script type="application/json" id="data">${embed(cases.map((each) => row(each, cwd)))}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** What the page needs of a case; amounts as they are printed. */
function row(each: RunResult['cases'][number], cwd: string | undefined): object {
  const { calls = [], cost, latencyMs } = each;
  const tokens = calls.reduce(
    (sum, { usage }) => sum + (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0),
    0,
  );
  return {
    ...each,
    ...(each.error !== undefined && { error: shortened(each.error, cwd) }),
    tokens,
    costUsd: Number(cost.usd),
    costText:
      cost.calls === 0 && cost.missingCalls === 0
        ? '–'
        : `${cost.missingCalls > 0 ? '≥ ' : ''}${formatUsd(cost.usd)}`,
    latencyText: latencyMs === 0 ? '–' : formatMs(latencyMs),
    calls: calls.map((call) => ({
      ...call,
      usdText: call.usd === undefined ? 'cost unknown' : formatUsd(call.usd),
      latencyText: call.latencyMs === undefined ? '' : formatMs(call.latencyMs),
    })),
    trials: each.trials?.map((trial) => ({
      status: trial.status,
      reason: trial.reason ?? trial.error?.message,
      costText: formatUsd(trial.cost.usd),
      latencyText: formatMs(trial.latencyMs),
    })),
    billedText: each.traffic === undefined ? undefined : formatUsd(each.traffic.billedUsd),
  };
}

/** A figure at the top: a value, what it is, and how it is painted. */
type Figure = readonly [value: string, label: string, kind?: string];

function figures(result: RunResult): string {
  const { passed, failed, byStatus, cost, judgeCost, billed, flaky } = result;
  const absent = byStatus.skipped + byStatus.todo;
  const cells: Figure[] = [[`${passed}`, 'passed', failed === 0 && passed > 0 ? 'good' : '']];
  cells.push([`${failed}`, 'failed', failed > 0 ? 'bad' : '']);
  if (byStatus['not-run'] > 0) cells.push([`${byStatus['not-run']}`, 'not run', 'warn']);
  if (flaky > 0) cells.push([`${flaky}`, 'flaky', 'warn']);
  if (absent > 0) cells.push([`${absent}`, 'skipped, to do']);
  const known = cost.missingCalls === 0;
  cells.push([`${known ? '' : '≥ '}${formatUsd(cost.usd)}`, 'cost', known ? '' : 'warn']);
  if (judgeCost.calls > 0) cells.push([formatUsd(judgeCost.usd), 'of it judges']);
  if (billed !== undefined && billed.requests > 0) {
    const { replayed, requests } = billed;
    const label = replayed === 0 ? 'billed' : `billed, ${replayed} of ${requests} calls from tape`;
    cells.push([formatUsd(billed.billedUsd), label]);
  }
  return cells
    .map(
      ([value, label, kind = '']) =>
        `<div class="figure ${kind}"><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
    )
    .join('');
}

function troubleBlock(trouble: RunTrouble, cwd: string | undefined): string {
  const { title, message, file, error } = trouble;
  const more = troubleLines({ ...trouble, ...(error !== undefined && { error: shortened(error, cwd) }) });
  const where = file === undefined ? '' : `<b>${escapeHtml(file)}</b> `;
  const text = more.length > 0 ? `<pre>${escapeHtml(more.join('\n'))}</pre>` : '';
  return `<div class="trouble"><p>✗ ${where}${escapeHtml(title)}</p><p class="what">${escapeHtml(message)}</p>${text}</div>`;
}

function suiteLine({ name, file, status, metrics }: SuiteResult): string {
  const mark = { passed: '✓', 'not-run': '–' }[status as string] ?? '✗';
  const told = metrics
    .map((metric) => `${metric.name} ${metric.detail ?? metric.error?.message ?? ''}`)
    .join(' · ');
  return `<p class="${status}">${mark} <b>${escapeHtml(name ?? file ?? 'suite')}</b>, together: ${escapeHtml(told)}</p>`;
}

function verdict({ ok, passed, failed }: RunResult): string {
  return `${ok ? '✓' : '✗'} ${passed} passed, ${failed} failed`;
}

function shortened(error: ErrorReport, cwd: string | undefined): ErrorReport {
  const { stack, cause } = error;
  return {
    ...error,
    stack: stack.map((frame) => shortenFrame(frame, cwd)),
    ...(cause !== undefined && { cause: shortened(cause, cwd) }),
  };
}

/** JSON that cannot end its script element. */
function embed(data: unknown): string {
  return JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
