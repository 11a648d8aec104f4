import type { Summary } from './report.ts';

/** Minimum and quartiles. The mean is left out: one stolen time slice ruins it. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  return { min: at(sorted, 0), q1: at(sorted, 0.25), median: at(sorted, 0.5), q3: at(sorted, 0.75) };
}

/** Linear between the neighbours. */
function at(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
