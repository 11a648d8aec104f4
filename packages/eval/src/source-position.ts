import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in a file. Lines and columns count from 1. */
export interface SourcePosition {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** The two innermost frames of whoever called `from`, as V8 prints them. */
export function captureStack(from: (...args: never[]) => unknown): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 2;
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
    const path = place.startsWith('file:') ? fileURLToPath(place.replace(/[?#].*$/, '')) : place;
    return { path, line: Number(line), column: Number(column) };
  }
  return undefined;
}

/** A path for messages: from the working folder where it lies in it. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}
