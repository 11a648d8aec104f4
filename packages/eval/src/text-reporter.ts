import { formatCase } from './format-case.ts';
import { formatSummary } from './format-summary.ts';
import { createPaint } from './paint.ts';
import type { CaseResult } from './result.ts';
import type { RunObserver } from './run-cases.ts';

/** How `createTextReporter` prints. */
export interface TextReporterOptions {
  /** Takes the text, line ends included. */
  readonly write: (text: string) => void;
  /** Colours for a terminal. @default false */
  readonly color?: boolean | undefined;
  /** Paths of stack frames are printed from this folder. @default as they are */
  readonly cwd?: string | undefined;
}

/** An observer that prints. */
export type TextReporter = Required<Omit<RunObserver, 'onCaseStart'>>;

/**
 * Prints a run for people: each case with a line for each metric, in the order of their definition however they end.
 *
 * ```text
 * Running 1 eval case(s)...
 *
 * test_simple_query_cheap ✓
 *   MaxCostUSD ... PASS ($0.0000023 < $0.001)
 *
 * 1 passed, 0 failed | total cost: $0.0000023
 * ```
 */
export function createTextReporter({ write, color = false, cwd }: TextReporterOptions): TextReporter {
  const paint = createPaint(color);
  const waiting = new Map<number, CaseResult>();
  let printed = 0;
  let headings: ReadonlySet<string> = new Set();
  let heading = '';

  const print = (result: CaseResult): void => {
    const ours = headingOf(result);
    if (headings.size > 1 && ours !== heading && ours !== '') write(`${paint('bold', ours)}\n\n`);
    heading = ours;
    write(`${formatCase(result, paint, cwd)}\n`);
  };

  return {
    onRunStart(plan) {
      headings = new Set(plan.map(headingOf));
      write(`Running ${plan.length} eval case(s)...\n\n`);
    },
    onCaseEnd(result, index) {
      waiting.set(index, result);
      for (let next = waiting.get(printed); next !== undefined; next = waiting.get(printed)) {
        waiting.delete(printed);
        printed++;
        print(next);
      }
    },
    onRunEnd(result) {
      write(formatSummary(result, paint));
    },
  };
}

/** Where a case stands: its file, and its suite if that has a name. */
function headingOf({ file, suite }: Pick<CaseResult, 'file' | 'suite'>): string {
  return [file, suite].filter((part) => part !== undefined).join(' › ');
}
