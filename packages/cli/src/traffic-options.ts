import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSynapseError, type LedgerStore, parseUsd, usdDecimal } from '@synapsekit/core';
import type { PriceBook } from '@synapsekit/cost';
import type { TapeMode } from '@synapsekit/eval';
import { type CommandArgs, UsageError } from './command.ts';
import type { CliIo } from './io.ts';
import { fs } from './node-builtins.ts';
import { listFlag, numberFlag, textFlag } from './parse-flags.ts';
import { inCi } from './test-options.ts';

const modes: readonly TapeMode[] = ['live', 'record', 'rerecord', 'replay'];

/** @throws UsageError for two of them. */
export function readMode({ flags }: CommandArgs, env: CliIo['env']): TapeMode {
  const given = modes.filter((mode) => flags[mode] === true);
  if (given.length > 1) {
    throw new UsageError(`${given.map((mode) => `--${mode}`).join(' and ')} exclude each other.`);
  }
  return given[0] ?? (inCi(env) ? 'replay' : 'live');
}

/** A budget as it was typed. */
export interface BudgetFlags {
  /** Exact dollars that this process may spend. */
  readonly limitUsd: string;
  /** The file of a store that is shared. */
  readonly ledger: string | undefined;
  /** The name of one: `sqlite:FILE`, `redis://HOST:PORT`. */
  readonly store: string | undefined;
  readonly key: string | undefined;
}

/**
 * The budget; without a shared store, a shard gets its part of it.
 *
 * @throws UsageError for what is no amount, and for a shared store without a name.
 */
export function readBudget(args: CommandArgs, env: CliIo['env']): BudgetFlags | undefined {
  const text = textFlag(args, 'budget');
  const ledger = textFlag(args, 'ledger');
  const store = textFlag(args, 'store');
  const given = store === undefined ? '--ledger' : '--store';
  if (ledger !== undefined && store !== undefined) {
    throw new UsageError('--store and --ledger exclude each other: a budget is kept in one place.');
  }
  if (text === undefined) {
    if (ledger !== undefined || store !== undefined) throw new UsageError(`${given} needs a --budget.`);
    return undefined;
  }
  let pico: bigint;
  try {
    pico = parseUsd(text.replace(/^\$/, ''));
  } catch {
    throw new UsageError(`--budget must be an amount of US dollars such as 0.50, got "${text}".`);
  }
  if (ledger === undefined && store === undefined) {
    const parts = Number(/^\d+\/(\d+)$/.exec(textFlag(args, 'shard') ?? '')?.[1] ?? 1);
    return { limitUsd: usdDecimal(pico / BigInt(Math.max(1, parts))), ledger, store, key: undefined };
  }
  const run = env.GITHUB_RUN_ID ?? env.CI_PIPELINE_ID ?? env.BUILDKITE_BUILD_ID ?? env.CIRCLE_WORKFLOW_ID;
  const again = env.GITHUB_RUN_ATTEMPT === undefined ? '' : `-${env.GITHUB_RUN_ATTEMPT}`;
  const key = textFlag(args, 'budget-key') ?? (run === undefined ? undefined : `${run}${again}`);
  if (key === undefined) {
    throw new UsageError(
      `${given} needs a --budget-key: a name of this run that all of its shards give, and no other run.`,
    );
  }
  return { limitUsd: usdDecimal(pico), ledger, store, key: `eval-run:${key}` };
}

/**
 * The default export of a module.
 *
 * @throws UsageError when it cannot be loaded.
 */
async function importDefault(path: string, flag: string, cwd: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolve(cwd, path)).href)) as { readonly default?: unknown };
    return await module.default;
  } catch (error) {
    throw new UsageError(`--${flag} ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws UsageError for a module that exports no store. */
export async function loadLedger(path: string, cwd: string): Promise<LedgerStore> {
  const exported = await importDefault(path, 'ledger', cwd);
  const store: unknown = typeof exported === 'function' ? await exported() : exported;
  if (typeof (store as Partial<LedgerStore> | null | undefined)?.reserve === 'function')
    return store as LedgerStore;
  throw new UsageError(
    `--ledger ${path}: its default export must be a LedgerStore, or a function that gives one.`,
  );
}

/** @throws UsageError for a module that exports no function. */
export async function loadRedact(
  path: string | undefined,
  cwd: string,
): Promise<((text: string) => string) | undefined> {
  if (path === undefined) return undefined;
  const redact = await importDefault(path, 'tape-redact', cwd);
  if (typeof redact === 'function') return redact as (text: string) => string;
  throw new UsageError(`--tape-redact ${path}: its default export must be a function from text to text.`);
}

/**
 * Prices of a file: a list of `PriceOverride`, or the options of a `PriceBook`.
 *
 * @throws UsageError for a file that cannot be read or has impossible prices.
 */
export async function loadPrices(path: string | undefined, cwd: string): Promise<PriceBook> {
  const { PriceBook } = await import('@synapsekit/cost');
  if (path === undefined) return new PriceBook();
  try {
    const json = JSON.parse(fs.readFileSync(resolve(cwd, path), 'utf8')) as unknown;
    return new PriceBook(Array.isArray(json) ? { overrides: json } : (json as object));
  } catch (error) {
    const why = error instanceof SyntaxError || isSynapseError(error) ? error.message : reasonOf(error);
    throw new UsageError(`--prices ${path}: ${why}`);
  }
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file.' : String(error);
}

/**
 * Which models are priced as which.
 *
 * @throws UsageError for what is no pair, and outside of replay: what is spent is not changed by it.
 */
export function readPriceAs(args: CommandArgs, mode: TapeMode): Readonly<Record<string, string>> | undefined {
  const pairs = listFlag(args, 'as').map((pair) => {
    const [from, to, ...rest] = pair.split('=').map((model) => model.trim());
    if (from && to && rest.length === 0) return [from, to] as const;
    throw new UsageError(`--as must be such as gpt-4o=gpt-6-luna, got "${pair}".`);
  });
  if (pairs.length === 0) return undefined;
  if (mode === 'replay') return Object.fromEntries(pairs);
  throw new UsageError('--as prices what was recorded as another model: use it with --replay.');
}

/**
 * From which age on tapes fail, in days.
 *
 * @throws UsageError for what is no age, and outside of replay: what is recorded is new.
 */
export function readTapeAge(args: CommandArgs, mode: TapeMode): number | undefined {
  const days = numberFlag(args, 'max-tape-age', { min: 0, integer: false });
  if (days === undefined) return undefined;
  if (days === 0) throw new UsageError('--max-tape-age must be a number of days > 0, got "0".');
  if (mode === 'replay') return days;
  throw new UsageError('--max-tape-age is about tapes that are replayed: use it with --replay.');
}
