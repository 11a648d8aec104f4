import type { Clock, LedgerKey, ReserveLine, ReserveRequest, ReserveResult } from '@synapsekit/core';
import { IdTable } from './id-table.ts';
import { isOn, isSame } from './lease-lanes.ts';
import type { BookedRest, LedgerSlice } from './ledger-slice.ts';
import { conflict } from './redis-errors.ts';
import { RememberedIds } from './remembered-ids.ts';

/** A hold that lives in this process, in a slice. */
export interface LocalHold {
  /** Of its id. */
  readonly hash: number;
  readonly slice: LedgerSlice;
  readonly onExpiry: ReserveRequest['onExpiry'];
  readonly granted: bigint[];
  readonly left: bigint[];
  leaseEndsAtMs: number;
  /** Its lease ended: what was left counts as spent until its owner says what it was. */
  booked: BookedRest | undefined;
}

const admitted: ReserveResult = Object.freeze({ admitted: true });

/** What the calls of this process hold of its slices. */
export class LocalHolds {
  readonly #clock: Clock;
  readonly #onDue: (slice: LedgerSlice) => void;
  readonly #holds = new IdTable<LocalHold>();
  /** Holds that ended here; the oldest are forgotten. */
  readonly #closed: RememberedIds;

  /** @param onDue told of a retired slice whose last hold ended, or that has something more to report. */
  constructor(clock: Clock, rememberCount: number, onDue: (slice: LedgerSlice) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
    this.#closed = new RememberedIds(rememberCount);
  }

  get(holdId: string, hash?: number): LocalHold | undefined {
    return this.#holds.get(holdId, hash);
  }

  /** Whether it ended here. */
  isClosed(holdId: string, hash?: number): boolean {
    return this.#closed.has(holdId, undefined, hash);
  }

  /** Places a hold in a slice, if there is one and it has enough. */
  admit(slice: LedgerSlice | undefined, request: ReserveRequest, hash: number): boolean {
    const { holdId, lines, leaseMs, onExpiry } = request;
    const nowMs = this.#clock.monotonic();
    if (slice === undefined || !slice.take(lines, nowMs)) return false;
    const granted = lines.map(amountOf);
    const leaseEndsAtMs = nowMs + leaseMs;
    const left = granted.slice();
    const hold = { hash, slice, onExpiry, granted, left, leaseEndsAtMs, booked: undefined };
    this.#holds.set(holdId, hold, hash);
    slice.openHolds += 1;
    return true;
  }

