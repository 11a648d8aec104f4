import {
  ConfigError,
  isSynapseError,
  LedgerError,
  largestLedgerAmount,
  type ReserveResult,
} from '@synapsekit/core';
import type { BudgetAnnouncer } from './budget-announcer.ts';
import { type Answer, isPromise } from './deadline.ts';
import type { GuardSettings } from './guard-options.ts';
import type { HoldAccount } from './hold-account.ts';
import type { LedgerClient } from './ledger-client.ts';
import type { LedgerUnits } from './ledger-units.ts';
import type { Selection } from './limit-lines.ts';
import type { OpenHolds } from './open-holds.ts';
import type { RefusalFacts } from './refusal.ts';
import type { Refusals } from './refusals.ts';
import { greater, inUnit, nothing, plus, type Spend, type Unit } from './spend.ts';

/** How much of something there is. */
export interface Left {
  readonly unit: Unit;
  readonly amount: bigint;
}

/** Why something did not fit, and how much would have. */
export interface Refused {
  readonly admitted: false;
  readonly facts: RefusalFacts;
  /** The most that would have fitted this limit. */
  readonly left: Left;
}

/** What became of a reservation, or of a claim on one. */
export type Admission = { readonly admitted: true; readonly account: HoldAccount } | Refused;

/** Whether there is room: places holds, raises them, and says which limit does not let one in. */
export class HoldAdmission {
  readonly #settings: GuardSettings;
  readonly #ledger: LedgerClient;
  readonly #units: LedgerUnits;
  readonly #holds: OpenHolds;
  readonly #refusals: Refusals;
  readonly #announcer: BudgetAnnouncer;

  constructor(
    settings: GuardSettings,
    ledger: LedgerClient,
    units: LedgerUnits,
    holds: OpenHolds,
    refusals: Refusals,
    announcer: BudgetAnnouncer,
  ) {
    this.#settings = settings;
    this.#ledger = ledger;
    this.#units = units;
    this.#holds = holds;
    this.#refusals = refusals;
    this.#announcer = announcer;
  }

