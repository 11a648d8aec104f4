import { formatUsd, usdDecimal } from '@synapsekit/core';
import type { BookTotals } from './books.ts';
import type { HeapTrend } from './heap-trend.ts';
import type { Violations } from './violations.ts';

/** Where a run stands, or how it ended. */
export interface SoakReport {
  readonly seed: number;
  readonly store: string;
  readonly concurrency: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly calls: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly totals: BookTotals;
  readonly heapBytes: number;
  readonly trend: HeapTrend | undefined;
  readonly violations: ReturnType<Violations['list']>;
}

const count = (value: number): string => value.toLocaleString('en-US');
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
const usd = (pico: bigint): string => formatUsd(usdDecimal(pico));

/** One line while it runs. */
export function progressLine(report: SoakReport, ofSeconds: number): string {
  const bad = report.violations.reduce((sum, violation) => sum + violation.count, 0);
  return [
    `${clockTime(report.seconds)} / ${clockTime(ofSeconds)}`,
    `${count(report.calls)} calls`,
    `${count(report.totals.attempts)} attempts`,
    `${usd(report.totals.billedPico)} billed`,
    `heap ${megabytes(report.heapBytes)}`,
    bad === 0 ? 'no violation' : `${count(bad)} VIOLATIONS`,
  ].join(' · ');
}

/** Everything, at the end. */
export function finalText(report: SoakReport): string {
  const { totals, trend, violations } = report;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, times]) => `${name} ${count(times)}`)
      .join(', ');
  const lines = [
    `${count(report.calls)} calls in ${report.seconds.toFixed(0)} s, ${report.concurrency} at once, store ${report.store}, seed ${report.seed}`,
    `calls ended:   ${list(report.ends)}`,
    `attempts:      ${list(report.outcomes)}`,
    `billed:        ${usd(totals.billedPico)}`,
    `tracker:       ${usd(totals.trackerPico)}`,
    `guard:         ${usd(totals.guardPico)} = billed + ${usd(totals.cautionPico)} held for lost answers - ${usd(totals.unseenPico)} sent and never received`,
    trend === undefined
      ? `heap:          ${megabytes(report.heapBytes)}; too short a run to see a trend`
      : `heap:          ${megabytes(report.heapBytes)}, ${trend.grownBytes < 0 ? '-' : '+'}${megabytes(Math.abs(trend.grownBytes))} over ${count(trend.calls)} calls in the steady state`,
    ...violations.flatMap(({ kind, count: times, examples }) => [
      `✗ ${kind}: ${count(times)}`,
      ...examples.map((example) => `    ${example}`),
    ]),
    violations.length === 0
      ? '✓ every attempt and every total agree, and nothing is left open'
      : `${violations.length} kinds of violations; run it again with --seed ${report.seed}`,
  ];
  return lines.join('\n');
}

/** The same for machines: amounts as decimal strings of dollars. */
export function toJson(report: SoakReport): string {
  const { totals, ...rest } = report;
  const amounts = {
    attempts: totals.attempts,
    billedUsd: usdDecimal(totals.billedPico),
    trackerUsd: usdDecimal(totals.trackerPico),
    guardUsd: usdDecimal(totals.guardPico),
    unseenUsd: usdDecimal(totals.unseenPico),
    cautionUsd: usdDecimal(totals.cautionPico),
  };
  return JSON.stringify({ ...rest, totals: amounts, ok: report.violations.length === 0 }, null, 2);
}

function clockTime(seconds: number): string {
  const whole = Math.round(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return `${String(minutes).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}
