import type { BenchReport, Verdict } from './report.ts';

/** A verdict with the bench it belongs to. */
export interface NamedVerdict {
  readonly bench: string;
  readonly verdict: Verdict;
}

/** All verdicts, in the order of the benches. */
export function verdictsOf(benches: readonly BenchReport[]): NamedVerdict[] {
  return benches.flatMap(({ name, groups }) =>
    groups.flatMap(({ verdicts }) => verdicts.map((verdict) => ({ bench: name, verdict }))),
  );
}

/** Targets that are not met: what makes a run fail, beside benches that failed themselves. */
export function bindingMisses(benches: readonly BenchReport[]): NamedVerdict[] {
  return verdictsOf(benches).filter(({ verdict }) => verdict.binding && !verdict.met);
}

/** Those of them that are worse than what was stated as attainable. */
export function bindingFailures(benches: readonly BenchReport[]): NamedVerdict[] {
  return bindingMisses(benches).filter(({ verdict }) => !verdict.holds);
}
