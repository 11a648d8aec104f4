import { ConfigError } from '@synapsekit/core';

/** What is wrong with outcomes. */
export type OutcomesProblem =
  /** A file that cannot be read or unpacked. */
  | 'unreadable'
  /** A line that is no outcome row. */
  | 'malformed'
  /** There is no row at all. */
  | 'empty'
  /** Fewer rows than the work needs. */
  | 'too-few'
  /** Fewer than two models. */
  | 'one-model'
  /** A model lacks an outcome or a cost in some rows. */
  | 'incomplete'
  /** The strong model is not better: there is nothing to route for. */
  | 'no-gap'
  /** The better model is no dearer either: nobody would ever ask the other one. */
  | 'dominated';

/** Outcomes that cannot be worked with. No prompt and no answer stands in it. */
export class OutcomesError extends ConfigError {
  override readonly name: string = 'OutcomesError';
  readonly problem: OutcomesProblem;
  /** The file at fault, as it was named. */
  readonly file: string | undefined;
  /** The line at fault, counted from 1. */
  readonly line: number | undefined;

  constructor(
    problem: OutcomesProblem,
    message: string,
    {
      file,
      line,
      ...rest
    }: ErrorOptions & { readonly file?: string | undefined; readonly line?: number | undefined } = {},
  ) {
    const where = [file, line].filter((part) => part !== undefined).join(':');
    super(where === '' ? message : `${where}: ${message}`, { option: 'outcomes', ...rest });
    this.problem = problem;
    this.file = file;
    this.line = line;
  }
}