  /**
   * The same hold asked for again: for more, if its slice has it.
   *
   * @param sliceMs for how long its slice is taken anew where the shared ledger has to give the rest.
   */
  again(
    hold: LocalHold,
    { holdId, lines }: ReserveRequest,
    sliceMs: number,
  ): ReserveResult | Promise<ReserveResult> {
    if (!isOn(hold.slice, lines)) throw conflict(`hold ${holdId} was placed on other keys or windows`);
    if (this.#hasEnded(holdId, hold)) throw conflict(`hold ${holdId} has expired`);
    const more = missing(hold, lines);
    if (more.every(({ amount }) => amount === 0n)) return admitted;
    const { slice } = hold;
    if (slice.take(more, this.#clock.monotonic())) {
      grow(hold, more);
      return admitted;
    }
    return slice.takeMore(more, sliceMs).then((result) => {
      if (result.admitted) {
        this.#grant(holdId, hold, lines, more);
        return admitted;
      }
      const line = lines.find((each: LedgerKey) => isSame(each, result.refused));
      return {
        admitted: false,
        refused: { ...result.refused, amount: line?.amount ?? result.refused.amount },
      };
    });
  }

  /**
   * What came from the shared ledger goes to the slice, and the hold takes from there what it needs of it now: another
   * raise may have brought it, and the hold may have ended meanwhile.
   *
   * @throws LedgerError for a hold that has ended.
   */
  #grant(
    holdId: string,
    hold: LocalHold,
    lines: readonly ReserveLine[],
    brought: readonly ReserveLine[],
  ): void {
    for (const [i, line] of hold.slice.lines.entries()) line.left += brought[i]?.amount ?? 0n;
    if (this.#holds.get(holdId) !== hold) throw conflict(`hold ${holdId} is closed`);
    if (this.#hasEnded(holdId, hold)) throw conflict(`hold ${holdId} has expired`);
    const needed = missing(hold, lines);
    for (const [i, line] of hold.slice.lines.entries()) line.left -= needed[i]?.amount ?? 0n;
    grow(hold, needed);
  }

  /** Whether it lives on. */
  renew(holdId: string, hold: LocalHold, leaseMs: number): boolean {
    if (this.#hasEnded(holdId, hold)) return false;
    hold.leaseEndsAtMs = Math.max(hold.leaseEndsAtMs, this.#clock.monotonic() + leaseMs);
    return true;
  }

  /** Gives what is left of it back to its slice, or frees what the end of its lease booked and nobody needed. */
  close(holdId: string, hold: LocalHold): void {
    const { slice, left, booked, hash } = hold;
    this.#holds.delete(holdId, hash);
    this.#closed.add(holdId, undefined, hash);
    if (booked !== undefined) {
      slice.freeRest(booked, left);
      if (slice.isRetired) this.#onDue(slice);
      return;
    }
    for (let i = 0; i < left.length; i++) {
      const [line, rest = 0n] = [slice.lines[i], left[i]];
      if (line !== undefined && rest !== 0n) line.left += rest;
    }
    this.#leave(slice);
  }

  /** Ends the holds whose owners forgot them. */
  sweep(): void {
    for (const [holdId, hold] of this.#holds.entries()) this.#hasEnded(holdId, hold);
  }

  /** Whether the lease of a hold that is here is over; if so, it is ended by its policy. */
  #hasEnded(holdId: string, hold: LocalHold): boolean {
    if (hold.booked !== undefined) return true;
    if (this.#clock.monotonic() < hold.leaseEndsAtMs) return false;
    if (hold.onExpiry === 'release') this.close(holdId, hold);
    else {
      hold.booked = hold.slice.bookRest(hold.left);
      this.#leave(hold.slice);
    }
    return true;
  }

  #leave(slice: LedgerSlice): void {
    slice.openHolds -= 1;
    if (slice.isRetired && slice.openHolds === 0) this.#onDue(slice);
  }
}

/** Takes an amount out of what a hold has on a line. Returns how much of it there was. */
export function draw(hold: LocalHold, index: number, amount: bigint): bigint {
  const left = hold.left[index] ?? 0n;
  // Every difference of bigints is a new object: none is made where all of it goes.
  const isAll = left <= amount;
  hold.left[index] = isAll ? 0n : left - amount;
  return isAll ? left : amount;
}

/** A call that cost more than it held takes it from what others could have held. Returns what that does not cover. */
export function overdraw(line: { left: bigint }, excess: bigint): bigint {
  const covered = line.left < excess ? line.left : excess;
  line.left -= covered;
  return excess - covered;
}

function amountOf({ amount }: ReserveLine): bigint {
  return amount;
}

/** What a hold has to be given so that it has the amounts of all lines. */
function missing({ granted }: LocalHold, lines: readonly ReserveLine[]): ReserveLine[] {
  return lines.map((line, i) => {
    const extra = line.amount - (granted[i] ?? 0n);
    return { ...line, amount: extra > 0n ? extra : 0n };
  });
}

function grow(hold: LocalHold, more: readonly ReserveLine[]): void {
  for (const [i, { amount }] of more.entries()) {
    hold.granted[i] = (hold.granted[i] ?? 0n) + amount;
    hold.left[i] = (hold.left[i] ?? 0n) + amount;
  }
}
