import type { CostRecord } from '@synapsekit/core';
import { usdCell } from './dollars.ts';
import type { Column } from './table.ts';

/** The columns of `recordRow`. */
export const recordColumns: readonly Column[] = [
  { title: 'costs as they are booked, each in its scopes', width: 68, flexible: true },
  { title: 'in', width: 5, align: 'right' },
  { title: 'out', width: 5, align: 'right' },
  { title: 'cost', width: 12, align: 'right' },
];

/** What was recorded: `pipeline:… > step:classify > llm:groq/…`, tokens in and out, cost. */
export function recordRow(
  { scopePath, usage, costUsdExact }: CostRecord,
  columns: number,
): readonly string[] {
  const { inputTokens, outputTokens } = usage;
  // The pipeline's own line follows in any case; where there is little room, that has to do.
  const scopes = columns < 98 ? scopePath.slice(1) : scopePath;
  return [`  ${scopes.join(' > ')}`, `${inputTokens}`, `${outputTokens}`, usdCell(costUsdExact)];
}
