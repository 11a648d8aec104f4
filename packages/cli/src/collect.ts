import {
  type EvalCase,
  type EvalSuite,
  isEvalCase,
  isEvalSuite,
  type PlannedCase,
  planCase,
} from '@synapsekit/eval';

/** The cases of some modules, and what is wrong with them. */
export interface Collection {
  readonly plan: readonly PlannedCase[];
  /** Sentences for people. */
  readonly problems: readonly string[];
}

/** A module, by the name it has in reports. */
export interface EvalModule {
  readonly file: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/**
 * Everything that modules export to be run: their suites, and the cases that stand in no suite, also in lists and plain
 * objects, however deep. Whatever several modules export runs once, for the first of them.
 */
export function collect(modules: readonly EvalModule[]): Collection {
  const all = modules.map(({ file, exports }) => ({ file, ...runnables(exports) }));
  const taken = new Set<EvalCase | EvalSuite>(
    all.flatMap(({ suites }) => suites.flatMap(({ cases }) => [...cases])),
  );
  const plan: PlannedCase[] = [];
  const problems: string[] = [];
  const isNew = (each: EvalCase | EvalSuite): boolean => {
    const isNew = !taken.has(each);
    taken.add(each);
    return isNew;
  };
  for (const { file, suites, cases, promises } of all) {
    for (const name of promises) {
      problems.push(
        `${file} exports a promise as ${name}: nobody knows what is in it. Await it in the file.`,
      );
    }
    if (suites.length === 0 && cases.length === 0 && promises.length === 0) {
      problems.push(
        `${file} exports no eval case and no suite. Export what evalCase(…) or new EvalSuite(…) returns.`,
      );
    }
    const planned = [
      ...suites.filter(isNew).flatMap((suite) => suite.plan()),
      ...cases.filter(isNew).map(planCase),
    ].map((each) => ({ ...each, file }));
    problems.push(...duplicates(planned));
    plan.push(...planned);
  }
  return { plan, problems };
}

/** What a module exports to be run. A case that is left out in silence would look like one that passed. */
interface Runnables {
  readonly suites: readonly EvalSuite[];
  readonly cases: readonly EvalCase[];
  /** Names of exports that may have something to run in them, and are promises. */
  readonly promises: readonly string[];
}

function runnables(exports: Readonly<Record<string, unknown>>): Runnables {
  // A set that grows is iterated to its end.
  const found = new Set(Object.values(exports));
  for (const value of found) for (const inner of contents(value)) found.add(inner);
  const values = [...found];
  const promises = Object.keys(exports).filter((name) => exports[name] instanceof Promise);
  // A module's exports come in the order of the alphabet.
  const cases = values.filter(isEvalCase).sort((a, b) => a.sequence - b.sequence);
  const suites = values.filter(isEvalSuite).sort((a, b) => beginOf(a) - beginOf(b));
  return { suites, cases, promises };
}

/** Where a suite begins, by its first case. */
function beginOf({ cases }: EvalSuite): number {
  return cases[0]?.sequence ?? 0;
}

/** What lists and plain objects hold, the exports of a CommonJS module among them. Getters are left alone. */
function contents(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null || isEvalCase(value) || isEvalSuite(value)) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return [];
  return Object.keys(value).map((key): unknown => Object.getOwnPropertyDescriptor(value, key)?.value);
}

/** Two cases of one name could not be told apart in any report. */
function duplicates(plan: readonly PlannedCase[]): string[] {
  const byName = new Map<string, EvalCase>();
  const problems: string[] = [];
  for (const { case: each, suite, file } of plan) {
    const key = `${suite ?? ''}\n${each.name}`; // names are on one line
    const first = byName.get(key) ?? each;
    byName.set(key, first);
    if (first !== each)
      problems.push(
        `${file} has two cases called "${each.name}". Names tell them apart, of cases or of their suites.`,
      );
  }
  return problems;
}
