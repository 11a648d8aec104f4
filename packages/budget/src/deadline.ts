import { type Clock, LedgerError } from '@synapsekit/core';

/** Something that a store answers at once or later. */
export type Answer<T> = T | Promise<T>;

export function isPromise<T>(answer: Answer<T>): answer is Promise<T> {
  return (
    typeof answer === 'object' && answer !== null && typeof (answer as { then?: unknown }).then === 'function'
  );
}

/**
 * Waits for a promise, but not for ever.
 *
 * @throws LedgerError, transient, after `timeoutMs`; `signal.reason` on abort.
 */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<T> {
  const done = new AbortController();
  const giveUp = async (): Promise<never> => {
    // The wait belongs to a live call, hence `sleep`.
    await clock.sleep(timeoutMs, { signal: done.signal });
    throw new LedgerError("The budget's ledger did not answer in time. Nothing was sent. Try again later.", {
      transient: true,
    });
  };
  const onAbort = (): void => done.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  promise.catch(() => {}); // may fail later, when nobody waits any more
  const late = giveUp();
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    done.abort();
  }
}
