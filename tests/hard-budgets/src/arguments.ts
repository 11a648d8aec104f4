import { parseArgs } from 'node:util';
import { type StoreName, storeNames } from './store.ts';

/** What the proof was asked for. */
export interface ProofArguments {
  readonly help: boolean;
  readonly json: boolean;
  /** Small enough for every change: the claims are the same. */
  readonly quick: boolean;
  /** Update the table of docs/hard-budgets.md. */
  readonly write: boolean;
  /** Empty: all that are at hand. */
  readonly stores: readonly StoreName[];
  readonly seed: number;
}

export const help = `Usage: pnpm budget:prove [options]

Puts budgets under load and compares what is committed with what the provider bills.

Options:
  --store NAME   memory, sqlite or redis; may be given several times (default: all that are at hand)
  --quick        fewer calls and kills: for CI
  --seed N       what the load is made from (default 7)
  --write        update the table in docs/hard-budgets.md
  --json         print JSON and nothing else
  -h, --help     show this

Exit codes: 0 every claim is true, 1 one is not, 2 wrong flags.
`;

/** A flag that does not exist, or makes no sense. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** @throws UsageError for flags that do not exist or make no sense. */
export function parseArguments(args: readonly string[]): ProofArguments {
  const values = readFlags(args[0] === '--' ? args.slice(1) : args);
  const stores = (values.store ?? []).map((name) => {
    const store = storeNames.find((one) => one === name);
    if (store === undefined) throw new UsageError(`--store must be ${storeNames.join(', ')}, got "${name}".`);
    return store;
  });
  const seed = Number(values.seed ?? 7);
  if (!Number.isSafeInteger(seed))
    throw new UsageError(`--seed must be a whole number, got "${values.seed}".`);
  const { help: wantsHelp = false, json = false, quick = false, write = false } = values;
  if (write && (quick || stores.length > 0)) {
    throw new UsageError('--write takes all stores at full size: leave out --quick and --store.');
  }
  return { help: wantsHelp, json, quick, write, stores, seed };
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        quick: { type: 'boolean' },
        write: { type: 'boolean' },
        store: { type: 'string', multiple: true },
        seed: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
