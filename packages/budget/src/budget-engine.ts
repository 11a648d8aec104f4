import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type AttemptIdentity,
  budgetChannel,
  ConfigError,
  type CostRecord,
  isSynapseError,
  type PicoUsd,
  parseUsd,
  type ReserveResult,
  usdDecimal,
} from '@synapsekit/core';
import type { Limits, WindowLimit } from './budget-limit.ts';
import { Calendar } from './calendar.ts';
import { type Answer, isPromise } from './deadline.ts';
import type { GuardSettings } from './guard-options.ts';
import { GuardPrices } from './guard-prices.ts';
import { HoldAccount, type LimitLine } from './hold-account.ts';
import { HoldKeeper } from './hold-keeper.ts';
import { LedgerClient } from './ledger-client.ts';
import { atLeastZero } from './pico.ts';
import type { RefusalFacts } from './refusal.ts';
import { Warnings } from './warning.ts';

/** Why something did not fit, and how much would have. */
export interface Refused {
  readonly admitted: false;
  readonly facts: RefusalFacts;
  /** The most that would have fitted this limit. */
  readonly leftPico: PicoUsd;
}

/** What became of a reservation, or of a claim on one. */
export type Admission = { readonly admitted: true; readonly account: HoldAccount } | Refused;

/** The workings of a guard: limits, windows, holds and bookings. Middleware and holds share it. */
export class BudgetEngine {
  readonly settings: GuardSettings;
  readonly limits: Limits;
  readonly ledger: LedgerClient;
  readonly prices: GuardPrices;
  readonly #calendar: Calendar;
  /** The hold that the running code works under. */
  readonly context: AsyncLocalStorage<HoldAccount> = new AsyncLocalStorage();
  /** Attempts that a call of this guard has room for already: the one around it need not make any. */
  readonly covered: WeakSet<AttemptIdentity> = new WeakSet();
  /** Attempts booked under a hold whose booking has not arrived: told of again, they belong to that hold. */
  readonly #underway: Map<string, { readonly account: HoldAccount }> = new Map();
  /** How often each limit refused. */
  readonly refusals: Map<string, number> = new Map();
  /** Records that could not be booked because nobody knows what they cost. */
  unpriced = 0;
  holds = 0;
  readonly #warnings: Warnings;

