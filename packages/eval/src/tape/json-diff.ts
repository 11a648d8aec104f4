/** A place where two JSON values differ; `undefined`: there is nothing at it. */
export interface JsonDifference {
  /** `messages[1].content` */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Where two JSON values differ, in the order of the first. */
export function jsonDiff(before: unknown, after: unknown): readonly JsonDifference[] {
  const differences: JsonDifference[] = [];
  walk(before, after, '', differences);
  return differences;
}

function walk(before: unknown, after: unknown, path: string, differences: JsonDifference[]): void {
  if (Object.is(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      walk(before[index], after[index], `${path}[${index}]`, differences);
    }
    return;
  }
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      walk(before[key], after[key], path === '' ? key : `${path}.${key}`, differences);
    }
    return;
  }
  differences.push({ path: path === '' ? 'body' : path, before, after });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
