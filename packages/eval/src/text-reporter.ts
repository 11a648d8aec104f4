import { formatCase, formatSuite, isBad } from './format-case.ts';
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
  /** The command that runs a case again, printed below one that did not pass. @default none */
  readonly rerun?: ((result: CaseResult) => string | undefined) | undefined;
  /** Prints only what did not pass, and the last line. @default false */
  readonly minimal?: boolean | undefined;
}

/** An observer that prints. */
export type TextReporter = Required<Omit<RunObserver, 'onCaseStart' | 'onCaseStep'>>;

/** From so many cases on, those that did not pass are named once more at the end. */
const recapFrom = 20;

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
export function createTextReporter(options: TextReporterOptions): TextReporter {
  const { write, color = false, cwd, rerun, minimal = false } = options;
  const paint = createPaint(color);
  const waiting = new Map<number, CaseResult>();
  let printed = 0;
  let headings: ReadonlySet<string> = new Set();
  let heading = '';

  const print = (result: CaseResult): string => {
    if (minimal && !isBad(result) && result.flaky !== true) return '';
    const ours = headingOf(result);
    const above = headings.size > 1 && ours !== heading && ours !== '' ? `${paint('bold', ours)}\n\n` : '';
    heading = ours;
    return `${above}${formatCase(result, { paint, cwd, rerun })}\n`;
  };

  return {
    onRunStart(plan) {
      headings = new Set(plan.map(headingOf));
      if (!minimal) write(`Running ${plan.length} eval case(s)...\n\n`);
    },
    onCaseEnd(result, index) {
      waiting.set(index, result);
      let text = '';
      for (let next = waiting.get(printed); next !== undefined; next = waiting.get(printed)) {
        waiting.delete(printed);
        printed++;
        text += print(next);
      }
      if (text !== '') write(text);
    },
    onRunEnd(result) {
      for (const suite of result.suites) {
        if (!minimal || suite.status !== 'passed') write(`${formatSuite(suite, paint, cwd)}\n`);
      }
      const bad = result.cases.filter(isBad);
      if (!minimal && bad.length > 0 && result.total >= recapFrom) {
        const lines = bad.map((each) => `  ${paint('red', '✗')} ${each.name}${placeOf(each)}\n`);
        write(
          `Not passed:\n${lines.slice(0, 50).join('')}${bad.length > 50 ? `  … and ${bad.length - 50} more\n` : ''}\n`,
        );
      }
      write(formatSummary(result, paint));
    },
  };
}

function placeOf({ file, line }: CaseResult): string {
  return file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`;
}

/** Where a case stands: its file, and its suite if that has a name. */
function headingOf({ file, suite }: Pick<CaseResult, 'file' | 'suite'>): string {
  return [file, suite].filter((part) => part !== undefined).join(' › ');
}
