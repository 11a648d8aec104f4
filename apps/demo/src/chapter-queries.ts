import { parseUsd, usdDecimal } from '@synapsekit/core';
import type { CostSummary } from '@synapsekit/cost';
import type { Complexity } from '@synapsekit/router';
import type { Bill } from '@synapsekit/testing';
import { printCosts } from './cost-tables.ts';
import { usdCell } from './dollars.ts';
import type { Pipeline } from './pipeline.ts';
import { type QueryFacts, queryFacts } from './query-facts.ts';
import { recordColumns, recordRow } from './record-row.ts';
import type { Stage } from './stage.ts';
import { Table } from './table.ts';
import type { Terminal } from './terminal.ts';
import { clip, displayWidth, firstLine } from './text.ts';

/** The tutorial's queries, and what they are meant to be. */
export const tutorialQueries: readonly { readonly query: string; readonly meant: Complexity }[] = [
  { query: 'What is 2 + 2?', meant: 'simple' },
  { query: 'Explain the difference between REST and GraphQL.', meant: 'medium' },
  { query: 'Write a Python function to find all prime numbers up to N.', meant: 'complex' },
  { query: 'What is the capital of France?', meant: 'simple' },
  { query: 'Summarise the CAP theorem with examples.', meant: 'medium' },
];

/** What the chapter came to. */
export interface QueriesFacts {
  readonly queries: readonly QueryFacts[];
  readonly summary: CostSummary;
}

/** Asks the tutorial's queries one by one, and shows each cost as it is booked; then where the money went. */
export async function queriesChapter(stage: Stage, pipeline: Pipeline, bill?: Bill): Promise<QueriesFacts> {
  const { terminal, claims, signal } = stage;
  const { tracker } = pipeline;
  terminal.heading('1  Five queries, each to the cheapest model that will do');
  const table = new Table(terminal, recordColumns);
  const stop = tracker.onRecord((record) => table.row(recordRow(record, terminal.columns)));
  const queries: QueryFacts[] = [];
  try {
    for (const [index, { query }] of tutorialQueries.entries()) {
      const name = `batch-${index}`;
      terminal.line(`  ${terminal.paint('bold', clip(query, terminal.columns - 2))}`);
      const facts = queryFacts(query, await pipeline.ask(query, { name, signal }));
      table.row([`  pipeline:${name}`, '', '', { text: usdCell(facts.costUsd), style: 'bold' }]);
      printAnswer(terminal, facts);
      queries.push(facts);
    }
  } finally {
    stop();
  }
  const summary = tracker.summary();
  printCosts(terminal, summary, bill);
  claims.check(
    'the scopes of each level add up to the total',
    levelsAddUp(summary),
    `$${summary.exact.totalUsd}`,
  );
  return { queries, summary };
}

function printAnswer(terminal: Terminal, { complexity, servedBy, passedOver, answer }: QueryFacts): void {
  const skipped = passedOver.map(({ id, reason }) => ` (${id}: ${reason})`).join('');
  const label = `${complexity}, answered by ${servedBy}${skipped}: `;
  const room = Math.max(20, terminal.columns - 4 - displayWidth(label));
  terminal.line(`    ${terminal.paint('cyan', label)}${clip(firstLine(answer), room)}`);
}

/** The scopes of one level (`pipeline:…`, `step:…`, `llm:…`) are parts of the whole. */
function levelsAddUp({ exact }: CostSummary): boolean {
  return ['pipeline:', 'step:', 'llm:'].every((level) => {
    const parts = Object.entries(exact.byScope).filter(([name]) => name.startsWith(level));
    return usdDecimal(parts.reduce((sum, [, usd]) => sum + parseUsd(usd), 0n)) === exact.totalUsd;
  });
}
