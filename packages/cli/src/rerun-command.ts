import { type CaseResult, casePosition, type PlannedCase } from '@synapsekit/eval';
import type { TestOptions } from './test-options.ts';

/** What to type to run a case alone: by its place in the file, and by its name where several cases stand there. */
export function rerunCommand(
  plan: readonly PlannedCase[],
  { seed }: Pick<TestOptions, 'seed'>,
): (result: CaseResult) => string | undefined {
  let shared: ReadonlySet<string> | undefined;
  return (result) => {
    const { file, line, name } = result;
    if (file === undefined) return undefined;
    shared ??= sharedPlaces(plan); // most runs need none
    const place = line === undefined ? file : `${file}:${line}`;
    const filter = line === undefined || shared.has(place) ? ` -t ${quoted(`^${escapePattern(name)}$`)}` : '';
    return `npx synapsekit test ${quoted(place)}${filter}${seed === undefined ? '' : ` --seed ${seed}`}`;
  };
}

function sharedPlaces(plan: readonly PlannedCase[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { case: each, file } of plan) {
    const place = `${file}:${casePosition(each, file)?.line}`;
    if (seen.has(place)) shared.add(place);
    seen.add(place);
  }
  return shared;
}

/** With the `u` flag nothing else may be escaped. */
function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** For a POSIX shell, where it needs to be. */
function quoted(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
