import type { PicoUsd } from './money.ts';

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
   */
  post(request: PostRequest): void | Promise<void>;
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
export interface LedgerWindow {
  /** `"2026-11-23@UTC"`, or `"total"`. */
  readonly id: string;
  /** Unix milliseconds; absent when it never ends. A store may forget the window some time after. */
  readonly endsAtMs?: number | undefined;
}

/** One counter. */
export interface LedgerKey {
  /** Guard and limit (and attribute values), without the window. */
  readonly key: string;
  readonly window: LedgerWindow;
}

/** One counter with what is asked of it. */
export interface ReserveLine extends LedgerKey {
  /** The most that may be committed and held, in units. */
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

/** What an attempt cost, line by line. */
export interface PostRequest {
  readonly attemptId: string;
  /** The hold it ran under, if any. */
  readonly holdId?: string | undefined;
  readonly lines: readonly (LedgerKey & { readonly amount: bigint })[];
  readonly kind: 'estimated' | 'actual';
  /** Also ends the hold, in the same step, as `close` does. @default false */
  readonly close?: boolean | undefined;
}

/** One counter, now. */
export interface LedgerStatus extends LedgerKey {
  readonly committed: bigint;
  readonly held: bigint;
}
