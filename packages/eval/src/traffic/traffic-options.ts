import {
  type Clock,
  ConfigError,
  type IdSource,
  type PriceLookup,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemIds,
} from '@synapsekit/core';
import { RunBudget, type RunBudgetOptions } from '../run-budget/run-budget.ts';
import { secretHeaders } from '../tape/kept-headers.ts';
import type { Redact } from '../tape/request-identity.ts';
import type { PriceAs } from './call-prices.ts';

/**
 * What becomes of requests to providers.
 * - `"live"`: they go out.
 * - `"record"`: those on tape are answered from it, the others go out and are put on tape.
 * - `"rerecord"`: they go out, and what is on tape of the trials that run is replaced.
 * - `"replay"`: they are answered from tape. Nothing goes out: what is not on tape fails.
 */
export type TapeMode = 'live' | 'record' | 'rerecord' | 'replay';

const modes: readonly TapeMode[] = ['live', 'record', 'rerecord', 'replay'];

/** Where tapes are and what is put on them. */
export interface TapeOptions {
  /**
   * Folder of all tapes. @default `__tapes__` beside each eval file
   */
  readonly dir?: string | undefined;
  /** Answers come as fast as they did when they were recorded. @default false: at once */
  readonly paced?: boolean | undefined;
  /** In `"replay"`, older tapes fail. @default no limit */
  readonly maxAgeDays?: number | undefined;
  /**
   * Changes texts (bodies of requests and answers, URLs, headers) before they are put on tape, and those of requests
   * before they are looked up: takes out what must not be kept, and what is different every time. Must be pure.
   */
  readonly redact?: Redact | undefined;
  /** Secrets by name: an entry with one of their values in it is not written. Values below 12 characters are words. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Headers of answers to keep beside the usual ones. @default none */
  readonly keepHeaders?: readonly string[] | undefined;
}

/** Keeps a provider from being asked too often. */
export interface SendLimiter {
  run<T>(host: string, signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T>;
  /** The host said 429. */
  throttled(host: string, retryAfterMs?: number): void;
  served(host: string): void;
}

/** What a `ProviderTraffic` is built with. */
export interface ProviderTrafficOptions {
  /** @default "live" */
  readonly mode?: TapeMode | undefined;
  /** What paths of eval files start from. @default the working folder of the process */
  readonly cwd?: string | undefined;
  readonly tapes?: TapeOptions | undefined;
  /** What the run may spend. It cannot be passed: what does not fit is not sent. @default no limit */
  readonly budget?: RunBudget | RunBudgetOptions | undefined;
  /** Prices, or how to load them: asked for at the first call of a model. @default none: no cost is known */
  readonly prices?: PriceLookup | (() => PriceLookup | Promise<PriceLookup>) | undefined;
  /** Models that count as if they were others: `{ 'gpt-4o': 'gpt-6-luna' }`. What is billed stays. */
  readonly priceAs?: PriceAs | undefined;
  /** Providers by base URL, for gateways and machines of your own: `{ 'http://localhost:11434/v1': 'ollama' }`. */
  readonly providers?: Readonly<Record<string, string>> | undefined;
  /**
   * Hosts (`"localhost:3000"`, `"api.example.com"`) whose requests go out in every mode, are not put on tape and
   * cost nothing.
   */
  readonly allowHosts?: readonly string[] | undefined;
  readonly limiter?: SendLimiter | undefined;
  /** What really sends. @default `globalThis.fetch` as it was when this was made */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** @default systemIds */
  readonly ids?: IdSource | undefined;
}

/** Options, checked and with their defaults. */
export interface TrafficSettings {
  readonly mode: TapeMode;
  readonly cwd: string;
  readonly tapes: TapeOptions;
  readonly keepHeaders: ReadonlySet<string>;
  readonly budget: RunBudget | undefined;
  readonly allowHosts: ReadonlySet<string>;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** @throws ConfigError for an unknown option or a value that makes no sense. */
export function checkTrafficOptions(options: ProviderTrafficOptions): TrafficSettings {
  rejectUnknownKeys(
    options,
    [
      'mode',
      'cwd',
      'tapes',
      'budget',
      'prices',
      'priceAs',
      'providers',
      'allowHosts',
      'limiter',
      'fetch',
      'clock',
      'ids',
    ],
    'ProviderTrafficOptions',
  );
  const { mode = 'live', tapes = {}, budget, prices } = options;
  rejectUnknownKeys(tapes, ['dir', 'paced', 'maxAgeDays', 'redact', 'secrets', 'keepHeaders'], 'TapeOptions');
  if (!modes.includes(mode)) {
    throw new ConfigError(`mode must be one of ${modes.join(', ')}, got ${String(mode)}.`, {
      option: 'mode',
    });
  }
  if (tapes.maxAgeDays !== undefined) requireNumber(tapes.maxAgeDays, 'maxAgeDays', { above: 0 });
  if (tapes.redact !== undefined && typeof tapes.redact !== 'function') {
    throw new ConfigError('redact must be a function from text to text.', { option: 'redact' });
  }
  const keepHeaders = new Set((tapes.keepHeaders ?? []).map((name) => name.toLowerCase()));
  for (const name of keepHeaders) {
    if (!secretHeaders.has(name)) continue;
    throw new ConfigError(`keepHeaders must not name ${name}: it holds credentials or tells the account.`, {
      option: 'keepHeaders',
    });
  }
  if (budget !== undefined && prices === undefined) {
    throw new ConfigError('A budget needs prices: without them nothing can be let through.', {
      option: 'prices',
    });
  }
  const clock = options.clock ?? systemClock;
  const ids = options.ids ?? systemIds;
  return {
    mode,
    cwd: options.cwd ?? process.cwd(),
    tapes,
    keepHeaders,
    budget:
      budget === undefined || budget instanceof RunBudget ? budget : new RunBudget({ clock, ids, ...budget }),
    allowHosts: new Set(options.allowHosts ?? []),
    clock,
    ids,
  };
}
