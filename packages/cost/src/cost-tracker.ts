import {
  type Attempt,
  type Attributes,
  type Clock,
  ConfigError,
  type CostRecord,
  type IdSource,
  type PriceLookup,
  rejectUnknownKeys,
  requireNumber,
  type SpendSource,
  systemClock,
  systemIds,
  type Usage,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import { Bookkeeper } from './bookkeeper.ts';
import type { BooksLimits } from './books.ts';
import { PriceBook } from './price-book.ts';
import type {
  AttemptOptions,
  RecordOptions,
  Scope,
  ScopeHandle,
  ScopeOptions,
  SpendRecorder,
} from './scope.ts';
import { type CostSnapshot, fromSnapshot, toSnapshot } from './snapshot.ts';
import { type CostSummary, summarize } from './summary.ts';
import { enterScope, openScope, type ScopeArguments } from './tracked-scope.ts';
import { type ModelRef, type UnknownPricePolicy, Valuer } from './valuer.ts';
import { type CostWarning, Warnings } from './warnings.ts';

/** What a `CostTracker` may be built with. */
export interface CostTrackerOptions {
  /** Where prices come from. @default a `PriceBook` of its own */
  readonly prices?: PriceLookup | undefined;
  /**
   * What becomes of a model without a known price:
   * - `"warn"`: its calls are booked as `unpriced`, and a warning names it once.
   * - `"throw"`: `trackCost` refuses the call before it is sent, with an `UnknownPriceError`. `record` books it as
   *   `unpriced` and throws then. An answer that came through `trackCost` is never thrown away.
   * - `"zero"`: its calls are booked as `unpriced`, and nothing is said: the model is known to be free.
   * @default "warn"
   */
  readonly onUnknownPrice?: UnknownPricePolicy | undefined;
  /** Told of each different warning once. @default `process.emitWarning` */
  readonly onWarning?: ((warning: CostWarning) => void) | undefined;
  /** How many records `recent` keeps. @default 1000 */
  readonly maxRecent?: number | undefined;
  /**
   * How many distinct scope names are kept apart. Beyond that, those used longest ago fold into groups
   * (`pipeline:1234` into `pipeline:*`, a name without a colon into `*`), never while open. @default 10000
   */
  readonly maxScopeNames?: number | undefined;
  /** How many paths the tree holds. What would be one more is booked at the nearest path above. @default 50000 */
  readonly maxScopePaths?: number | undefined;
  /**
   * How many of the last attempts are remembered at least, so that none is booked twice; as many estimated ones
   * besides. @default 5000
   */
  readonly maxRememberedAttempts?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Mints the ids of records whose usage has no `attemptId`. */
  readonly ids?: IdSource | undefined;
}

const optionNames = [
  'prices',
  'onUnknownPrice',
  'onWarning',
  'maxRecent',
  'maxScopeNames',
  'maxScopePaths',
  'maxRememberedAttempts',
  'clock',
  'ids',
] as const satisfies readonly (keyof CostTrackerOptions)[];

const noAttributes: Attributes = Object.freeze({});

const policies: readonly unknown[] = ['throw', 'warn', 'zero'];

/**
 * Records what calls cost, in nested scopes, exactly.
 *
 * ```ts
 * const tracker = new CostTracker();
 * await tracker.scope('pipeline', async (pipeline) => {
 *   tracker.record('gpt-4o', { inputTokens: 1_000, outputTokens: 200 });
 *   pipeline.costUsd; // 0.0045
 * });
 * tracker.summary(); // { totalUsd: 0.0045, byScope: { pipeline: 0.0045 }, byModel: { 'gpt-4o': 0.0045 }, … }
 * ```
 *
 * Money is added up in whole pico-dollars; every `…Usd` number is the nearest double of an exact total. Memory does not
 * grow with calls, nor with names.
 */
export class CostTracker implements SpendSource, SpendRecorder {
  /** Where this tracker's prices come from. */
  readonly prices: PriceLookup;
  readonly #bookkeeper: Bookkeeper;
  readonly #limits: BooksLimits;
  readonly #valuer: Valuer;
  readonly #clock: Clock;

  /** @throws ConfigError for an unknown option or a value out of range. */
  constructor(options: CostTrackerOptions = {}) {
    rejectUnknownKeys(options, optionNames, 'CostTrackerOptions');
    const {
      prices = new PriceBook(),
      onUnknownPrice = 'warn',
      onWarning,
      maxRecent = 1_000,
      maxScopeNames = 10_000,
      maxScopePaths = 50_000,
      maxRememberedAttempts = 5_000,
      clock = systemClock,
      ids = systemIds,
    } = options;
    if (typeof prices?.find !== 'function') {
      throw new ConfigError('prices must be a price lookup with a find method.', { option: 'prices' });
    }
    if (!policies.includes(onUnknownPrice)) {
      throw new ConfigError('onUnknownPrice must be "throw", "warn" or "zero".', {
        option: 'onUnknownPrice',
      });
    }
    if (onWarning !== undefined && typeof onWarning !== 'function') {
      throw new ConfigError('onWarning must be a function.', { option: 'onWarning' });
    }
    requireNumber(maxRecent, 'maxRecent', { integer: true, min: 0 });
    requireNumber(maxScopeNames, 'maxScopeNames', { integer: true, min: 1 });
    requireNumber(maxScopePaths, 'maxScopePaths', { integer: true, min: 1 });
    requireNumber(maxRememberedAttempts, 'maxRememberedAttempts', { integer: true, min: 1 });
    this.prices = prices;
    this.#clock = clock;
    this.#limits = { maxScopeNames, maxScopePaths };
    const warnings = new Warnings(onWarning);
    this.#valuer = new Valuer(prices, onUnknownPrice, warnings);
    this.#bookkeeper = new Bookkeeper({
      ...this.#limits,
      clock,
      ids,
      valuer: this.#valuer,
      warnings,
      onUnknownPrice,
      maxRecent,
      maxRememberedAttempts,
    });
  }

  /** Dollars in all, for display. */
  get totalUsd(): number {
    return usdNumber(this.#bookkeeper.books.total.pico);
  }

  /** Dollars in all, exact, as a decimal string. */
  get totalUsdExact(): string {
    return usdDecimal(this.#bookkeeper.books.total.pico);
  }

  /** The last records, oldest first: a copy. */
  get recent(): readonly CostRecord[] {
    return this.#bookkeeper.recent.toArray();
  }

  record(model: ModelRef, usage: Usage, options?: RecordOptions): CostRecord {
    return this.#bookkeeper.record(this.#current(), model, usage, options);
  }

  recordAttempt(attempt: Attempt, options?: AttemptOptions): CostRecord | undefined {
    return this.#bookkeeper.recordAttempt(this.#current(), attempt, options);
  }

  scope<T>(name: string, fn: (scope: Scope) => T): T;
  scope<T>(name: string, options: ScopeOptions, fn: (scope: Scope) => T): T;
  scope<T>(name: string, ...rest: ScopeArguments<T>): T {
    return enterScope(this.#bookkeeper, this.#current(), name, rest);
  }

  openScope(name: string, options?: ScopeOptions): ScopeHandle {
    return openScope(this.#bookkeeper, this.#current(), name, options);
  }

  /**
   * Dollars recorded so far in all scopes of this name, for display; 0 for a name in which nothing was recorded, and
   * for one that has been folded (see `maxScopeNames`). Takes constant time.
   */
  scopeCost(name: string): number {
    return usdNumber(this.#scopePico(name));
  }

  /** The same, exact, as a decimal string. */
  scopeCostExact(name: string): string {
    return usdDecimal(this.#scopePico(name));
  }

  /** Where the money went, as plain data. */
  summary(): CostSummary {
    return summarize(this.#bookkeeper.books);
  }

  /**
   * Calls `listener` for every record, at once, in the recording call's async context; once more when an estimate is
   * made good (same `attemptId`). A listener that throws is warned of; it stops nobody. Returns the way to stop.
   */
  onRecord(listener: (record: CostRecord) => void): () => void {
    if (typeof listener !== 'function') {
      throw new ConfigError('onRecord needs a function to call.', { option: 'listener' });
    }
    return this.#bookkeeper.onRecord(listener);
  }

  /** Attributes of the scope that the running code is in, those of the scopes around it included. Frozen. */
  scopeAttributes(): Attributes {
    return this.#current()?.attributes ?? noAttributes;
  }

  /**
   * Looks at a model before it is called, as `trackCost` does: warns, once, if it has no price or has been withdrawn.
   *
   * @throws UnknownPriceError for a model without a price where `onUnknownPrice` is `"throw"`.
   */
  checkModel(model: ModelRef): void {
    const atMs = this.#clock.now();
    this.#valuer.check(this.#valuer.identify(model, atMs), atMs);
  }

  /** All totals as plain data: survives JSON exactly. Not in it: recent records, and which attempts are known. */
  snapshot(): CostSnapshot {
    return toSnapshot(this.#bookkeeper.books);
  }

  /**
   * Replaces all totals by those of a snapshot. Scopes that are open stay open and go on from there.
   *
   * @throws ConfigError for anything that is no snapshot. Nothing is changed then.
   */
  restore(snapshot: CostSnapshot): void {
    this.#bookkeeper.replaceBooks(fromSnapshot(snapshot, this.#limits));
  }

  /**
   * Starts all totals from zero. Scopes that are open stay open, keep their own sums, and are recorded in as before.
   * Attempts booked before belong to the old totals: they are not booked again, and an estimate among them that is made
   * good later is told to listeners but changes no total.
   */
  reset(): void {
    this.#bookkeeper.replaceBooks();
  }

  #current() {
    return this.#bookkeeper.storage.getStore();
  }

  #scopePico(name: string) {
    return this.#bookkeeper.books.names.get(name)?.totals.pico ?? 0n;
  }
}
