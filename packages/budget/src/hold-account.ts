import type { LedgerKey, PicoUsd } from '@synapsekit/core';
import type { WindowLimit } from './budget-limit.ts';
import type { BudgetWindow } from './calendar.ts';
import type { HoldKeeper } from './hold-keeper.ts';
import { lesser } from './pico.ts';

/** A limit in the window that a hold was admitted in. */
export interface LimitLine extends LedgerKey {
  readonly limit: WindowLimit;
  readonly budgetWindow: BudgetWindow;
}

/** What was booked for an attempt under a hold. */
interface Booked {
  readonly pico: PicoUsd;
  readonly actual: boolean;
}

/**
 * The guard's own view of one hold: what it amounts to, what was booked under it, and what calls that run under it have
 * claimed of the rest.
 */
export class HoldAccount {
  readonly id: string;
  readonly lines: readonly LimitLine[];
  totalPico: PicoUsd;
  /** What posts have drawn down. */
  drawnPico: PicoUsd = 0n;
  claimedPico: PicoUsd = 0n;
  /** Settled or released by its owner. Calls that are still out keep what is held for them until they end. */
  settled = false;
  /** Nothing is held any more. */
  ended = false;
  /** Raises of the same hold go one after the other. */
  raising: Promise<unknown> | undefined;
  /** Attempts whose end a call under this hold has dealt with. */
  readonly finished: Set<string> = new Set();
  readonly keeper: HoldKeeper;
  readonly #booked = new Map<string, Booked>();

  constructor(
    id: string,
    lines: readonly LimitLine[],
    totalPico: PicoUsd,
    keeper: (account: HoldAccount) => HoldKeeper,
  ) {
    this.id = id;
    this.lines = lines;
    this.totalPico = totalPico;
    this.keeper = keeper(this);
  }

  /** Neither drawn down nor claimed. Negative when bookings took what calls had claimed. */
  get availablePico(): PicoUsd {
    return this.totalPico - this.drawnPico - this.claimedPico;
  }

  /** Still held. */
  get leftPico(): PicoUsd {
    return this.ended ? 0n : this.totalPico - this.drawnPico;
  }

  /**
   * Notes a booking, by the ledger's own rule: the first actual wins, a larger estimate replaces a smaller one.
   * Returns what of it the hold does not cover, or `undefined` when it changes nothing.
   */
  book(attemptId: string, pico: PicoUsd, actual: boolean): PicoUsd | undefined {
    const known = this.#booked.get(attemptId);
    if (known?.actual === true || (known !== undefined && !actual && pico <= known.pico)) return undefined;
    this.#booked.set(attemptId, { pico, actual });
    const more = pico - (known?.pico ?? 0n);
    if (more <= 0n) return 0n; // frees money, but not into the hold
    const drawn = lesser(more, this.leftPico);
    this.drawnPico += drawn;
    return more - drawn;
  }
}
