import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in a file. Lines and columns count from 1. */
export interface SourcePosition {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** The innermost frame of whoever called `from`, as V8 prints it; two where that one is in no file, as `map` is. */
export function captureStack(from: (...args: never[]) => unknown): string {
  const stack = framesOf(from, 1);
  return isInFile.test(stack) ? stack : framesOf(from, 2);
}

const isInFile = /:\d+:\d+\)?$/;

function framesOf(from: (...args: never[]) => unknown, count: number): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = count;
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, from);
  Error.stackTraceLimit = before;
  // Read now: the text is small, what it is made of holds on to functions.
  return holder.stack ?? '';
}

/** The place that the first frame of a stack with a file in it names. */
export function positionOf(stack: string | undefined): SourcePosition | undefined {
  for (const frame of (stack ?? '').split('\n')) {
    const [, place = '', line, column] =
      /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/]).*?):(\d+):(\d+)\)?$/.exec(frame) ?? [];
    if (place === '') continue;
    return { path: pathOf(place), line: Number(line), column: Number(column) };
  }
  return undefined;
}

/** A thousand cases of one file ask for the same path one after the other. */
let last: { readonly place: string; readonly path: string } | undefined;

function pathOf(place: string): string {
  if (!place.startsWith('file:')) return place;
  if (last?.place !== place) last = { place, path: fileURLToPath(place.replace(/[?#].*$/, '')) };
  return last.path;
}

/** A path for messages: from the working folder where it lies in it. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}
