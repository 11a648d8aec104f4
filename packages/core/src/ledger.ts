import type { PicoUsd } from './money.ts';

/** The largest amount, and the largest limit, that ledgers take, in units. As a limit it stands for none. */
export const largestLedgerAmount: bigint = 2n ** 62n;

/**
 * The store behind a budget: amounts committed (spent) and held (promised to calls in flight), per key and window.
 * Every operation is atomic over all of its lines and idempotent by its ids, so that it can be repeated after a lost
 * reply. A store may answer at once or with a promise; it never decides amounts or windows.
 *
 * A ledger works in one unit of its own: `unitPico` pico-dollars. Amounts and limits passed to it are whole units;
 * the guard rounds against the spender before it calls.
 */
export interface LedgerStore {
  /** Size of one unit in pico-dollars. 1n where the store counts 64-bit integers. */
  readonly unitPico: PicoUsd;
  /**
   * Holds the amounts of all lines, or of none. Asking again with the same `holdId` and the same or smaller amounts
   * changes nothing; with larger amounts it raises the hold to them (same keys and windows). Admitted when, for every
   * line, committed + held + amount <= limit; a line of amount 0 is always admitted.
   *
   * @throws LedgerError when the store is away (transient), or the id was used with other keys, has expired or is
   *   closed (not): also closed before it was ever seen, since a reservation may arrive after its caller gave up.
   */
  reserve(request: ReserveRequest): ReserveResult | Promise<ReserveResult>;
  /**
   * Books what an attempt cost. Upsert by (line key, attemptId): the first booking wins its window; a later
   * `"actual"` replaces an `"estimated"` one once; a later `"estimated"` raises an earlier smaller one; everything
   * else changes nothing. What it books draws down the hold it ran under, line by line where key and window are the
   * same; any excess is booked in full. A smaller replacement frees the difference: it does not go back into the hold.
   * A hold that is closed or not known (any more) is no obstacle: money that was spent is booked.
   *
   * Returns the marks that it crossed: those of its lines that no post was told of yet and that `committed` has
   * reached. Each is told once per key and window, to one post (and again to repeats of that very post, whose reply may
   * have been lost), over all processes. In a rolling window it can be crossed anew once `committed` was below it.
   */
  post(request: PostRequest): readonly CrossedMark[] | Promise<readonly CrossedMark[]>;
  /**
   * Ends a hold: what it still holds is free again. So is what its expiry booked beyond its posts: an owner that
   * closes is alive and has posted all that it spent. Closing twice changes nothing. An id that was never seen is
   * remembered as closed.
   */
  close(holdId: string): void | Promise<void>;
  /** Keeps a hold alive for `leaseMs` from now. False when it is not there any more (expired or closed). */
  renew(holdId: string, leaseMs: number): boolean | Promise<boolean>;
  /** What is committed and held, for each key and window asked for. */
  status(keys: readonly LedgerKey[]): readonly LedgerStatus[] | Promise<readonly LedgerStatus[]>;
  /** Resolves when everything acknowledged is as durable as the store makes it. */
  flush(): void | Promise<void>;
  /** Releases what the store holds open. Holds stay. */
  dispose(): void | Promise<void>;
}

/** A calendar window: part of the key, so that nothing ever has to be reset. */
export interface CalendarWindow {
  /** `"2026-11-23@UTC"`, or `"total"`. */
  readonly id: string;
  /** Unix milliseconds; absent when it never ends. A store may forget the window some time after. */
  readonly endsAtMs?: number | undefined;
  readonly lengthMs?: undefined;
}

/**
 * A window that moves with the time: what was committed in the last `lengthMs`, in `slots` equal parts. It counts the
 * part that is running and the `slots` before it, so never less than the last `lengthMs`, and at most one part more.
 *
 * - What is booked under a hold counts from the part in which the hold was first admitted; without a hold, from the part
 *   in which it is booked; what replaces an estimate, where the estimate was.
 * - What is held counts for as long as the hold lives.
 * - Time is the store's own, and never goes back: part number `n` begins at `n * lengthMs / slots` of its clock.
 */
export interface RollingWindow {
  /** Part of the key, and the same for the same length and slots: `"rolling-3600s"`. */
  readonly id: string;
  /** A multiple of `slots`. */
  readonly lengthMs: number;
  /** How many parts it has: 1 to 360. */
  readonly slots: number;
  readonly endsAtMs?: undefined;
}

