import { type ErrorReport, pastBoundary, reportError } from '@synapsekit/eval';

/** An eval file that could not be loaded. */
export interface LoadError {
  readonly file: string;
  readonly error: ErrorReport;
  /** Where a syntax error stands: path and line, the line itself, and what of it is meant, as far as Node tells. */
  readonly excerpt?: string | undefined;
}

/** Reports why a file could not be loaded. */
export async function reportLoadError(file: string, path: string, error: unknown): Promise<LoadError> {
  const { stack, ...report } = reportError(error);
  const own = stack.filter((frame) => !frame.includes(import.meta.dirname));
  const stackText = error instanceof Error ? (error.stack ?? '') : '';
  // A syntax error without a frame was found before any code ran.
  const unplaced = error instanceof SyntaxError && own.length === 0;
  const excerpt =
    excerptOf(stackText) ?? (unplaced ? (excerptOf(await syntaxCheck(path)) ?? elsewhere) : undefined);
  return { file, error: { ...report, stack: own }, ...(excerpt !== undefined && { excerpt }) };
}

/** How far an excerpt is looked for, and how long its lines may be. */
const maxSearched = 20_000;
const maxLine = 400;

const elsewhere = 'in a module that it imports; "node --check FILE" tells which';

/** Node writes the place above the stack, for TypeScript and for what it checks. */
function excerptOf(text: string): string | undefined {
  const excerpt = /^(\S+:\d+\n[\s\S]*?\^+)\s*\n/
    .exec(text.slice(0, maxSearched))?.[1]
    ?.replace(/^file:\/\//, '');
  // A line that no screen shows is one of a bundle.
  return excerpt?.split('\n').every((line) => line.length <= maxLine) === true ? excerpt : undefined;
}

/** What Node itself says of the syntax of a file. Nothing of it is run. */
async function syntaxCheck(path: string): Promise<string> {
  const { execFile } = await import('node:child_process');
  const { promise, resolve } = Promise.withResolvers<string>();
  pastBoundary(() =>
    execFile(process.execPath, ['--check', path], { timeout: 5_000 }, (_, __, stderr) => resolve(stderr)),
  );
  return promise;
}
