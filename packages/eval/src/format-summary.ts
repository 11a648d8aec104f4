import { formatUsd, parseUsd } from '@synapsekit/core';
import type { Paint } from './paint.ts';
import type { CostReport, RunResult } from './result.ts';

/** The last line: `3 passed, 0 failed | total cost: $0.0312`. */
export function formatSummary(result: RunResult, paint: Paint): string {
  const { passed, failed, byStatus, flaky, suites } = result;
  const strict = failed > byStatus.failed + byStatus.error;
  const kinds = [
    byStatus.error > 0 && `${byStatus.error} ${byStatus.error === 1 ? 'error' : 'errors'}`,
    strict && `${byStatus.unchecked} unchecked`,
  ].filter((kind) => kind !== false);
  const failures = `${failed} failed${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}`;
  const notRun = byStatus['not-run'];
  const lost = suites.filter(({ status }) => status === 'failed' || status === 'error').length;
  const counts = [
    passed > 0 && failed === 0 ? paint('green', `${passed} passed`) : `${passed} passed`,
    failed > 0 ? paint('red', failures) : failures,
    ...(lost > 0 ? [paint('red', `${lost} ${lost === 1 ? 'suite' : 'suites'} failed as a whole`)] : []),
    ...(!strict && byStatus.unchecked > 0 ? [paint('yellow', `${byStatus.unchecked} unchecked`)] : []),
    ...(flaky > 0 ? [paint('yellow', `${flaky} flaky`)] : []),
    ...(notRun > 0 ? [paint('yellow', `${notRun} not run`)] : []),
    ...(byStatus.skipped > 0 ? [paint('dim', `${byStatus.skipped} skipped`)] : []),
    ...(byStatus.todo > 0 ? [paint('dim', `${byStatus.todo} to do`)] : []),
  ];
  return `${counts.join(', ')} | total cost: ${totalCost(result)}${billed(result)}\n`;
}

function totalCost({ cost, judgeCost, loadCost }: RunResult): string {
  const parts = [
    ...part('judges', judgeCost),
    ...part('loading the files', loadCost),
    ...(cost.missingCalls > 0 ? [cost.missing.join('; ')] : []),
  ];
  const amount = `${cost.missingCalls > 0 ? 'at least ' : ''}${formatUsd(cost.usd)}`;
  return parts.length > 0 ? `${amount} (${parts.join(', ')})` : amount;
}

/** What was really spent, where that is another sum. */
function billed({ billed: report, cost }: RunResult): string {
  if (report === undefined || report.requests === 0) return '';
  const { billedUsd, requests, replayed, recorded, unknownCost = 0 } = report;
  const same =
    replayed === 0 && recorded === 0 && unknownCost === 0 && parseUsd(billedUsd) === parseUsd(cost.usd);
  if (same) return '';
  const notes = [
    replayed > 0 && `${replayed} of ${requests} ${requests === 1 ? 'call' : 'calls'} from tape`,
    recorded > 0 && `${recorded} recorded`,
    unknownCost > 0 && `${unknownCost} of unknown cost`,
  ].filter((note) => note !== false);
  return ` | billed: ${formatUsd(billedUsd)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

function part(name: string, cost: CostReport | undefined): string[] {
  return cost === undefined || cost.calls === 0 ? [] : [`${name}: ${formatUsd(cost.usd)}`];
}
