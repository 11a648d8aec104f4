import type { CostSummary } from '@synapsekit/cost';
import type { Bill } from '@synapsekit/testing';
import { usdCell } from './dollars.ts';
import { type Cell, type Column, printTable } from './table.ts';
import type { Style, Terminal } from './terminal.ts';

/** Where the money went, by level of the scopes and by model; beside it what the provider charges, where that is known. */
export function printCosts(terminal: Terminal, summary: CostSummary, bill?: Bill): void {
  printScopes(terminal, summary);
  printModels(terminal, summary, bill);
}

function printScopes(terminal: Terminal, { exact, totalUsd }: CostSummary): void {
  const share = (usd: string): string =>
    totalUsd === 0 ? '' : `${((Number(usd) / totalUsd) * 100).toFixed(1)} %`;
  const levels = ['pipeline:', 'step:', 'llm:'].flatMap((level) =>
    Object.entries(exact.byScope).filter(([name]) => name.startsWith(level)),
  );
  terminal.line();
  printTable(
    terminal,
    [
      { title: 'by scope (each level adds up to the total)', width: 50, flexible: true },
      { title: 'cost', width: 13, align: 'right' },
      { title: 'share', width: 15, align: 'right' },
    ],
    levels.map(([name, usd]) => [name, usdCell(usd), share(usd)]),
  );
}

function printModels(terminal: Terminal, { exact, calls }: CostSummary, bill: Bill | undefined): void {
  const columns: Column[] = [
    { title: 'by model', width: 50, flexible: true },
    { title: 'cost', width: 13, align: 'right' },
  ];
  if (bill !== undefined) columns.push({ title: "provider's bill", width: 15, align: 'right' });
  const rows: Cell[][] = Object.entries(exact.byModel).map(([name, usd]) => [
    name,
    usdCell(usd),
    bill === undefined ? '' : usdCell(bill.byModel[name]?.amountPico ?? 0n),
  ]);
  const total = [
    `total of ${calls} calls`,
    usdCell(exact.totalUsd),
    bill === undefined ? '' : usdCell(bill.totalPico),
  ];
  const style: Style = 'bold';
  terminal.line();
  printTable(terminal, columns, [...rows, total.map((text) => ({ text, style }))]);
  terminal.line();
}
