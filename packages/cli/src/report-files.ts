import { dirname, resolve } from 'node:path';
import { formatComparison } from './baseline.ts';
import { UsageError } from './command.ts';
import { formatProblems, formatStrayErrors, formatVerdict } from './format-problems.ts';
import { fs } from './node-builtins.ts';
import type { ReporterName, ReporterSpec } from './reporter-spec.ts';
import type { TestReport } from './test-report.ts';
import { troublesOf } from './troubles.ts';
import { writeWholeFile } from './whole-file.ts';

/**
 * Makes the folders of the reports, and sees whether they can be written: better now than after everything was paid.
 *
 * @throws UsageError for a place that cannot be written.
 */
export function checkReportFiles(reporters: readonly ReporterSpec[], cwd: string): void {
  for (const { name, file } of reporters) {
    if (file === undefined) continue;
    const path = resolve(cwd, file);
    try {
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.accessSync(dirname(path), fs.constants.W_OK);
      if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
        throw Object.assign(new Error(), { code: 'EISDIR' });
    } catch (error) {
      throw new UsageError(`--reporter ${name}=${file}: it cannot be written (${codeOf(error)}).`);
    }
  }
}

/**
 * Takes reports of earlier runs away, once something will run: they must not be taken for those of this run, whatever
 * becomes of it.
 *
 * @throws UsageError for one that cannot be removed.
 */
export function removeReports(reporters: readonly ReporterSpec[], cwd: string): void {
  for (const { name, file } of reporters) {
    if (file === undefined) continue;
    try {
      fs.rmSync(resolve(cwd, file), { force: true });
    } catch (error) {
      throw new UsageError(`--reporter ${name}=${file}: it cannot be written (${codeOf(error)}).`);
    }
  }
}

/** Writes the reports that go to files. Returns what went wrong, in sentences. */
export async function writeReportFiles(
  reporters: readonly ReporterSpec[],
  report: TestReport,
  cwd: string,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { name, file } of reporters) {
    if (file === undefined) continue;
    const path = resolve(cwd, file);
    try {
      writeWholeFile(path, await format(name, report, cwd));
    } catch (error) {
      problems.push(`The report ${file} could not be written (${codeOf(error)}).`);
    }
  }
  return problems;
}

/** A run as text. `minimal` and `default` print while it goes on, and have no text of their own here. */
export async function format(name: ReporterName, report: TestReport, cwd: string): Promise<string> {
  if (name === 'json') return `${JSON.stringify(report, undefined, 2)}\n`;
  const { formatHtml, formatJUnit } = await import('@synapsekit/eval/reports');
  const troubles = troublesOf(report, cwd);
  if (name === 'junit') return formatJUnit(report, { troubles });
  if (name === 'html') {
    const named = report.files.slice(0, 3).join(' ');
    const more = report.files.length > 3 ? ` and ${report.files.length - 3} more` : '';
    return formatHtml(report, { cwd, title: `synapsekit test ${named}${more}`, troubles });
  }
  const { createTextReporter } = await import('@synapsekit/eval');
  let text = '';
  const reporter = createTextReporter({
    write(more) {
      text += more;
    },
    cwd,
    minimal: name === 'minimal',
  });
  report.cases.forEach((each, index) => {
    reporter.onCaseEnd(each, index);
  });
  text += formatProblems(report, cwd) + formatStrayErrors(report.strayErrors, cwd);
  reporter.onRunEnd(report);
  if (report.comparison !== undefined) text += formatComparison(report.comparison);
  return text + formatVerdict(report);
}

function codeOf(error: unknown): string {
  return error instanceof Error ? String(Reflect.get(error, 'code') ?? error.message) : String(error);
}