  /** Places a hold, on all limits or on none. @param overrun it is known not to fit, and let through. */
  reserve(limits: Selection, spend: Spend, signal?: AbortSignal, overrun = false): Answer<Admission> {
    if (!overrun) {
      const tooLarge = this.#beyondRequest(limits, spend, nothing);
      if (tooLarge !== undefined) return tooLarge;
    }
    const account = this.#holds.prepare(limits, spend, overrun);
    const opened = (result: ReserveResult): Admission => {
      if (!result.admitted) return this.#refused(account, result.refused, spend, nothing);
      this.#holds.opened(account, spend);
      return { admitted: true, account };
    };
    try {
      const result = this.#reserveTotal(account, spend, signal);
      return isPromise(result)
        ? result.then(opened, (error: unknown) => opened(this.#reserveFailed(account, error)))
        : opened(result);
    } catch (error) {
      return opened(this.#reserveFailed(account, error));
    }
  }

  /**
   * Whether a hold still covers what runs under it. One whose lease ended while nobody renewed it may be gone, and its
   * money promised to others; where its expiry books, it is spent already and cannot be.
   */
  isLive(account: HoldAccount, signal?: AbortSignal): Answer<boolean> {
    const { onExpiry, clock, leaseMs } = this.#settings;
    if (account.ended) return false;
    if (onExpiry === 'book' || account.unheld || account.lines.length === 0) return true;
    if (clock.monotonic() < account.keeper.leaseEndsAtMs) return true;
    return this.#ledger.renewNow(account.id, leaseMs, signal);
  }

  /**
   * Nothing may go out under a hold that is gone.
   *
   * @throws LedgerError when it is, or when the ledger cannot say; `signal.reason` on abort.
   */
  requireLive(account: HoldAccount, signal?: AbortSignal): Answer<void> {
    if (account.expired) throw this.#expired();
    // One that was settled has an error of its own.
    const isLive = account.ended || this.isLive(account, signal);
    if (isLive === true) return;
    const isGone = (is: boolean): void => {
      if (is) return;
      account.expired = true;
      this.#holds.close(account);
      throw this.#expired();
    };
    if (!isPromise(isLive)) return isGone(isLive);
    return isLive.then(isGone, (error: unknown) => this.#raiseFailed(account, account.total, error));
  }

  #expired(): LedgerError {
    return new LedgerError(
      `Budget "${this.#settings.name}": the hold of a call ended before its next attempt, since nothing renewed it for ${this.#settings.leaseMs} ms. Nothing was sent. Try again.`,
      { transient: true },
    );
  }

  /** Sets aside part of a hold for a call that runs under it; raises the hold where too little of it is left. */
  claim(account: HoldAccount, spend: Spend, signal?: AbortSignal): Answer<Admission> {
    if (account.expired) throw this.#expired(); // while this one waited
    if (account.ended) {
      throw new ConfigError(
        `Budget "${this.#settings.name}": a call started under a hold that is settled already. Settle it when everything in it is done.`,
        { option: 'hold' },
      );
    }
    if (account.raising !== undefined) {
      return account.raising.catch(() => {}).then(() => this.claim(account, spend, signal));
    }
    const { available } = account;
    if (account.unheld || account.hasRoomFor(spend)) {
      account.claim(spend);
      return { admitted: true, account };
    }
    const taken = plus(account.drawn, account.claimed);
    const total = greater(account.total, plus(taken, spend));
    if (!account.overrun) {
      const tooLarge = this.#beyondRequest(account.limits, total, taken);
      if (tooLarge !== undefined) return tooLarge;
    }
    const raised = (result: ReserveResult): Admission => {
      if (!result.admitted) return this.#refused(account, result.refused, spend, available);
      this.#announcer.hold(account.id, total);
      account.total = total;
      account.claim(spend);
      return { admitted: true, account };
    };
    const result = this.#reserveTotal(account, total, signal);
    if (!isPromise(result)) return raised(result);
    const failed = (error: unknown): Admission => {
      this.#raiseFailed(account, total, error);
      // More than the hold holds, so that what it costs counts as covered by nothing.
      account.claim(spend);
      return { admitted: true, account };
    };
    const answer = result.then(raised, failed).finally(() => {
      account.raising = undefined;
    });
    account.raising = answer;
    return answer;
  }

  #reserveTotal(account: HoldAccount, spend: Spend, signal: AbortSignal | undefined): Answer<ReserveResult> {
    if (account.lines.length === 0) return { admitted: true };
    const { leaseMs, onExpiry } = this.#settings;
    const lines = account.lines.map(({ key, window, limit }) => ({
      key,
      window,
      amount: countable(this.#units.ofSpend(spend, limit.unit)),
      limit: account.overrun ? largestLedgerAmount : this.#units.ofLimit(limit),
    }));
    return this.#ledger.reserve({ holdId: account.id, lines, leaseMs, onExpiry }, signal);
  }

  #reserveFailed(account: HoldAccount, error: unknown): ReserveResult {
    const failure = isSynapseError(error, 'ledger') ? error : undefined;
    // Perhaps only the reply was lost: what nobody uses must not stay held.
    if (failure === undefined || failure.transient) this.#ledger.close(account.id);
    if (failure?.transient !== true || !this.#settings.failOpen) throw error;
    account.unheld = true;
    this.#announcer.failOpen(account.id, account.total, failure as LedgerError);
    return { admitted: true };
  }

  /** The ledger went away under a hold: what is held there stays, and the rest runs without a hold if it may. */
  #raiseFailed(account: HoldAccount, total: Spend, error: unknown): void {
    if (!this.#settings.failOpen || !isSynapseError(error, 'ledger') || !error.transient) throw error;
    this.#announcer.failOpen(account.id, total, error);
  }

  #beyondRequest({ perRequest }: Selection, total: Spend, taken: Spend): Refused | undefined {
    for (const { limit, value } of perRequest) {
      const amount = inUnit(total, limit.unit);
      if (amount <= limit.amount) continue;
      const held = inUnit(taken, limit.unit);
      return {
        admitted: false,
        left: { unit: limit.unit, amount: limit.amount > held ? limit.amount - held : 0n },
        facts: {
          guard: this.#settings.name,
          limit,
          value,
          committed: 0n,
          held,
          needed: amount - held,
          nowMs: this.#settings.clock.now(),
        },
      };
    }
    return undefined;
  }

  #refused(
    account: HoldAccount,
    refused: { readonly key: string; readonly committed: bigint; readonly held: bigint },
    needed: Spend,
    available: Spend,
  ): Refused {
    const line = account.lines.find(({ key }) => key === refused.key);
    if (line === undefined) throw new TypeError('The ledger refused a limit that it was not asked for.');
    const { limit } = line;
    const facts = this.#refusals.factsOf(line, refused, inUnit(needed, limit.unit));
    const free = this.#units.toAmount(limit, this.#units.ofLimit(limit)) - facts.committed - facts.held;
    const own = inUnit(available, limit.unit);
    return {
      admitted: false,
      left: { unit: limit.unit, amount: (free > 0n ? free : 0n) + (own > 0n ? own : 0n) },
      facts,
    };
  }
}

/** More than a ledger counts is over every limit all the same. */
function countable(units: bigint): bigint {
  if (units > largestLedgerAmount) return largestLedgerAmount;
  return units;
}
