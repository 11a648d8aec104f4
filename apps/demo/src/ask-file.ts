import { setTimeout as sleep } from 'node:timers/promises';
import { formatUsd, isSynapseError } from '@synapsekit/core';
import { inOrder } from './in-order.ts';
import type { Pipeline } from './pipeline.ts';
import { Progress } from './progress.ts';
import { type QueryFacts, queryFacts } from './query-facts.ts';
import type { QueryLine } from './query-file.ts';
import { type Column, Table } from './table.ts';
import type { Terminal } from './terminal.ts';
import { firstLine, wrapText } from './text.ts';

/** What a line of the file came to. */
type LineResult = { readonly line: number } & (
  | QueryFacts
  | { readonly query?: string; readonly error: string }
);

const concurrency = 4;
const columns: readonly Column[] = [
  { title: 'line', width: 5, align: 'right' },
  { title: 'complexity', width: 10 },
  { title: 'answered by', width: 30 },
  { title: 'cost', width: 11, align: 'right' },
  { title: 'answer', width: 34 },
];

/** How the lines of a file are answered. */
export interface AskFileOptions {
  readonly terminal: Terminal;
  /** Where progress is shown. */
  readonly status: Terminal;
  /** Prints a line of JSON; absent where people read. */
  readonly print?: ((value: object) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Answers every line, four at a time, and reports in the order of the file. Returns how many could not be answered. */
export async function askFile(
  lines: readonly QueryLine[],
  pipeline: Pipeline,
  { terminal, status, print, signal }: AskFileOptions,
): Promise<number> {
  const progress = new Progress(status);
  const table = new Table(terminal, columns);
  let done = 0;
  let failed = 0;
  const show = (): void => {
    const spent = formatUsd(pipeline.tracker.totalUsdExact);
    progress.show(`  ${done} of ${lines.length} queries, ${spent} spent`);
  };
  show();
  await inOrder(
    lines,
    concurrency,
    async (line) => {
      const result = await answerLine(line, pipeline, signal);
      done++;
      show();
      return result;
    },
    (result) => {
      if ('error' in result) failed++;
      progress.clear();
      print?.(result);
      if ('error' in result) printError(terminal, result);
      else table.row(rowOf(result));
      show();
    },
  );
  progress.clear();
  const summary = pipeline.tracker.summary();
  print?.({ summary: { lines: lines.length, answered: lines.length - failed, failed, ...summary } });
  terminal.line();
  const counts = `${lines.length - failed} answered, ${failed} failed`;
  terminal.line(`  ${terminal.paint('bold', counts)}, ${formatUsd(summary.exact.totalUsd)} in all`);
  return failed;
}

async function answerLine(
  { line, query, problem }: QueryLine,
  { ask, tracker }: Pipeline,
  signal: AbortSignal,
): Promise<LineResult> {
  if (query === undefined) return { line, error: problem };
  const name = `line-${line}`;
  for (;;) {
    try {
      const facts = queryFacts(query, await ask(query, { name, signal }));
      return { line, ...facts, costUsd: tracker.scopeCost(`pipeline:${name}`) };
    } catch (error) {
      // What is not about this query is about the program.
      if (signal.aborted || !isSynapseError(error)) throw error;
      // The other queries hold what is left of the budget, and will give most of it back.
      const crowded = isSynapseError(error, 'budget-exceeded') && error.fits === 'in-flight';
      if (!crowded) return { line, query, error: error.message };
      await sleep(error.retryAfterMs, undefined, { signal });
    }
  }
}

function printError(
  terminal: Terminal,
  { line, error }: { readonly line: number; readonly error: string },
): void {
  const [first = '', ...rest] = wrapText(`error: ${error}`, terminal.columns - 9);
  terminal.line(`  ${`${line}`.padStart(5)}  ${terminal.paint('red', first)}`);
  for (const text of rest) terminal.line(`         ${terminal.paint('red', text)}`);
}

function rowOf({
  line,
  complexity,
  servedBy,
  costUsd,
  answer,
}: QueryFacts & { readonly line: number }): string[] {
  return [`${line}`, complexity, servedBy, formatUsd(costUsd), firstLine(answer)];
}