  constructor(limits: Limits, settings: GuardSettings) {
    this.limits = limits;
    this.settings = settings;
    this.prices = new GuardPrices(settings);
    this.#calendar = new Calendar(settings.timeZone);
    this.#warnings = new Warnings(settings.onWarning);
    this.ledger = new LedgerClient(settings.ledger, settings.clock, settings.ledgerTimeoutMs, (cause) =>
      this.#warnings.tell({
        code: 'SYNAPSEKIT_BUDGET_NOT_BOOKED',
        message: `Budget "${settings.name}": the ledger refused a booking for good. It counts in this process only.`,
        cause,
      }),
    );
  }

  /** The counting limits in the windows of now. */
  lines(): readonly LimitLine[] {
    const { settings, limits } = this;
    const nowMs = settings.clock.now();
    return limits.windows.map((limit) => {
      const budgetWindow = this.#calendar.window(limit.name, nowMs);
      return { key: `${settings.name}/${limit.name}`, window: budgetWindow.ledger, limit, budgetWindow };
    });
  }

  /** Places a hold, on all limits or on none. */
  reserve(pico: PicoUsd, signal?: AbortSignal): Answer<Admission> {
    const tooLarge = this.#beyondRequest(pico, 0n);
    if (tooLarge !== undefined) return tooLarge;
    const { ids, clock, leaseMs } = this.settings;
    const account = new HoldAccount(ids(), this.lines(), pico, (one) => {
      const renew = (): Answer<boolean> => this.#renew(one);
      return new HoldKeeper(clock, leaseMs, renew, () => this.close(one));
    });
    const opened = (result: ReserveResult): Admission => {
      if (!result.admitted) return this.#refused(account, result.refused, pico, 0n);
      this.holds += 1;
      this.#publish('hold', { holdId: account.id, amountUsd: usdDecimal(pico) });
      return { admitted: true, account };
    };
    const result = this.#reserveTotal(account, pico, signal);
    if (!isPromise(result)) return opened(result);
    return result.then(opened, (error: unknown) => {
      // Perhaps only the reply was lost: what nobody uses must not stay held.
      if (!isSynapseError(error, 'ledger') || error.transient) this.ledger.close(account.id);
      throw error;
    });
  }

  /**
   * Whether a hold still covers what runs under it. One whose lease ended while nobody renewed it may be gone, and its
   * money promised to others; where its expiry books, it is spent already and cannot be.
   */
  isLive(account: HoldAccount, signal?: AbortSignal): Answer<boolean> {
    const { onExpiry, clock, leaseMs } = this.settings;
    if (account.ended) return false;
    if (onExpiry === 'book' || account.lines.length === 0) return true;
    if (clock.monotonic() < account.keeper.leaseEndsAtMs) return true;
    return this.ledger.renewNow(account.id, leaseMs, signal);
  }

  /** Sets aside part of a hold for a call that runs under it; raises the hold where too little of it is left. */
  claim(account: HoldAccount, pico: PicoUsd, signal?: AbortSignal): Answer<Admission> {
    if (account.ended) {
      throw new ConfigError(
        `Budget "${this.settings.name}": a call started under a hold that is settled already. Settle it when everything in it is done.`,
        { option: 'hold' },
      );
    }
    if (account.raising !== undefined) {
      return account.raising.catch(() => {}).then(() => this.claim(account, pico, signal));
    }
    if (account.availablePico >= pico) {
      account.claimedPico += pico;
      return { admitted: true, account };
    }
    const total = account.drawnPico + account.claimedPico + pico;
    const tooLarge = this.#beyondRequest(total, total - pico);
    if (tooLarge !== undefined) return tooLarge;
    const raised = (result: ReserveResult): Admission => {
      if (!result.admitted) return this.#refused(account, result.refused, pico, account.availablePico);
      this.#publish('hold', { holdId: account.id, amountUsd: usdDecimal(total) });
      account.totalPico = total;
      account.claimedPico += pico;
      return { admitted: true, account };
    };
    const result = this.#reserveTotal(account, total, signal);
    if (!isPromise(result)) return raised(result);
    const answer = result.then(raised).finally(() => {
      account.raising = undefined;
    });
    account.raising = answer;
    return answer;
  }

  /** Books what an attempt cost; under a hold, in the windows that the hold was admitted in. */
  book(
    hold: HoldAccount | undefined,
    attemptId: string,
    pico: PicoUsd,
    actual: boolean,
    close = false,
  ): void {
    const account = hold ?? this.#underway.get(attemptId)?.account;
    const uncovered = account === undefined ? pico : account.book(attemptId, pico, actual);
    if (uncovered === undefined) {
      if (account !== undefined && close) this.close(account);
      return;
    }
    const amount = this.#units(pico);
    const lines = account?.lines ?? this.lines();
    const closing = close && account !== undefined && this.#end(account);
    if (lines.length > 0) {
      const posted = this.ledger.post(
        {
          attemptId,
          ...(account !== undefined && { holdId: account.id }),
          lines: lines.map(({ key, window }) => ({ key, window, amount })),
          kind: actual ? 'actual' : 'estimated',
          ...(closing && { close: true }),
        },
        this.#units(uncovered),
      );
      if (account !== undefined && posted !== undefined) this.#follow(attemptId, account, posted);
    }
    this.#publish('booking', {
      attemptId,
      ...(account !== undefined && { holdId: account.id }),
      amountUsd: usdDecimal(pico),
    });
    if (closing && account !== undefined) this.#publish('close', { holdId: account.id });
  }

  #follow(attemptId: string, account: HoldAccount, posted: Promise<void>): void {
    const booking = { account };
    this.#underway.set(attemptId, booking);
    void posted.then(() => {
      if (this.#underway.get(attemptId) === booking) this.#underway.delete(attemptId);
    });
  }

  /** Ends a hold; what is left of it is free again. Once. */
  close(account: HoldAccount): void {
    if (!this.#end(account)) return;
    if (account.lines.length > 0) this.ledger.close(account.id);
    this.#publish('close', { holdId: account.id });
  }

  /** Books a tracker's record. */
  bookRecord(record: CostRecord): void {
    const account = this.context.getStore();
    if (account === undefined && !this.settings.countsRecord(record)) return;
    if (record.unpriced) this.noteUnpriced(record.modelId);
    else this.book(account, record.attemptId, parseUsd(record.costUsdExact), !record.estimated);
  }

  /** Counts something that cannot be booked. */
  noteUnpriced(model: string): void {
    this.unpriced += 1;
    this.#warnings.tell({
      code: 'SYNAPSEKIT_BUDGET_UNPRICED',
      message: `Budget "${this.settings.name}": a call to ${model} has no known price, so that what it cost counts against no limit. Give its price: new PriceBook({ overrides: [{ model, inputUsdPerMillion, outputUsdPerMillion }] }) as \`prices\`, or free: true.`,
      model,
    });
  }

  /** Counts and publishes a refusal. */
  noteRefusal(facts: RefusalFacts): void {
    this.refusals.set(facts.limit, (this.refusals.get(facts.limit) ?? 0) + 1);
    this.#publish('refusal', { limit: facts.limit, amountUsd: usdDecimal(facts.neededPico) });
  }

  toPico(units: bigint): PicoUsd {
    return units * this.ledger.unitPico;
  }

  #renew(account: HoldAccount): Answer<boolean> {
    if (account.ended || account.lines.length === 0) return true;
    return this.ledger.renew(account.id, this.settings.leaseMs);
  }

  #end(account: HoldAccount): boolean {
    if (account.ended) return false;
    account.ended = true;
    account.keeper.stop();
    this.holds -= 1;
    return true;
  }

  #reserveTotal(account: HoldAccount, pico: PicoUsd, signal: AbortSignal | undefined): Answer<ReserveResult> {
    if (account.lines.length === 0) return { admitted: true };
    const { leaseMs, onExpiry } = this.settings;
    const amount = this.#units(pico);
    const lines = account.lines.map(({ key, window, limit }) => ({
      key,
      window,
      amount,
      limit: this.#limit(limit),
    }));
    return this.ledger.reserve({ holdId: account.id, lines, leaseMs, onExpiry }, signal);
  }

  #beyondRequest(totalPico: PicoUsd, takenPico: PicoUsd): Refused | undefined {
    const { perRequest } = this.limits;
    if (perRequest === undefined || totalPico <= perRequest) return undefined;
    return {
      admitted: false,
      leftPico: atLeastZero(perRequest - takenPico),
      facts: {
        guard: this.settings.name,
        limit: 'perRequest',
        limitPico: perRequest,
        committedPico: 0n,
        heldPico: takenPico,
        neededPico: totalPico - takenPico,
        nowMs: this.settings.clock.now(),
      },
    };
  }

  #refused(
    account: HoldAccount,
    { key, committed, held }: { readonly key: string; readonly committed: bigint; readonly held: bigint },
    neededPico: PicoUsd,
    availablePico: PicoUsd,
  ): Refused {
    const line = account.lines.find((one) => one.key === key);
    const limitPico = line?.limit.pico ?? 0n;
    const committedPico = this.toPico(committed);
    const heldPico = this.toPico(held);
    const free = this.#limitPico(limitPico) - committedPico - heldPico;
    return {
      admitted: false,
      leftPico: atLeastZero(free) + atLeastZero(availablePico),
      facts: {
        guard: this.settings.name,
        limit: line?.limit.name ?? key,
        ...(line?.budgetWindow.name !== undefined && { window: line.budgetWindow.name }),
        limitPico,
        committedPico,
        heldPico,
        neededPico,
        ...(line?.window.endsAtMs !== undefined && { resetsAtMs: line.window.endsAtMs }),
        nowMs: this.settings.clock.now(),
      },
    };
  }

  /** Whole units, rounded against the spender. */
  #units(pico: PicoUsd): bigint {
    const { unitPico } = this.ledger;
    return unitPico === 1n ? pico : (pico + unitPico - 1n) / unitPico;
  }

  #limit({ pico }: WindowLimit): bigint {
    return pico / this.ledger.unitPico;
  }

  #limitPico(pico: PicoUsd): PicoUsd {
    return pico - (pico % this.ledger.unitPico);
  }

  #publish(
    type: 'hold' | 'refusal' | 'booking' | 'close',
    facts: {
      readonly holdId?: string;
      readonly attemptId?: string;
      readonly limit?: string;
      readonly amountUsd?: string;
    },
  ): void {
    budgetChannel.publish(() => ({ version: 1, type, guard: this.settings.name, ...facts }));
  }
}
