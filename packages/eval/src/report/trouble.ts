import type { ErrorReport } from '../error-report.ts';

/** What went wrong in a run outside of its cases, as its host knows it: nobody may take the run for a good one. */
export interface RunTrouble {
  /** What it is, in a few words: `"could not be loaded"`, `"an error that nobody caught"`. */
  readonly title: string;
  /** What happened, in a sentence. */
  readonly message: string;
  /** The eval file, where it is about one. */
  readonly file?: string | undefined;
  readonly error?: ErrorReport | undefined;
  /** More of it: lines that are printed as they are. */
  readonly detail?: string | undefined;
}

/** The lines of an error, as reports that are no pages have them. */
export function errorLines(error: ErrorReport | undefined): string[] {
  if (error === undefined) return [];
  return [
    `${error.name}: ${error.message}`,
    ...error.stack.map((frame) => `  ${frame}`),
    ...errorLines(error.cause),
  ];
}

/** All that there is to say below its message. */
export function troubleLines({ message, error, detail }: RunTrouble): string[] {
  const [first, ...frames] = errorLines(error);
  // Most messages are the words of their error.
  const words = first === undefined || first === message ? [] : [first];
  return [...words, ...frames, ...(detail === undefined ? [] : [detail])];
}
