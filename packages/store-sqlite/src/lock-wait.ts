import { type Clock, LedgerError, type Random, systemClock } from '@synapsekit/core';
import { isLocked } from './sqlite-error.ts';

const firstSpreadMs = 6;
const lastSpreadMs = 1;

/**
 * How long to wait for a lock before asking again: a random time, so that processes do not meet again, from a range that
 * shrinks with each attempt, so that who has waited for long gets there before who has just come.
 */
export function retryDelayMs(attempt: number, random: Random): number {
  return 0.5 + random() * Math.max(lastSpreadMs, firstSpreadMs - attempt / 2);
}

/**
 * Waits in real time, whatever clock the ledger counts with: that is the time in which another process gives a lock
 * back. Deadlines are a matter of the ledger's clock.
 */
export function sleepForLock(ms: number): Promise<void> {
  return systemClock.sleep(ms);
}

/** The error of a request that has waited for the lock too long. */
export function lockedTooLong(path: string, lockTimeoutMs: number, cause?: unknown): LedgerError {
  return new LedgerError(
    `The ledger ${path} was locked by other processes for ${lockTimeoutMs} ms. Nothing was booked by this request. Ask again later.`,
    { transient: true, cause },
  );
}

/** Does something that may meet a lock, again and again, without ever blocking. */
export async function untilUnlocked<T>(
  attempt: () => T,
  { path, clock, random, lockTimeoutMs }: LockPatience,
): Promise<T> {
  const endsAtMs = clock.monotonic() + lockTimeoutMs;
  for (let attempts = 0; ; attempts++) {
    try {
      return attempt();
    } catch (error) {
      if (!isLocked(error)) throw error;
      if (clock.monotonic() >= endsAtMs) throw lockedTooLong(path, lockTimeoutMs, error);
    }
    await sleepForLock(retryDelayMs(attempts, random));
  }
}

/** How long to try, and how. */
export interface LockPatience {
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly lockTimeoutMs: number;
}
