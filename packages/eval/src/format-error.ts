import { pathToFileURL } from 'node:url';
import type { ErrorReport } from './error-report.ts';
import { createPaint, type Paint } from './paint.ts';

/** How `formatError` prints. */
export interface ErrorStyle {
  /** Paths in it are printed from this folder. @default as they are */
  readonly cwd?: string | undefined;
  /** @default no colours */
  readonly paint?: Paint | undefined;
  /** White space before each line. @default two spaces */
  readonly indent?: string | undefined;
  /** What stands before the message. @default the name of the error */
  readonly heading?: string | undefined;
}

/** The lines that are printed of an error: its message, its frames, and what caused it. */
export function formatError(error: ErrorReport, style: ErrorStyle = {}): readonly string[] {
  const { cwd, paint = createPaint(false), indent = '  ', heading = error.name } = style;
  const [first = '', ...rest] = printable(error.message).split('\n');
  const lines = [
    `${indent}${paint('red', `${heading}: ${first}`)}`,
    ...rest.map((line) => `${indent}${line}`),
    ...error.stack.map((frame) => `${indent}  ${paint('dim', shortenFrame(printable(frame), cwd))}`),
  ];
  const { cause } = error;
  if (cause === undefined) return lines;
  return [
    ...lines,
    ...formatError(cause, { cwd, paint, indent: `${indent}  `, heading: `caused by ${cause.name}` }),
  ];
}

/** Text of others with its control characters written out: it must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/(?![\n\t])\p{Cc}/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A stack frame with its path from `cwd`. */
export function shortenFrame(frame: string, cwd: string | undefined): string {
  if (cwd === undefined) return frame;
  return frame.replaceAll(`${pathToFileURL(cwd).href}/`, '').replaceAll(`${cwd}/`, '');
}
