import type { CostRecord } from '@synapsekit/core';
import { usdCell } from './dollars.ts';
import type { Pipeline } from './pipeline.ts';
import { queryFacts } from './query-facts.ts';
import { recordColumns, recordRow } from './record-row.ts';
import { printTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { printable } from './text.ts';

/** Answers one query; on a terminal the text appears as it comes. */
export async function askQuery(
  query: string,
  pipeline: Pipeline,
  {
    terminal,
    json,
    signal,
  }: { readonly terminal: Terminal; readonly json: boolean; readonly signal: AbortSignal },
): Promise<object> {
  const records: CostRecord[] = [];
  const stop = pipeline.tracker.onRecord((record) => records.push(record));
  const answer = await pipeline
    .ask(query, {
      name: 'query',
      signal,
      onText: json ? undefined : (text) => terminal.write(printable(text)),
    })
    .finally(stop);
  const facts = queryFacts(query, answer);
  const { complexity, servedBy, passedOver, costUsd } = facts;
  terminal.line();
  terminal.line();
  const total = ['  pipeline:query', '', '', { text: usdCell(costUsd), style: 'bold' } as const];
  printTable(terminal, recordColumns, [
    ...records.map((record) => recordRow(record, terminal.columns)),
    total,
  ]);
  terminal.line();
  const skipped = passedOver.map(({ id, reason }) => `, instead of ${id} (${reason})`).join('');
  terminal.line(`  ${terminal.paint('cyan', `${complexity}, answered by ${servedBy}`)}${skipped}`);
  return { ...facts, summary: pipeline.tracker.summary() };
}
