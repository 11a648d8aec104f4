import { formatUsd } from '@synapsekit/core';
import { type ErrorReport, formatError, type TrafficReport } from '@synapsekit/eval';
import type { LoadedCases } from './load-cases.ts';

/** What is wrong with eval files, for people; empty when nothing is. */
export function formatProblems(
  { loadErrors, problems }: Pick<LoadedCases, 'loadErrors' | 'problems'>,
  cwd: string,
): string {
  const blocks = loadErrors.map(({ file, error, excerpt }) => {
    const lines =
      excerpt === undefined
        ? []
        : excerpt
            .replaceAll(`${cwd}/`, '')
            .split('\n')
            .map((line) => `    ${line}`);
    return [`${file} could not be loaded:`, ...formatError(error, { cwd }), ...lines].join('\n');
  });
  return [...blocks, ...problems].map((block) => `${block}\n\n`).join('');
}

/** Errors that belong to no case, for people; empty when there are none. */
export function formatStrayErrors(errors: readonly ErrorReport[], cwd: string): string {
  return errors
    .map(
      (error) =>
        `An error that nobody caught, in no running case:\n${formatError(error, { cwd }).join('\n')}\n\n`,
    )
    .join('');
}

/** Why a run is no success although its cases may be, for the end of the report; empty when it is one. */
export function formatVerdict({
  loadErrors,
  strayErrors,
  billed,
  budgetUsd,
  interrupted,
}: {
  readonly loadErrors: readonly unknown[];
  readonly strayErrors: readonly unknown[];
  readonly billed?: Pick<TrafficReport, 'stop' | 'billedUsd'> | undefined;
  /** What the run might spend, in dollars. */
  readonly budgetUsd?: string | undefined;
  readonly interrupted?: string | undefined;
}): string {
  const stop = billed?.stop;
  const lines = [
    billed !== undefined &&
      budgetUsd !== undefined &&
      `${formatUsd(billed.billedUsd)} of the budget of ${formatUsd(budgetUsd)} spent.`,
    interrupted ?? false,
    loadErrors.length > 0 && `${count(loadErrors.length, 'file')} could not be loaded, see above.`,
    strayErrors.length > 0 &&
      `${count(strayErrors.length, 'error')} that nobody caught, see above: not a pass.`,
    stop !== undefined &&
      `Outside of cases, while a file was loaded or in work that was begun there: ${stop.message}${stop.detail === undefined ? '' : `\n${stop.detail}`}`,
  ];
  return lines
    .filter((line) => line !== false)
    .map((line) => `${line}\n`)
    .join('');
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
