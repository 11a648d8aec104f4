import { ConfigError, type CostRecord, usdNumber } from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import type { HoldAccount } from './hold-account.ts';
import { type Spend, tokensOf } from './spend.ts';
import { parseSpend, type SpendAmount } from './spend-amount.ts';

/**
 * Money set aside before it is spent. Settle it with what it cost, or release it; the first of the two counts. In a
 * `using` or `await using` declaration it is released at the end of the block, if it was not settled.
 *
 * A hold that is neither settled nor worked under ends by itself after the guard's `leaseMs`.
 */
export class Hold implements Disposable, AsyncDisposable {
  /** Its id in the ledger. */
  readonly id: string;
  /** The longest answer that it covers, in tokens, when it was reserved for a call of a model. */
  readonly maxOutputTokens: number | undefined;
  readonly #engine: BudgetEngine;
  readonly #account: HoldAccount;
  #settled: Promise<void> | undefined;

  /** @internal Made by `guard.reserve()`. */
  constructor(engine: BudgetEngine, account: HoldAccount, maxOutputTokens: number | undefined) {
    this.id = account.id;
    this.maxOutputTokens = maxOutputTokens;
    this.#engine = engine;
    this.#account = account;
    account.keeper.retain();
  }

  /** What is still held, US dollars, for display. 0 once it is settled or released, and no call under it is out. */
  get heldUsd(): number {
    return usdNumber(this.#account.left.pico);
  }

  /** The same for tokens, where they were reserved. */
  get heldTokens(): number {
    return Number(this.#account.left.tokens);
  }

  /**
   * Runs `fn` under the hold: what its tracker records, and what its guarded calls cost, draws the hold down. It is kept
   * alive until `fn` is done. Settle or release it afterwards; what calls that are still out may cost stays held until
   * they end.
   */
  async run<T>(fn: (hold: Hold) => T | Promise<T>): Promise<T> {
    const { keeper } = this.#account;
    keeper.begin();
    try {
      return await this.#engine.context.run(this.#account, () => fn(this));
    } finally {
      keeper.end();
    }
  }

  /**
   * Books what it cost and frees the rest. A number or decimal string of US dollars (or `{ usd, tokens }`) is spend that
   * is no model call, and is booked beside whatever was recorded under the hold; a `CostRecord` is booked once, also when the tracker has
   * told the guard of it already. Only the first `settle` or `release` does anything.
   *
   * Never waits longer than the guard's `ledgerTimeoutMs`: a booking that a ledger has not taken by then is kept and
   * tried again, see `guard.flush()`.
   *
   * @throws ConfigError for an amount that is none. Nothing is settled then.
   */
  settle(cost: SpendAmount | CostRecord): Promise<void> {
    if (this.#settled !== undefined) return this.#settled;
    if (typeof cost === 'object' && cost !== null && 'attemptId' in cost) this.#settleRecord(cost);
    else this.#book(`${this.id}:settled`, parseSpend(cost, 'cost'), true);
    return this.#done();
  }

  /** Frees what is held. What was recorded under it stays booked. */
  release(): Promise<void> {
    if (this.#settled !== undefined) return this.#settled;
    this.#account.keeper.release();
    return this.#done();
  }

  [Symbol.dispose](): void {
    void this.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #settleRecord(record: CostRecord): void {
    requireRecord(record);
    const tokens = tokensOf(record.usage);
    if (!record.unpriced) {
      const spend = parseSpend(record.costUsdExact, 'cost');
      this.#book(record.attemptId, { ...spend, tokens }, !record.estimated);
      return;
    }
    // Nobody knows what it cost: what was held for it is the only bound that there is.
    if (this.#account.limits.countsMoney) this.#engine.bookings.noteUnpriced(record.modelId);
    this.#book(record.attemptId, { pico: this.#account.left.pico, tokens }, false);
  }

  #book(attemptId: string, spend: Spend, actual: boolean): void {
    const { keeper } = this.#account;
    const last = !keeper.shared;
    this.#engine.bookings.book(this.#account, attemptId, spend, actual, { close: last });
    if (!last) keeper.release();
  }

  #done(): Promise<void> {
    this.#account.settled = true;
    const { posts } = this.#engine.ledger;
    this.#settled = posts.pending === 0 ? Promise.resolve() : this.#engine.ledger.settled();
    return this.#settled;
  }
}

/** @throws ConfigError for what is no record of a tracker. */
function requireRecord({ attemptId, usage, unpriced, costUsdExact }: CostRecord): void {
  const isRecord =
    typeof attemptId === 'string' &&
    attemptId !== '' &&
    typeof usage === 'object' &&
    usage !== null &&
    (unpriced || typeof costUsdExact === 'string');
  if (isRecord) return;
  throw new ConfigError(
    'settle takes what it cost (dollars, or { usd, tokens }), or a record as tracker.record() gives it.',
    { option: 'cost' },
  );
}
