import { parseArgs } from 'node:util';
import { UsageError } from './usage-error.ts';

/** What the demo was asked for. */
export interface DemoArguments {
  readonly help: boolean;
  readonly json: boolean;
  /** Real providers, with the user's keys. */
  readonly live: boolean;
  /** What may be spent in all, where that is limited by flag. */
  readonly budgetUsd: number;
  readonly query: string | undefined;
  readonly file: string | undefined;
  /** Where the budget is counted, other than in memory. */
  readonly store: string | undefined;
}

/** What `--help` prints. */
export const help = `Usage: pnpm demo [options]

Without options the demo needs no key and no network: it starts a simulated provider on this machine,
connects the official openai and groq-sdk clients to it, and shows routing, costs, an outage, budgets
and evals. It checks what it claims: exit code 0 means that all of it was true.

Options:
  --query TEXT      route and answer one query
  --file PATH       answer the queries of a JSON Lines file, one per line: "text" or { "query": "text" }
  --live            use the real providers with OPENAI_API_KEY and GROQ_API_KEY (one of them will do)
  --budget-usd N    the most that may be spent, with --live, --query or --file (default 0.05)
  --store STORE     where the budget is counted: memory (default), sqlite:FILE or redis://HOST:PORT; demos that
                    run at once with the same store share one daily limit
  --json            print JSON and nothing else: one document, or with --file one line per query
  -h, --help        show this

Exit codes: 0 all is well, 1 something failed or was not true, 2 it could not begin (flags, keys, file).
`;

const defaultBudgetUsd = 0.05;

/** @throws UsageError for flags that do not exist, or do not go together. */
export function parseArguments(args: readonly string[]): DemoArguments {
  const values = readFlags(args[0] === '--' ? args.slice(1) : args); // some package managers hand the "--" on
  const { query, file, live = false, json = false, store } = values;
  const budget = values['budget-usd'];
  if (query !== undefined && file !== undefined) {
    throw new UsageError('--query and --file do not go together: give one of them.');
  }
  if (query?.trim() === '') throw new UsageError('--query needs a text: --query "What is 2 + 2?"');
  if (file === '') throw new UsageError('--file needs the path of a JSON Lines file: --file queries.jsonl');
  if (budget !== undefined && !live && query === undefined && file === undefined) {
    throw new UsageError(
      '--budget-usd goes with --live, --query or --file: the simulated story has limits of its own.',
    );
  }
  const budgetUsd = budget === undefined ? defaultBudgetUsd : Number(budget);
  if (budget?.trim() === '' || !Number.isFinite(budgetUsd) || budgetUsd <= 0) {
    throw new UsageError(`--budget-usd must be an amount of US dollars above 0, got "${budget}".`);
  }
  if (store === '') throw new UsageError('--store needs one: memory, sqlite:FILE or redis://HOST:PORT');
  return { help: values.help ?? false, json, live, budgetUsd, query, file, store };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        live: { type: 'boolean' },
        'budget-usd': { type: 'string' },
        query: { type: 'string' },
        file: { type: 'string' },
        store: { type: 'string' },
      },
    }).values;
  } catch (error) {
    // Node goes on to explain how to write such arguments; its first sentence is enough.
    const message = error instanceof Error ? error.message.split(/\.\s|\n|\.$/)[0] : String(error);
    throw new UsageError(`${message}.`);
  }
}
