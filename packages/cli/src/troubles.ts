import type { ErrorReport } from '@synapsekit/eval';
import type { RunTrouble } from '@synapsekit/eval/reports';
import { exitCodes } from './io.ts';
import type { TestReport } from './test-report.ts';

/** Why a run is no success although its cases may be, for reports that hold cases: one entry for each thing. */
export function troublesOf(report: TestReport, cwd: string): readonly RunTrouble[] {
  const { loadErrors, problems, strayErrors, comparison, interrupted } = report;
  return [
    ...(interrupted === undefined ? [] : [{ title: 'interrupted', message: interrupted }]),
    ...loadErrors.map(({ file, error, excerpt }) => ({
      title: 'could not be loaded',
      message: firstLine(error),
      file,
      error,
      ...(excerpt !== undefined && { detail: excerpt.replaceAll(`${cwd}/`, '') }),
    })),
    ...problems.map((message) => ({ title: 'a problem', message })),
    ...strayErrors.map((error) => ({
      title: 'an error that nobody caught',
      message: firstLine(error),
      error,
    })),
    ...outsideOfCases(report),
    ...(comparison?.regressions ?? []).map((message) => ({
      title: `worse than the baseline "${comparison?.baseline}"`,
      message,
    })),
    ...incomplete(report),
  ];
}

/** A request that belongs to no case was stopped. */
function outsideOfCases({ billed }: TestReport): readonly RunTrouble[] {
  const stop = billed?.stop;
  if (stop === undefined) return [];
  const { message, detail } = stop;
  return [{ title: 'a request outside of the cases', message, ...(detail !== undefined && { detail }) }];
}

/** Cases that did not run are skipped in reports, and a run with nothing but those looks like a good one. */
function incomplete({ exitCode, byStatus, cases }: TestReport): readonly RunTrouble[] {
  const notRun = byStatus['not-run'];
  if (exitCode !== exitCodes.incomplete || notRun === 0) return [];
  const why = cases.find(({ status }) => status === 'not-run')?.reason;
  const message = `${notRun} of ${cases.length} cases did not run${why === undefined ? '' : `: ${why}`}`;
  return [{ title: 'the run is not complete', message }];
}

function firstLine({ name, message }: ErrorReport): string {
  return `${name}: ${message.split('\n', 1)[0]}`;
}
