import { type CompareOptions, compare } from './compare.ts';
import { type GaugeOptions, gauge } from './gauge.ts';
import type { Pace } from './pace.ts';
import type { Group } from './report.ts';

/** One bench file exports one of these as `bench`. */
export interface Bench {
  readonly title: string;
  /** Measures, group by group. Whatever it starts, it ends. Throws a `Skipped` where it cannot run. */
  run(measure: Measure): Promise<readonly Group[]>;
}

/** What a bench measures with. */
export interface Measure {
  readonly pace: Pace;
  compare(options: CompareOptions, pace?: Partial<Pace>): Promise<Group>;
  gauge(options: GaugeOptions): Promise<Group>;
}

/** Says that a bench cannot run here, and why: no server to be had. */
export class Skipped extends Error {}

/** Measures at a pace. */
export function measureAt(pace: Pace): Measure {
  return {
    pace,
    compare: (options, own) => compare(options, { ...pace, ...own }),
    gauge,
  };
}
