import type { Unit, Verdict } from './report.ts';

/** A figure with three digits that count, in a unit people read. */
export function formatValue(value: number, unit: Unit | '×'): string {
  if (!Number.isFinite(value)) return '?';
  switch (unit) {
    case '×':
      return `${digits(value)} ×`;
    case 'count':
      return digits(value);
    case 'ns':
      return scaled(value, 1000, ['ns', 'µs', 'ms', 's']);
    case 'ms':
      return `${digits(value)} ms`;
    case 'B':
      return scaled(value, 1024, ['B', 'KB', 'MB']);
    case 'MB':
      return `${digits(value)} MB`;
  }
}

/** `≤ 1.15 ×` */
export function formatLimit({ comparison, limit, unit }: Verdict): string {
  const sign = { 'at most': '≤', below: '<', 'at least': '≥' }[comparison];
  return `${sign} ${formatValue(limit, unit)}`;
}

/** In words, for tables. */
export function formatOutcome(verdict: Verdict): string {
  const { met, binding, revised } = verdict;
  if (binding && !met && revised !== undefined) {
    return `**missed** (attainable: ${formatLimit({ ...verdict, limit: revised })})`;
  }
  if (binding) return met ? 'met' : '**missed**';
  return met ? 'met (informative)' : 'missed (informative)';
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value;
  let index = 0;
  while (Math.abs(rest) >= step && index < units.length - 1) {
    rest /= step;
    index++;
  }
  return `${digits(rest)} ${units[index]}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toFixed(size >= 10 ? 1 : size >= 0.01 ? 2 : 4)));
}
