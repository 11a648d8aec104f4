import type { LedgerStore } from '@synapsekit/core';
import {
  createReprice,
  ProviderLimiter,
  ProviderTraffic,
  type Reprice,
  secretsOf,
  type TapeMode,
  type TrafficContext,
  type TrafficController,
  type TrafficReport,
} from '@synapsekit/eval';
import type { CommandArgs } from './command.ts';
import type { CliIo } from './io.ts';
import { listFlag, textFlag } from './parse-flags.ts';
import {
  type BudgetFlags,
  loadLedger,
  loadPrices,
  loadRedact,
  readBudget,
  readMode,
  readPriceAs,
  readTapeAge,
} from './traffic-options.ts';

/** What stands at the HTTP boundary of a run, and how records are priced anew. */
export interface Traffic {
  readonly mode: TapeMode;
  readonly controller: TrafficController;
  /** What this process may spend, exact dollars. */
  readonly budgetUsd?: string | undefined;
  readonly reprice?: Reprice | undefined;
}

/** The SDKs refuse to begin without a key, also where nothing is sent. */
function lendKeys(env: NodeJS.ProcessEnv): void {
  for (const name of ['OPENAI_API_KEY', 'GROQ_API_KEY']) env[name] ??= 'replayed-without-a-key';
}

/**
 * Reads the flags, and takes the place of `globalThis.fetch` until the controller is closed.
 *
 * @throws UsageError for values that make no sense, and for files that cannot be loaded.
 */
export async function createTraffic(
  args: CommandArgs,
  io: CliIo,
  { limiter = new ProviderLimiter() }: { readonly limiter?: ProviderLimiter | undefined } = {},
): Promise<Traffic> {
  const { env, cwd } = io;
  const mode = readMode(args, env);
  const budget = readBudget(args, env);
  const priceAs = readPriceAs(args, mode);
  const pricesPath = textFlag(args, 'prices');
  const maxAgeDays = readTapeAge(args, mode);
  const redact = await loadRedact(textFlag(args, 'tape-redact'), cwd);
  // Loading prices takes longer than many a run: without a reason, not before a model is asked.
  const repriced = pricesPath !== undefined || priceAs !== undefined;
  const prices = repriced ? await loadPrices(pricesPath, cwd) : undefined;
  const opened = budget && (await openStore(budget, cwd));
  if (mode === 'replay' && io.host !== undefined) lendKeys(process.env);
  const traffic = new ProviderTraffic({
    mode,
    cwd,
    tapes: {
      dir: textFlag(args, 'tape-dir'),
      paced: args.flags.realtime === true,
      maxAgeDays,
      redact,
      secrets: secretsOf(env),
    },
    budget: budget && opened && { limitUsd: budget.limitUsd, ledger: opened.ledger, key: budget.key },
    prices: prices ?? (() => loadPrices(undefined, cwd)),
    priceAs,
    providers: providersOf(env),
    allowHosts: listFlag(args, 'allow-host'),
    limiter,
  });
  return {
    mode,
    controller: new InstalledTraffic(traffic, opened?.close),
    ...(budget !== undefined && { budgetUsd: budget.limitUsd }),
    ...(prices !== undefined && { reprice: createReprice(prices, priceAs) }),
  };
}

/** Where the budget is kept, and how that is left. */
interface BudgetStore {
  readonly ledger: LedgerStore;
  readonly close: () => void | Promise<void>;
}

async function openStore({ ledger: path, store }: BudgetFlags, cwd: string): Promise<BudgetStore> {
  if (path !== undefined) {
    const ledger = await loadLedger(path, cwd);
    return { ledger, close: () => ledger.dispose() };
  }
  const { openLedger } = await import('./open-ledger.ts');
  return openLedger(store ?? 'memory', { cwd });
}

/** `groq-sdk` asks the host of this variable under Groq's own paths, whoever it is. */
function providersOf({ GROQ_BASE_URL: base }: CliIo['env']): Readonly<Record<string, string>> {
  return base === undefined || !/^https?:\/\//.test(base)
    ? {}
    : { [`${base.replace(/\/+$/, '')}/openai`]: 'groq' };
}

/** The boundary in the place of `globalThis.fetch`, until it is closed. */
class InstalledTraffic implements TrafficController {
  readonly #traffic: ProviderTraffic;
  readonly #closeStore: BudgetStore['close'] | undefined;
  readonly #restore: () => void;
  #closing: Promise<void> | undefined;

  constructor(traffic: ProviderTraffic, closeStore: BudgetStore['close'] | undefined) {
    this.#traffic = traffic;
    this.#closeStore = closeStore;
    this.#restore = traffic.install();
  }

  prepare(files: readonly string[]): Promise<void> {
    return this.#traffic.prepare(files);
  }

  admit(context: TrafficContext): Promise<string | undefined> | undefined {
    return this.#traffic.admit(context);
  }

  run<T>(context: TrafficContext, fn: () => T): T {
    return this.#traffic.run(context, fn);
  }

  report(context: TrafficContext): TrafficReport | undefined {
    return this.#traffic.report(context);
  }

  total(): TrafficReport {
    return this.#traffic.total();
  }

  /** Closing again does nothing more, and fails as the first time. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#traffic.close();
    } finally {
      this.#restore();
      await this.#closeStore?.();
    }
  }
}
