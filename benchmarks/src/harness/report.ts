/** What a run of the benchmarks found, as plain data. */

/** How many samples fell where. */
export interface Summary {
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
}

/** What a group is measured in: `ns` per unit of work, or what the gauge reads. */
export type Unit = 'ns' | 'ms' | 'B' | 'MB' | 'count';

/** One contender of a group. */
interface Row {
  readonly name: string;
  readonly summary: Summary;
}

/** A target, and whether it was met. */
export interface Verdict {
  readonly text: string;
  /** Median over the rounds, and the quartiles round it. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly limit: number;
  readonly comparison: 'at most' | 'below' | 'at least';
  /** `×` for ratios. */
  readonly unit: Unit | '×';
  readonly binding: boolean;
  readonly met: boolean;
  /** What can be attained, where the target turned out wrong. */
  readonly revised?: number | undefined;
  /** Within the limit, or within the revised one. */
  readonly holds: boolean;
  readonly note?: string | undefined;
}

/** Contenders that were measured beside each other. */
export interface Group {
  readonly title: string;
  readonly unit: Unit;
  readonly note?: string | undefined;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

/** One bench file. */
export interface BenchReport {
  readonly name: string;
  readonly title: string;
  readonly groups: readonly Group[];
  /** Why it could not run here. */
  readonly skipped?: string | undefined;
  /** What it failed with. */
  readonly failed?: string | undefined;
}

/** Where and when it ran. Nothing in it names the machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly platform: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** Load average over a minute when it began, divided by the cores. */
  readonly loadPerCore: number;
}

/** Everything. */
export interface Report {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly benches: readonly BenchReport[];
}
