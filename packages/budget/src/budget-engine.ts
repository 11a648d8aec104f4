import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type AttemptIdentity,
  type Attributes,
  ConfigError,
  type CostRecord,
  type CrossedMark,
  isSynapseError,
  LedgerError,
  parseUsd,
  type ReserveResult,
} from '@synapsekit/core';
import { BudgetAnnouncer } from './budget-announcer.ts';
import type { Limit, Limits } from './budget-limit.ts';
import type { OutputPolicy } from './call-plan.ts';
import { type Answer, isPromise } from './deadline.ts';
import type { GuardSettings } from './guard-options.ts';
import { GuardPrices } from './guard-prices.ts';
import { HoldAccount } from './hold-account.ts';
import { HoldKeeper } from './hold-keeper.ts';
import { LedgerClient } from './ledger-client.ts';
import { type LimitLine, LimitLines, type OnMissing, type Selection } from './limit-lines.ts';
import type { RefusalFacts } from './refusal.ts';
import { greater, inUnit, largestAmount, nothing, plus, type Spend, type Unit } from './spend.ts';
import { askedMarks, marksOf } from './threshold.ts';
import { WaitQueue } from './wait-queue.ts';

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

/** How many of the last attempts, and of the limits that refused, are remembered. */
const rememberedAttempts = 5_000;

/** The workings of a guard: limits, windows, holds and bookings. Middleware and holds share it. */
export class BudgetEngine {
  readonly settings: GuardSettings;
  readonly ledger: LedgerClient;
  readonly prices: GuardPrices;
  /** Calls that wait for room. */
  readonly queue: WaitQueue;
  readonly announcer: BudgetAnnouncer;
  /** The hold that the running code works under. */
  readonly context: AsyncLocalStorage<HoldAccount> = new AsyncLocalStorage();
  /** Attempts that a call of this guard has room for already: the one around it need not make any. */
  readonly covered: WeakSet<AttemptIdentity> = new WeakSet();
  readonly #lines: LimitLines;
  readonly #moneyPolicy: OutputPolicy;
  readonly #tokenPolicy: OutputPolicy;
  /** Attempts booked under a hold whose booking has not arrived: told of again, they belong to that hold. */
  readonly #underway: Map<string, { readonly account: HoldAccount }> = new Map();
  /** On which limits the last attempts were booked: told of again without their attributes, they are still theirs. */
  readonly #recent = new Map<string, Selection>();
  /** Goes on where it stopped: a new one would pass all that was taken out before. */
  readonly #oldestRecent = this.#recent.keys();
  /** How often each limit refused, by its name and attribute. */
  readonly #refusals: Map<string, number> = new Map();
  readonly #oldestRefusal = this.#refusals.keys();
  /** Records that could not be booked because nobody knows what they cost. */
  unpriced = 0;
  /** Records that lacked an attribute. */
  unattributed = 0;
  holds = 0;

