import type { Unit, Verdict } from './report.ts';
import { summarize } from './summarize.ts';

/** Which clock: what this process computed, or what passed. */
export type Time = 'cpu' | 'wall';

/** What is asked of the contenders of a group. Names are those of the contenders. */
export interface Target {
  readonly text: string;
  /** `[a, b]`: a / b, round by round. Binding unless it says otherwise. */
  readonly ratio?: readonly [string, string] | undefined;
  /** `[a, b]`: a - b, round by round, in the unit of the group. Informative unless it says otherwise. */
  readonly difference?: readonly [string, string] | undefined;
  /** The figure itself. Informative unless it says otherwise. */
  readonly value?: string | undefined;
  readonly limit: number;
  /** @default "at most" */
  readonly comparison?: Verdict['comparison'] | undefined;
  readonly binding?: boolean | undefined;
  /**
   * Where the target turned out wrong, as the note says with figures: what can be attained. It is missed all the same, and
   * the run fails.
   */
  readonly revised?: number | undefined;
  /** Of timed contenders only. @default that of the group */
  readonly time?: Time | undefined;
  /** Why it is missed, or what to know about it: stands in the results. */
  readonly note?: string | undefined;
}

/** Judges a target by the median over the rounds: each compares samples that were taken one right after the other. */
export function judge(
  target: Target,
  samplesOf: ReadonlyMap<string, readonly number[]>,
  groupUnit: Unit,
): Verdict {
  const { text, ratio, difference, value, limit, comparison = 'at most' } = target;
  if (target.revised !== undefined && target.note === undefined) {
    throw new Error(`The target "${text}" is revised, and does not say why.`);
  }
  const samples = (name: string): readonly number[] => {
    const found = samplesOf.get(name);
    if (found === undefined) throw new Error(`The target "${text}" speaks of "${name}", which is not there.`);
    return found;
  };
  const paired = ([a, b]: readonly [string, string], combine: (x: number, y: number) => number): number[] => {
    const other = samples(b);
    return samples(a).map((sample, round) => combine(sample, other[round] ?? Number.NaN));
  };

  let values: readonly number[];
  if (ratio !== undefined) values = paired(ratio, (x, y) => x / y);
  else if (difference !== undefined) values = paired(difference, (x, y) => x - y);
  else if (value !== undefined) values = samples(value);
  else throw new Error(`The target "${text}" says neither ratio, nor difference, nor value.`);

  const { q1, median, q3 } = summarize(values);
  return {
    text,
    value: median,
    low: q1,
    high: q3,
    limit,
    comparison,
    unit: ratio === undefined ? groupUnit : '×',
    binding: target.binding ?? ratio !== undefined,
    met: holds(median, comparison, limit),
    revised: target.revised,
    holds: holds(median, comparison, target.revised ?? limit),
    note: target.note,
  };
}

function holds(value: number, comparison: Verdict['comparison'], limit: number): boolean {
  if (comparison === 'below') return value < limit;
  return comparison === 'at least' ? value >= limit : value <= limit;
}
