import { formatUsd } from '@synapsekit/core';
import type { Paint } from './paint.ts';
import type { CostReport, RunResult } from './result.ts';

/** The last line: `3 passed, 0 failed | total cost: $0.0312`. */
export function formatSummary(result: RunResult, paint: Paint): string {
  const { passed, failed, byStatus } = result;
  const kinds = [
    byStatus.error > 0 && `${byStatus.error} ${byStatus.error === 1 ? 'error' : 'errors'}`,
    byStatus.unchecked > 0 && `${byStatus.unchecked} unchecked`,
  ].filter((kind) => kind !== false);
  const failures = `${failed} failed${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}`;
  const notRun = byStatus['not-run'];
  const counts = [
    passed > 0 && failed === 0 ? paint('green', `${passed} passed`) : `${passed} passed`,
    failed > 0 ? paint('red', failures) : failures,
    ...(notRun > 0 ? [paint('yellow', `${notRun} not run`)] : []),
  ];
  return `${counts.join(', ')} | total cost: ${totalCost(result)}\n`;
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

function part(name: string, cost: CostReport | undefined): string[] {
  return cost === undefined || cost.calls === 0 ? [] : [`${name}: ${formatUsd(cost.usd)}`];
}
