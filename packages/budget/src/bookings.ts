import { type CostRecord, type CrossedMark, parseUsd } from '@synapsekit/core';
import type { BudgetAnnouncer } from './budget-announcer.ts';
import type { GuardSettings } from './guard-options.ts';
import type { HoldAccount } from './hold-account.ts';
import type { LedgerClient } from './ledger-client.ts';
import type { LedgerUnits } from './ledger-units.ts';
import type { LimitLine, Selection } from './limit-lines.ts';
import type { OpenHolds } from './open-holds.ts';
import type { SelectedLimits } from './selected-limits.ts';
import { nothing, type Spend, tokensOf } from './spend.ts';

/** On how many of the last attempts it is remembered which limits they were booked. */
const rememberedAttempts = 5_000;

/** What was spent, put on the limits that it counts on: once for each attempt. */
export class Bookings {
  readonly #settings: GuardSettings;
  readonly #limits: SelectedLimits;
  readonly #ledger: LedgerClient;
  readonly #units: LedgerUnits;
  readonly #holds: OpenHolds;
  readonly #announcer: BudgetAnnouncer;
  /** Attempts booked under a hold whose booking has not arrived: told of again, they belong to that hold. */
  readonly #underway: Map<string, { readonly account: HoldAccount }> = new Map();
  /** On which limits the last attempts were booked: told of again without their attributes, they are still theirs. */
  readonly #recent = new Map<string, Selection>();
  /** Goes on where it stopped: a new one would pass all that was taken out before. */
  readonly #oldestRecent = this.#recent.keys();
  #unpriced = 0;
  #unattributed = 0;

  constructor(
    settings: GuardSettings,
    limits: SelectedLimits,
    ledger: LedgerClient,
    units: LedgerUnits,
    holds: OpenHolds,
    announcer: BudgetAnnouncer,
  ) {
    this.#settings = settings;
    this.#limits = limits;
    this.#ledger = ledger;
    this.#units = units;
    this.#holds = holds;
    this.#announcer = announcer;
  }

  /** Records that could not be booked because nobody knows what they cost. */
  get unpriced(): number {
    return this.#unpriced;
  }

  /** Records that lacked an attribute. */
  get unattributed(): number {
    return this.#unattributed;
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
      if (account !== undefined && close) this.#holds.close(account);
      return;
    }
    const { lines } = account?.limits ?? limits ?? this.#limits.select(undefined, 'skip');
    if (account !== undefined && this.#limits.needsAttributes) this.#remember(attemptId, account.limits);
    const closing = close && account !== undefined && this.#holds.end(account);
    if (lines.length > 0) {
      const posted = this.#ledger.post(
        {
          attemptId,
          holdId: account?.id,
          lines: lines.map((line) => this.#postLine(line, spend)),
          kind: actual ? 'actual' : 'estimated',
          close: closing,
        },
        {
          uncovered:
            uncovered === nothing
              ? noAmounts
              : lines.map(({ limit }) => this.#units.ofSpend(uncovered, limit.unit)),
          onCrossed:
            this.#settings.thresholds.length > 0 ? (crossed) => this.#crossed(lines, crossed) : undefined,
        },
      );
      if (account !== undefined && posted !== undefined) this.#follow(attemptId, account, posted);
    }
    this.#announcer.booking(attemptId, account?.id, spend);
    if (closing && account !== undefined) this.#announcer.close(account.id);
  }

  /** Books a tracker's record. @param account the hold that it was made under. */
  bookRecord(record: CostRecord, account: HoldAccount | undefined): void {
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
    this.#unpriced += 1;
    this.#announcer.unpriced(model);
  }

  #limitsOf({ attributes, modelId, provider }: CostRecord): Selection {
    const known = this.#limits.needsAttributes ? { ...attributes, model: modelId, provider } : undefined;
    let counted = false;
    return this.#limits.select(known, {
      unattributed: (attribute) => {
        if (!counted) this.#unattributed += 1;
        counted = true;
        this.#announcer.unattributed(attribute);
      },
      failed: (attribute, error) => this.#announcer.limitsFailed(attribute, error),
    });
  }

  /** What nobody can say counts: it was spent. */
  #counts(record: CostRecord): boolean {
    try {
      return this.#settings.countsRecord(record);
    } catch (error) {
      this.#announcer.listenerFailed('countsRecord', error);
      return true;
    }
  }

  #crossed(lines: readonly LimitLine[], crossed: readonly CrossedMark[]): void {
    for (const { key, mark, committed } of crossed) {
      const line = lines.find((one) => one.key === key);
      if (line === undefined) continue;
      // Several shares of a small limit come to one mark.
      for (const [index, threshold] of this.#settings.thresholds.entries()) {
        if (line.marks[index] !== mark) continue;
        this.#announcer.threshold(line, threshold, this.#units.toAmount(line.limit, committed));
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

  #postLine({ key, window, limit, askedMarks: marks }: LimitLine, spend: Spend) {
    const amount = this.#units.ofSpend(spend, limit.unit);
    return marks.length === 0 ? { key, window, amount } : { key, window, amount, marks };
  }
}

const noAmounts: readonly bigint[] = [];
