import { formatUsd, parseUsd } from '@synapsekit/core';
import { clip } from './clip.ts';
import { formatError } from './format-error.ts';
import { formatMs } from './max-latency-ms.ts';
import type { Paint } from './paint.ts';
import type { CaseResult, MetricResult, SuiteResult, TrialResult } from './result.ts';

/** How cases are printed. */
export interface CaseStyle {
  readonly paint: Paint;
  /** Paths of stack frames are printed from this folder. */
  readonly cwd?: string | undefined;
  /** The command that runs a case again. */
  readonly rerun?: ((result: CaseResult) => string | undefined) | undefined;
}

/** What is printed of a case: its name, a line for each metric, and what else there is to say. */
export function formatCase(result: CaseResult, style: CaseStyle): string {
  const { paint, cwd } = style;
  const { name, status, metrics, error, reason, output, flaky, trials } = result;
  const lines = [`${name} ${mark(result, paint)}`];
  for (const metric of metrics) lines.push(...metricLines(metric, paint, cwd));
  if (status === 'passed' && metrics.length === 0) {
    lines.push(`  ${paint('dim', '(no cost metrics — structural test)')}`);
  }
  const metricCrashed = metrics.some((metric) => metric.error !== undefined);
  if (reason !== undefined && (!metricCrashed || trials !== undefined)) {
    const word = { 'not-run': 'not run', passed: 'flaky', todo: 'to do' }[status as string] ?? status;
    const style = status === 'skipped' ? 'dim' : 'yellow';
    lines.push(`  ${paint(style, `${word}: ${reason}`)}`);
  }
  for (const line of result.reasonDetail?.split('\n') ?? []) lines.push(`    ${line}`);
  if (error !== undefined) {
    lines.push(...formatError(error, { paint, cwd, ...(status === 'failed' && { heading: 'failed' }) }));
  }
  if (output !== undefined && metrics.some(({ pass }) => !pass)) {
    lines.push(`  ${paint('dim', `output: ${clip(JSON.stringify(output), 200)}`)}`);
  }
  if (trials !== undefined && (flaky === true || status !== 'passed')) {
    lines.push(`  ${paint('dim', `tries: ${trials.map((trial) => tryOf(trial)).join(' ')}`)}`);
  }
  for (const note of notes(result)) lines.push(`  ${paint('yellow', note)}`);
  if (isBad(result)) lines.push(...whereabouts(result, style));
  return `${lines.join('\n')}\n`;
}

/** What is printed of a suite that is judged as a whole. */
export function formatSuite({ name, status, metrics }: SuiteResult, paint: Paint, cwd?: string): string {
  const lines = [`${name ?? 'all cases of the suite'}, together ${mark({ status }, paint)}`];
  for (const metric of metrics) {
    if (status === 'not-run' && metric.detail?.startsWith('not judged') === true) {
      lines.push(`  ${metric.name} ... ${paint('yellow', metric.detail)}`);
    } else {
      lines.push(...metricLines(metric, paint, cwd));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** True for a case that somebody should look at. */
export function isBad({ status }: Pick<CaseResult, 'status'>): boolean {
  return status === 'failed' || status === 'error' || status === 'unchecked';
}

/** Where the case stands, and how to run it alone. */
function whereabouts(result: CaseResult, { paint, rerun }: CaseStyle): string[] {
  const { file, line, column, definedAt } = result;
  const place = line === undefined ? definedAt : `${file}:${line}:${column}`;
  if (file === undefined || place === undefined) return [];
  const command = rerun?.(result);
  return [
    `  ${paint('dim', `at ${place}`)}`,
    ...(command === undefined ? [] : [`  ${paint('dim', `rerun: ${command}`)}`]),
  ];
}

function mark({ status }: { readonly status: CaseResult['status'] }, paint: Paint): string {
  if (status === 'passed') return paint('green', '✓');
  if (status === 'skipped' || status === 'todo') return paint('dim', '-');
  return status === 'not-run' ? paint('yellow', '-') : paint('red', '✗');
}

function tryOf({ status, cost, latencyMs }: TrialResult): string {
  const sign = { passed: '✓', 'not-run': '-' }[status as string] ?? '✗';
  return `${sign} ${cost.calls > 0 ? `${formatUsd(cost.usd)} ` : ''}${formatMs(latencyMs)};`;
}

function metricLines({ name, pass, detail, error }: MetricResult, paint: Paint, cwd?: string): string[] {
  if (error !== undefined) {
    return [`  ${name} ... ${paint('red', 'ERROR')}`, ...formatError(error, { paint, cwd, indent: '    ' })];
  }
  const verdict = pass ? paint('green', 'PASS') : paint('red', 'FAIL');
  return [`  ${name} ... ${verdict}${detail === undefined ? '' : ` (${onOneLine(detail)})`}`];
}

/** A judge may quote a model: line ends and the commands of terminals must not come out of it. */
function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** What a case says about itself where that is not what was measured. */
function notes({ cost, latencyMs, reportedLatencyMs, metrics }: CaseResult): string[] {
  const found: string[] = [];
  if (cost.reportedUsd !== undefined && (cost.missingCalls > 0 || cost.calls === 0)) {
    const measured = cost.calls === 0 ? 'nothing was measured' : `measured: at least ${formatUsd(cost.usd)}`;
    found.push(`the case reports a cost of ${formatUsd(cost.reportedUsd)}; ${measured}`);
  } else if (cost.reportedUsd !== undefined && differ(cost.reportedUsd, cost.usd)) {
    const both = twoAmounts(cost.reportedUsd, cost.usd);
    found.push(`the case reports a cost of ${both[0]}; measured, and judged: ${both[1]}`);
  }
  const timed = metrics.some(({ name }) => name === 'MaxLatencyMs');
  if (timed && reportedLatencyMs !== undefined && formatMs(reportedLatencyMs) !== formatMs(latencyMs)) {
    found.push(
      `the case reports ${formatMs(reportedLatencyMs)}; measured, and judged: ${formatMs(latencyMs)}`,
    );
  }
  return found;
}

/** Sums of floating-point dollars are off in their last digits; that is no difference. */
function differ(a: string, b: string): boolean {
  const [x, y] = [parseUsd(a), parseUsd(b)];
  const gap = x > y ? x - y : y - x;
  return gap * 1_000_000_000n > y;
}

function twoAmounts(a: string, b: string): readonly [string, string] {
  const rounded = [formatUsd(a), formatUsd(b)] as const;
  return rounded[0] === rounded[1] ? [`$${a}`, `$${b}`] : rounded;
}
