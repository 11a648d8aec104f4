import { formatUsd, parseUsd } from '@synapsekit/core';
import { formatError } from './format-error.ts';
import { formatMs } from './max-latency-ms.ts';
import { clip } from './output.ts';
import type { Paint } from './paint.ts';
import type { CaseResult, MetricResult } from './result.ts';

/** What is printed of a case: its name, a line for each metric, and what else there is to say. */
export function formatCase(result: CaseResult, paint: Paint, cwd?: string): string {
  const { name, status, metrics, error, reason, output } = result;
  const lines = [`${name} ${mark(result, paint)}`];
  for (const metric of metrics) lines.push(...metricLines(metric, paint, cwd));
  if (status === 'passed' && metrics.length === 0) {
    lines.push(`  ${paint('dim', '(no cost metrics — structural test)')}`);
  }
  if (reason !== undefined && !metrics.some((metric) => metric.error !== undefined)) {
    const word = status === 'not-run' ? 'not run' : status;
    lines.push(`  ${paint('yellow', `${word}: ${reason}`)}`);
  }
  if (error !== undefined) {
    lines.push(...formatError(error, { paint, cwd, ...(status === 'failed' && { heading: 'failed' }) }));
  }
  if (output !== undefined && metrics.some(({ pass }) => !pass)) {
    lines.push(`  ${paint('dim', `output: ${clip(JSON.stringify(output), 200)}`)}`);
  }
  for (const note of notes(result)) lines.push(`  ${paint('yellow', note)}`);
  return `${lines.join('\n')}\n`;
}

function mark({ status }: CaseResult, paint: Paint): string {
  if (status === 'passed') return paint('green', '✓');
  return status === 'not-run' ? paint('yellow', '-') : paint('red', '✗');
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