  constructor(limits: Limits, settings: GuardSettings) {
    this.settings = settings;
    const { name, ledger, clock, thresholds } = settings;
    this.prices = new GuardPrices(settings);
    const { clamp, minOutputTokens, defaultMaxOutputTokens } = settings;
    this.#moneyPolicy = { clamp, minOutputTokens, defaultMaxOutputTokens, countsTokens: false };
    this.#tokenPolicy = { ...this.#moneyPolicy, countsTokens: true };
    this.announcer = new BudgetAnnouncer(settings);
    this.#lines = new LimitLines(name, limits, settings.timeZone, (limit) =>
      marksOf(thresholds, limit.unit === 'usd' ? limit.amount / ledger.unitPico : limit.amount),
    );
    this.queue = new WaitQueue(clock, settings.queueTimeoutMs, settings.maxQueueLength);
    this.ledger = new LedgerClient(ledger, clock, settings.ledgerTimeoutMs, (cause) =>
      this.announcer.notBooked(cause),
    );
    this.ledger.posts.onArrival = () => this.queue.pulse();
  }

  /** The limits that hold for these attributes, in the windows of now. @throws ConfigError for one that is missing. */
  select(attributes: Attributes | undefined, onMissing: OnMissing = 'refuse'): Selection {
    return this.#lines.select(this.settings.clock.now(), attributes ?? noAttributes, onMissing);
  }

  /** True when it makes a difference for whom a call is. */
  get needsAttributes(): boolean {
    return this.#lines.needsAttributes;
  }

  /** Whether these limits are still those of now. */
  isCurrent({ lines }: Selection): boolean {
    const nowMs = this.settings.clock.now();
    return lines.every(({ window: { endsAtMs } }) => endsAtMs === undefined || nowMs < endsAtMs);
  }

  /**
   * Who and what a call is for: what its scope says, what it says itself, and what is known of its model; `undefined`
   * where no limit asks.
   */
  attributesOf(given: Attributes | undefined, model?: CalledModel): Attributes | undefined {
    if (!this.#lines.needsAttributes) return undefined;
    const scope = this.settings.tracker?.scopeAttributes?.();
    return { ...scope, ...given, ...model };
  }

  /** How long answers under these limits may be. */
  outputPolicy({ countsTokens }: Selection): OutputPolicy {
    return countsTokens ? this.#tokenPolicy : this.#moneyPolicy;
  }

  /** Places a hold, on all limits or on none. @param overrun it is known not to fit, and let through. */
  reserve(limits: Selection, spend: Spend, signal?: AbortSignal, overrun = false): Answer<Admission> {
    if (!overrun) {
      const tooLarge = this.#beyondRequest(limits, spend, nothing);
      if (tooLarge !== undefined) return tooLarge;
    }
    const { ids, clock, leaseMs } = this.settings;
    const account = new HoldAccount(ids(), limits, spend, overrun, (one) => {
      const renew = (): Answer<boolean> => this.#renew(one);
      return new HoldKeeper(clock, leaseMs, renew, () => this.close(one));
    });
    const opened = (result: ReserveResult): Admission => {
      if (!result.admitted) return this.#refused(account, result.refused, spend, nothing);
      this.holds += 1;
      this.announcer.hold(account.id, spend);
      return { admitted: true, account };
    };
    try {
      const result = this.#reserveTotal(account, spend, signal);
      return isPromise(result)
        ? result.then(opened, (error: unknown) => opened(this.#ledgerFailed(account, error)))
        : opened(result);
    } catch (error) {
      return opened(this.#ledgerFailed(account, error));
    }
  }

  /**
   * Whether a hold still covers what runs under it. One whose lease ended while nobody renewed it may be gone, and its
   * money promised to others; where its expiry books, it is spent already and cannot be.
   */
  isLive(account: HoldAccount, signal?: AbortSignal): Answer<boolean> {
    const { onExpiry, clock, leaseMs } = this.settings;
    if (account.ended) return false;
    if (onExpiry === 'book' || account.unheld || account.lines.length === 0) return true;
    if (clock.monotonic() < account.keeper.leaseEndsAtMs) return true;
    return this.ledger.renewNow(account.id, leaseMs, signal);
  }

  /**
   * Nothing may go out under a hold that is gone.
   *
   * @throws LedgerError when it is, or when the ledger cannot say; `signal.reason` on abort.
   */
  requireLive(account: HoldAccount, signal?: AbortSignal): Answer<void> {
    // One that was settled has an error of its own.
    const isLive = account.ended || this.isLive(account, signal);
    if (isLive === true) return;
    const isGone = (is: boolean): void => {
      if (is) return;
      this.close(account);
      throw new LedgerError(
        `Budget "${this.settings.name}": the hold of a call ended before its next attempt, since nothing renewed it for ${this.settings.leaseMs} ms. Nothing was sent. Try again.`,
        { transient: true },
      );
    };
    if (!isPromise(isLive)) return isGone(isLive);
    return isLive.then(isGone, (error: unknown) => {
      this.#raiseFailed(account, account.total, error);
    });
  }

  /** Sets aside part of a hold for a call that runs under it; raises the hold where too little of it is left. */
  claim(account: HoldAccount, spend: Spend, signal?: AbortSignal): Answer<Admission> {
    if (account.ended) {
      throw new ConfigError(
        `Budget "${this.settings.name}": a call started under a hold that is settled already. Settle it when everything in it is done.`,
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
      this.announcer.hold(account.id, total);
      account.total = total;
      account.claim(spend);
      return { admitted: true, account };
    };
    const result = this.#reserveTotal(account, total, signal);
    if (!isPromise(result)) return raised(result);
    const failed = (error: unknown): Admission => raised(this.#raiseFailed(account, total, error));
    const answer = result.then(raised, failed).finally(() => {
      account.raising = undefined;
    });
    account.raising = answer;
    return answer;
  }

  /** Books what an attempt cost; under a hold, on the limits that the hold was admitted under. */
  book(
    hold: HoldAccount | undefined,
    attemptId: string,
    spend: Spend,
    actual: boolean,
    { close = false, limits }: { readonly close?: boolean; readonly limits?: Selection } = {},
  ): void {
    const account = hold ?? this.#underway.get(attemptId)?.account;
    const uncovered = account === undefined ? spend : account.book(attemptId, spend, actual);
    if (uncovered === undefined) {
      if (account !== undefined && close) this.close(account);
      return;
    }
    const { lines } = account?.limits ?? limits ?? this.select(undefined, 'skip');
    if (account !== undefined && this.#lines.needsAttributes) this.#remember(attemptId, account.limits);
    const closing = close && account !== undefined && this.#end(account);
    if (lines.length > 0) {
      const posted = this.ledger.post(
        {
          attemptId,
          ...(account !== undefined && { holdId: account.id }),
          lines: lines.map((line) => this.#postLine(line, spend)),
          kind: actual ? 'actual' : 'estimated',
          ...(closing && { close: true }),
        },
        {
          uncovered:
            uncovered === nothing ? noAmounts : lines.map(({ limit }) => this.#units(limit.unit, uncovered)),
          ...(this.settings.thresholds.length > 0 && {
            onCrossed: (crossed: readonly CrossedMark[]) => this.#crossed(lines, crossed),
          }),
        },
      );
      if (account !== undefined && posted !== undefined) this.#follow(attemptId, account, posted);
    }
    this.announcer.booking(attemptId, account?.id, spend);
    if (closing && account !== undefined) this.announcer.close(account.id);
  }

  /** Ends a hold; what is left of it is free again. Once. */
  close(account: HoldAccount): void {
    if (!this.#end(account)) return;
    if (account.lines.length > 0) this.ledger.close(account.id);
    this.announcer.close(account.id);
  }

  /** Books a tracker's record. */
  bookRecord(record: CostRecord): void {
    const account = this.context.getStore();
    if (account === undefined && !this.#counts(record)) return;
    const { attemptId, usage, unpriced, estimated } = record;
    const tokens = tokensOf(usage);
    const limits = account?.limits ?? this.#recent.get(attemptId) ?? this.#limitsOf(record);
    if (!unpriced) {
      this.book(account, attemptId, { pico: parseUsd(record.costUsdExact), tokens }, !estimated, { limits });
      return;
    }
    if (limits.countsMoney) this.noteUnpriced(record.modelId);
    // Its tokens are known. An estimate, so that a price that comes later still counts.
    if (limits.countsTokens) this.book(account, attemptId, { pico: 0n, tokens }, false, { limits });
  }

  /** Counts something that cannot be booked. */
  noteUnpriced(model: string): void {
    this.unpriced += 1;
    this.announcer.unpriced(model);
  }

  /** Counts and publishes a refusal. */
  noteRefusal(facts: RefusalFacts): void {
    const id = refusalId(facts.limit, facts.value);
    const count = (this.#refusals.get(id) ?? 0) + 1;
    // Values come and go: those that were refused last are remembered.
    this.#refusals.delete(id);
    this.#refusals.set(id, count);
    if (this.#refusals.size > rememberedAttempts)
      this.#refusals.delete(this.#oldestRefusal.next().value ?? '');
    this.announcer.refusal('refusal', facts);
  }

  /** How often a limit refused; one by attribute, for this value of it. */
  refusalsOf(limit: Limit, value: string | undefined): number {
    return this.#refusals.get(refusalId(limit, value)) ?? 0;
  }

  /** What the ledger counts, in what the limit counts. */
  toAmount({ unit }: Pick<Limit, 'unit'>, units: bigint): bigint {
    return unit === 'usd' ? units * this.ledger.unitPico : units;
  }

  #limitsOf({ attributes, modelId, provider }: CostRecord): Selection {
    const known = this.#lines.needsAttributes ? { ...attributes, model: modelId, provider } : undefined;
    let counted = false;
    return this.select(known, {
      unattributed: (attribute) => {
        if (!counted) this.unattributed += 1;
        counted = true;
        this.announcer.unattributed(attribute);
      },
      failed: (attribute, error) => this.announcer.limitsFailed(attribute, error),
    });
  }

  /** What nobody can say counts: it was spent. */
  #counts(record: CostRecord): boolean {
    try {
      return this.settings.countsRecord(record);
    } catch (error) {
      this.announcer.listenerFailed('countsRecord', error);
      return true;
    }
  }

  #ledgerFailed(account: HoldAccount, error: unknown): ReserveResult {
    const failure = isSynapseError(error, 'ledger') ? error : undefined;
    // Perhaps only the reply was lost: what nobody uses must not stay held.
    if (failure === undefined || failure.transient) this.ledger.close(account.id);
    if (failure?.transient !== true || !this.settings.failOpen) throw error;
    account.unheld = true;
    this.announcer.failOpen(account.id, account.total, failure as LedgerError);
    return { admitted: true };
  }

  /** The ledger went away under a hold: what is held there stays, and the rest runs without a hold if it may. */
  #raiseFailed(account: HoldAccount, total: Spend, error: unknown): ReserveResult {
    if (!this.settings.failOpen || !isSynapseError(error, 'ledger') || !error.transient) throw error;
    this.announcer.failOpen(account.id, total, error);
    return { admitted: true };
  }

  #crossed(lines: readonly LimitLine[], crossed: readonly CrossedMark[]): void {
    for (const { key, mark, committed } of crossed) {
      const line = lines.find((one) => one.key === key);
      if (line === undefined) continue;
      // Several shares of a small limit come to one mark.
      for (const [index, threshold] of this.settings.thresholds.entries()) {
        if (line.marks[index] !== mark) continue;
        this.announcer.threshold(line, threshold, this.toAmount(line.limit, committed));
      }
    }
  }

  #remember(attemptId: string, limits: Selection): void {
    this.#recent.set(attemptId, limits);
    if (this.#recent.size > rememberedAttempts) this.#recent.delete(this.#oldestRecent.next().value ?? '');
  }

  #follow(attemptId: string, account: HoldAccount, posted: Promise<void>): void {
    const booking = { account };
    this.#underway.set(attemptId, booking);
    void posted.then(() => {
      if (this.#underway.get(attemptId) === booking) this.#underway.delete(attemptId);
    });
  }

  #renew(account: HoldAccount): Answer<boolean> {
    if (account.ended || account.unheld || account.lines.length === 0) return true;
    return this.ledger.renew(account.id, this.settings.leaseMs);
  }

  #end(account: HoldAccount): boolean {
    if (account.ended) return false;
    account.ended = true;
    account.keeper.stop();
    this.holds -= 1;
    return true;
  }

  #reserveTotal(account: HoldAccount, spend: Spend, signal: AbortSignal | undefined): Answer<ReserveResult> {
    if (account.lines.length === 0) return { admitted: true };
    const { leaseMs, onExpiry } = this.settings;
    const lines = account.lines.map(({ key, window, limit }) => ({
      key,
      window,
      amount: countable(this.#units(limit.unit, spend)),
      limit: account.overrun ? largestAmount : this.#limitUnits(limit),
    }));
    return this.ledger.reserve({ holdId: account.id, lines, leaseMs, onExpiry }, signal);
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
          guard: this.settings.name,
          limit,
          value,
          committed: 0n,
          held,
          needed: amount - held,
          nowMs: this.settings.clock.now(),
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
    const facts = this.lineFacts(line, refused, inUnit(needed, line.limit.unit));
    const free = this.toAmount(line.limit, this.#limitUnits(line.limit)) - facts.committed - facts.held;
    const own = inUnit(available, line.limit.unit);
    return {
      admitted: false,
      left: { unit: line.limit.unit, amount: (free > 0n ? free : 0n) + (own > 0n ? own : 0n) },
      facts,
    };
  }

  /** What there is to say of a limit that does not have room. */
  lineFacts(
    { limit, value, window, windowName }: LimitLine,
    counter: { readonly committed: bigint; readonly held: bigint },
    needed: bigint,
  ): RefusalFacts {
    return {
      guard: this.settings.name,
      limit,
      value,
      window: windowName,
      committed: this.toAmount(limit, counter.committed),
      held: this.toAmount(limit, counter.held),
      needed,
      resetsAtMs: window.endsAtMs,
      nowMs: this.settings.clock.now(),
    };
  }

  #postLine({ key, window, limit, marks }: LimitLine, spend: Spend) {
    const amount = this.#units(limit.unit, spend);
    return marks.length === 0 ? { key, window, amount } : { key, window, amount, marks: askedMarks(marks) };
  }

  /** Whole units of the ledger, rounded against the spender. */
  #units(unit: Unit, spend: Spend): bigint {
    if (unit === 'tokens') return spend.tokens;
    const { unitPico } = this.ledger;
    return unitPico === 1n ? spend.pico : (spend.pico + unitPico - 1n) / unitPico;
  }

  #limitUnits({ unit, amount }: Limit): bigint {
    const { unitPico } = this.ledger;
    return unit === 'tokens' || unitPico === 1n ? amount : amount / unitPico;
  }
}

/** What every call can be limited by. */
export interface CalledModel {
  readonly model?: string;
  readonly provider?: string;
}

const noAttributes: Attributes = Object.freeze({});
const noAmounts: readonly bigint[] = [];

function refusalId({ name, attribute }: Limit, value: string | undefined): string {
  return attribute === undefined ? name : `${attribute}=${value} ${name}`;
}

/** More than a ledger counts is over every limit all the same. */
function countable(units: bigint): bigint {
  if (units > largestAmount) return largestAmount;
  return units;
}

/** Tokens of prompt and answer; none where the counts are none. */
export function tokensOf({
  inputTokens,
  outputTokens,
}: {
  readonly inputTokens: number;
  readonly outputTokens: number;
}): bigint {
  const tokens = inputTokens + outputTokens;
  return Number.isSafeInteger(tokens) && tokens > 0 ? BigInt(tokens) : 0n;
}
