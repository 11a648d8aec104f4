import { nearestName } from '@synapsekit/core';
import { caseKey, casePosition, type PlannedCase } from '@synapsekit/eval';
import { UsageError } from './command.ts';

/** Which cases to run. */
export interface Selection {
  readonly filter: RegExp | undefined;
  readonly tags: readonly string[];
  readonly shard: { readonly index: number; readonly count: number } | undefined;
  /** Only cases with one of these keys, and all of these files; `undefined`: all. */
  readonly again?: { readonly keys: ReadonlySet<string>; readonly files: ReadonlySet<string> } | undefined;
}

/** What was asked for by `file:line`, and whether files are missing: what was asked for may be in those. */
export interface SelectionFacts {
  readonly lines: ReadonlyMap<string, readonly number[]>;
  readonly incomplete: boolean;
}

/** How many names a message takes. */
const maxNamed = 20;

/**
 * The cases of `plan` that were asked for, in order.
 *
 * @throws UsageError when there were some and none was asked for.
 */
export function selectCases(
  plan: readonly PlannedCase[],
  selection: Selection,
  { lines, incomplete }: SelectionFacts,
): readonly PlannedCase[] {
  const { filter, tags, shard, again } = selection;
  const atLines = placesOf(plan, lines);
  const asked = plan.filter(
    (planned) =>
      (filter === undefined || filter.test(planned.case.name)) &&
      hasTags(planned.case.tags, tags) &&
      (atLines === undefined || !lines.has(planned.file ?? '') || atLines.has(planned)),
  );
  const isAgain = (planned: PlannedCase): boolean =>
    again === undefined || again.keys.has(caseKey(planned)) || again.files.has(planned.file ?? '');
  if (plan.length > 0 && !asked.some(isAgain) && !incomplete) throw nothing(plan, selection, lines);
  // The shard first: which cases are in it does not depend on how they ended.
  return asked
    .filter((_, index) => shard === undefined || index % shard.count === shard.index - 1)
    .filter(isAgain);
}

function hasTags(own: readonly string[], wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const without = wanted.filter((tag) => tag.startsWith('!')).map((tag) => tag.slice(1));
  const anyOf = wanted.filter((tag) => !tag.startsWith('!'));
  if (without.some((tag) => own.includes(tag))) return false;
  return anyOf.length === 0 || anyOf.some((tag) => own.includes(tag));
}

/** The cases that stand at the lines: those that begin at the last line with a case up to it. */
function placesOf(
  plan: readonly PlannedCase[],
  lines: ReadonlyMap<string, readonly number[]>,
): ReadonlySet<PlannedCase> | undefined {
  if (lines.size === 0) return undefined;
  const chosen = new Set<PlannedCase>();
  for (const [file, wanted] of lines) {
    const placed = plan
      .filter((planned) => planned.file === file)
      .map((planned) => ({ planned, line: casePosition(planned.case, file)?.line ?? 0 }));
    for (const line of wanted) {
      const start = Math.max(0, ...placed.map((each) => each.line).filter((begin) => begin <= line));
      for (const each of placed) if (start > 0 && each.line === start) chosen.add(each.planned);
    }
  }
  return chosen;
}

function nothing(
  plan: readonly PlannedCase[],
  { filter, tags, again }: Selection,
  lines: ReadonlyMap<string, readonly number[]>,
): UsageError {
  if (tags.length > 0) {
    const known = [...new Set(plan.flatMap(({ case: each }) => [...each.tags]))];
    const meant = nearestName(tags[0] ?? '', known);
    const hint =
      meant === undefined ? `There are: ${known.join(', ') || 'none'}.` : `Did you mean "${meant}"?`;
    return new UsageError(`No case matches --tag ${tags.join(',')}. ${hint}`);
  }
  const names = [...new Set(plan.map(({ case: { name } }) => name))];
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : '';
  const there = `There are: ${names.slice(0, maxNamed).join(', ')}${more}.`;
  if (filter !== undefined) return new UsageError(`No case matches --filter ${filter.source}. ${there}`);
  if (again !== undefined)
    return new UsageError(`None of the cases that did not pass last time is there. ${there}`);
  const place = [...lines].map(([file, wanted]) => `${file}:${wanted.join(',')}`).join(', ');
  return new UsageError(`No case stands at ${place}. ${there}`);
}
