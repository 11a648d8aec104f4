import { formatUsd } from '@synapsekit/core';
import type { CostWarning } from '@synapsekit/cost';
import type { Claims } from './claims.ts';
import type { Terminal } from './terminal.ts';

/** What came of it all, and where to go from here. */
export function closing(
  terminal: Terminal,
  totals: {
    readonly requests: number;
    readonly billedUsd: string;
    readonly seconds: number;
    readonly warnings: readonly CostWarning[];
  },
): void {
  const { requests, billedUsd, seconds, warnings } = totals;
  terminal.heading('Next');
  const next = [
    ['apps/demo/src/pipeline.ts', 'the pipeline above, in one file to copy'],
    ['pnpm demo --query "…"', 'a query of your own; --file queries.jsonl for many'],
    ['pnpm demo --live', 'real providers with your keys, for at most $0.05'],
    ['pnpm synapsekit test FILE', 'evals of your own; their costs are measured'],
    ['pnpm synapsekit simulate', 'this provider, for any client in any language'],
    ['packages/*/README.md', 'each package by itself'],
  ] as const;
  for (const [what, why] of next) terminal.line(`  ${terminal.paint('cyan', what.padEnd(28))}${why}`);
  if (warnings.length > 0) {
    terminal.line();
    for (const { message } of warnings) terminal.prose(message, 'dim');
    terminal.prose(
      'The simulated provider still serves what has been withdrawn; --live asks for what came after it.',
      'dim',
    );
  }
  terminal.line();
  terminal.line(
    `  ${requests} requests, ${formatUsd(billedUsd)} on the provider's bill (chapter 5 has one of its own), ${seconds.toFixed(1)} s`,
  );
}

/** The last line: whether everything was true. */
export function settle(terminal: Terminal, { all, failed }: Claims): boolean {
  const ok = failed.length === 0;
  const names = failed.map(({ claim }) => claim).join('; ');
  if (ok) terminal.prose(`All ${all.length} claims were checked and hold.`, 'green');
  else terminal.prose(`${failed.length} of ${all.length} claims did not hold: ${names}.`, 'red');
  return ok;
}

/** The same as JSON: what happened, and what was claimed of it. */
export function toDocument({ all, failed }: Claims, facts: object): string {
  return `${JSON.stringify({ version: 1, ok: failed.length === 0, ...facts, claims: all }, null, 2)}\n`;
}