/** When a counter counts. A rolling window is one that has a `lengthMs`. */
export type LedgerWindow = CalendarWindow | RollingWindow;

/** One counter. */
export interface LedgerKey {
  /** Guard and limit (and attribute values), without the window. */
  readonly key: string;
  readonly window: LedgerWindow;
}

/** One counter with what is asked of it. */
export interface ReserveLine extends LedgerKey {
  /**
   * The most that may be committed and held, in units. May be below what is used, or below zero; at most
   * `largestLedgerAmount`, which stands for no limit: none is remembered. A reservation that would take a counter past
   * that amount is refused under any limit, so that its figures stay exact; what is posted is booked all the same.
   */
  readonly limit: bigint;
  /** What to hold in all, in units. */
  readonly amount: bigint;
}

/** All or nothing over `lines`. A key stands in one line only. */
export interface ReserveRequest {
  readonly holdId: string;
  readonly lines: readonly ReserveLine[];
  /** The hold ends by itself this long after the last `renew`, milliseconds. */
  readonly leaseMs: number;
  /**
   * What becomes of the rest of a hold whose owner died: free again, or booked as if it had been spent. A post that
   * comes later under a hold booked this way draws down what was booked, so that nothing counts twice.
   */
  readonly onExpiry: 'release' | 'book';
}

/** The answer to a reservation. */
export type ReserveResult =
  | { readonly admitted: true }
  | {
      readonly admitted: false;
      /** The first line that did not fit, with its state. */
      readonly refused: LedgerStatus & { readonly limit: bigint; readonly amount: bigint };
    };

/** One counter with what to book on it. */
export interface PostLine extends LedgerKey {
  /** In units. */
  readonly amount: bigint;
  /** Amounts of `committed`, in units, whose crossing somebody wants to be told of: ascending, at most 16. */
  readonly marks?: readonly bigint[] | undefined;
}

/** A mark that was crossed. */
export interface CrossedMark extends LedgerKey {
  /** In units. */
  readonly mark: bigint;
  /** What is committed now, in units. */
  readonly committed: bigint;
}

/** What an attempt cost, line by line. */
export interface PostRequest {
  readonly attemptId: string;
  /** The hold it ran under, if any. */
  readonly holdId?: string | undefined;
  readonly lines: readonly PostLine[];
  readonly kind: 'estimated' | 'actual';
  /** Also ends the hold, in the same step, as `close` does. @default false */
  readonly close?: boolean | undefined;
}

/** One counter, now. */
export interface LedgerStatus extends LedgerKey {
  readonly committed: bigint;
  readonly held: bigint;
}

/** A store that can be looked into: for tools, not for calls. The stores of SynapseKit all can. */
export interface InspectableLedger extends LedgerStore {
  /** The counters that there are, by key and then window, with what was last asked of them. */
  counters(query?: LedgerQuery): readonly LedgerCounter[] | Promise<readonly LedgerCounter[]>;
  /** The holds that are open, those that end first at the front. */
  holds(query?: LedgerQuery): readonly LedgerHold[] | Promise<readonly LedgerHold[]>;
  /**
   * Sets `committed` of a counter to zero and forgets which of its marks were told. What is held stays held. An estimate
   * that was booked before and is replaced later cannot bring `committed` below zero.
   */
  reset(key: LedgerKey): void | Promise<void>;
}

/** Which part of a ledger to look at. */
export interface LedgerQuery {
  /** Only keys that begin with this. @default all */
  readonly prefix?: string | undefined;
  /** At most so many. @default 1_000 */
  readonly maxCount?: number | undefined;
}

/** One counter, with the limit that the last reservation named. */
export interface LedgerCounter extends LedgerStatus {
  /** In units; absent when nobody reserved on it yet. */
  readonly limit?: bigint | undefined;
}

/** One open hold. */
export interface LedgerHold {
  readonly holdId: string;
  /** What it holds still, line by line, in units. */
  readonly lines: readonly (LedgerKey & { readonly left: bigint })[];
  /** Milliseconds until its lease ends unless it is renewed. */
  readonly leaseLeftMs: number;
  readonly onExpiry: ReserveRequest['onExpiry'];
}
