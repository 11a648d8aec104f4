import { CallTimeoutError, type Clock, linkSignals, requireNumber, systemClock } from '@synapsekit/core';
import { timeoutMessage } from './stream-limits.ts';

/** How `withTimeout` waits. */
export interface WithTimeoutOptions {
  /** The caller's: its abort is an abort, not a timeout. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Gives a function so much time. When it is over, the function's signal aborts with the `CallTimeoutError` that the
 * caller gets, and a function that goes on all the same is left behind: what becomes of it is nobody's concern.
 *
 * ```ts
 * const answer = await withTimeout(({ signal }) => llm.generate(prompt, { signal }), 10_000);
 * ```
 *
 * @param ms milliseconds, above 0.
 * @throws CallTimeoutError; `signal.reason` as soon as `signal` aborts; whatever `fn` throws; ConfigError when `ms`
 *   is no such number.
 */
export async function withTimeout<T>(
  fn: (context: { readonly signal: AbortSignal }) => T | PromiseLike<T>,
  ms: number,
  { signal, clock = systemClock }: WithTimeoutOptions = {},
): Promise<T> {
  requireNumber(ms, 'ms', { above: 0 });
  signal?.throwIfAborted();
  const link = linkSignals(signal);
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {}); // `fn` may settle, or throw, before anybody waits
  link.signal.addEventListener('abort', () => {
    // One turn of grace: a callee that heeds its signal is to be through with its bookkeeping before its caller is.
    setImmediate(() => stopped.reject(link.signal.reason));
  });
  const cancel = clock.timer(ms, () => {
    link.abort(new CallTimeoutError(timeoutMessage('total', ms), { phase: 'total', timeoutMs: ms }));
  });
  try {
    const result = await Promise.race([fn({ signal: link.signal }), stopped.promise]);
    if (link.signal.aborted) throw link.signal.reason;
    return result;
  } catch (error) {
    throw link.signal.aborted ? link.signal.reason : error;
  } finally {
    cancel();
    link.dispose();
  }
}
