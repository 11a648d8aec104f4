import { jsonDiff } from './json-diff.ts';
import type { TapeRequest } from './request-identity.ts';
import { withoutSecrets } from './secret-scan.ts';
import { scopeId, type TapeEntry, type TapeScope, whoseOf } from './tape-entry.ts';

/** Why there is no tape for a request, for people. */
export interface Miss {
  /** In a clause, without any word of a prompt. */
  readonly why: string;
  /** The nearest tape and the difference, in lines. They quote what differs. */
  readonly detail: string | undefined;
}

const maxShown = 8;
/** How much of a long text is shown around the first difference. */
const around = 30;

/** Says why no tape answers a request, and what the nearest one has that is different. */
export function explainMiss(
  entries: readonly TapeEntry[],
  scope: TapeScope,
  { key, request }: TapeRequest,
): Miss {
  const asked = `${request.method} ${request.path.replace(/\?.*/, '')}`;
  if (entries.length === 0)
    return { why: `there is no tape, and the network is off; ${asked} was asked`, detail: undefined };
  const same = entries.filter((entry) => entry.key === key);
  const here = same.filter((entry) => scopeId(entry) === scopeId(scope));
  if (here.length > 0) {
    const times = here.length === 1 ? 'once' : `${here.length} times`;
    return { why: `${asked} was recorded ${times} in this trial, and is asked once more`, detail: undefined };
  }
  const ofCase = same.filter(
    (entry) => entry.case === scope.case && (entry.suite ?? '') === (scope.suite ?? ''),
  );
  if (ofCase.length > 0 && ofCase.every(({ role }) => role === scope.role)) {
    const trials = [...new Set(ofCase.map(({ trial }) => trial))].sort((a, b) => a - b).join(', ');
    return {
      why: `${asked} was recorded for trial ${trials} of this case, not for trial ${scope.trial}`,
      detail: undefined,
    };
  }
  const nearest = findNearest(entries, scope, request);
  if (nearest === undefined) return { why: `no tape has ${asked}`, detail: undefined };
  return { why: `no tape has this ${asked}`, detail: describe(nearest, request) };
}

function findNearest(
  entries: readonly TapeEntry[],
  scope: TapeScope,
  request: TapeRequest['request'],
): TapeEntry | undefined {
  const rank = (entry: TapeEntry): number =>
    (entry.request.path === request.path ? 0 : 8) +
    (entry.case === scope.case ? 0 : 4) +
    (entry.trial === scope.trial ? 0 : 2) +
    (entry.role === scope.role ? 0 : 1);
  const ranked = entries
    .filter(({ request: { method } }) => method === request.method)
    .map((entry) => ({ entry, rank: rank(entry) }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, 200)
    .map(({ entry, rank }) => ({ entry, distance: rank + distanceOf(entry.request.body, request.body) }));
  let best = ranked[0];
  for (const each of ranked) if (best === undefined || each.distance < best.distance) best = each;
  return best?.entry;
}

function distanceOf(before: unknown, after: unknown): number {
  let distance = 0;
  for (const { before: one, after: other } of jsonDiff(before, after)) {
    if (typeof one !== 'string' || typeof other !== 'string') distance += 1;
    else distance += 1 - commonEnds(one, other) / Math.max(one.length, other.length, 1);
  }
  return distance;
}

/** How many characters two texts share at their beginning and end. */
function commonEnds(one: string, other: string): number {
  const start = commonStart(one, other);
  let end = 0;
  const most = Math.min(one.length, other.length) - start;
  while (end < most && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
  return start + end;
}

function commonStart(one: string, other: string): number {
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start++;
  return start;
}

function describe(entry: TapeEntry, request: TapeRequest['request']): string {
  const { case: name, trial, occurrence } = entry;
  const whose = name === undefined ? whoseOf(entry) : `"${name}", trial ${trial}`;
  const lines = [
    `nearest: ${entry.request.method} ${entry.request.path} of ${whose}, request ${occurrence + 1}`,
  ];
  const differences = jsonDiff(
    { path: entry.request.path, ...bodyOf(entry.request) },
    { path: request.path, ...bodyOf(request) },
  );
  for (const { path, before, after } of differences.slice(0, maxShown)) {
    const [old, now] = excerpts(before, after);
    lines.push(`  - ${path}: ${old}`, `  + ${path}: ${now}`);
  }
  if (differences.length > maxShown) lines.push(`  … and ${differences.length - maxShown} more differences`);
  return lines.join('\n');
}

function bodyOf({ body, bodySha256 }: TapeRequest['request']): object {
  if (body === undefined) return bodySha256 === undefined ? {} : { bodySha256 };
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : { body };
}

function excerpts(before: unknown, after: unknown): readonly [string, string] {
  if (typeof before !== 'string' || typeof after !== 'string') return [shorten(before), shorten(after)];
  return textExcerpts(withoutSecrets(before), withoutSecrets(after)); // half a key is not known for one
}

function textExcerpts(before: string, after: string): readonly [string, string] {
  const from = Math.max(0, commonStart(before, after) - around);
  const cut = (text: string): string => {
    const piece = text.slice(from, from + 2 * around + 20);
    const more = from + piece.length < text.length;
    return `${from > 0 ? '…' : ''}${JSON.stringify(piece)}${more ? '…' : ''}`;
  };
  return [cut(before), cut(after)];
}

function shorten(value: unknown): string {
  if (value === undefined) return '(nothing)';
  const text = withoutSecrets(JSON.stringify(value));
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
