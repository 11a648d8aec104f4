/** Time, as everything in SynapseKit sees it: injected, so that tests never sleep. */
export interface Clock {
  /** Wall time in Unix milliseconds: for calendar windows and time stamps only. May step. */
  now(): number;
  /** Milliseconds from an arbitrary origin that never go back: for every duration. */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds, or rejects with `signal.reason` as soon as `signal` aborts.
   * The wait belongs to a live call, so it keeps the process alive.
   */
  sleep(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * Runs `callback` once after `ms` milliseconds unless the returned function is called first.
   * Never keeps the process alive.
   */
  timer(ms: number, callback: () => void): () => void;
}

/** `setTimeout` fires at once beyond this; longer waits are cut into pieces. */
const maxTimeoutMs = 2_147_483_647;

/** The real clock: `Date.now`, `performance.now`, `setTimeout`. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, { signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = startTimer(ms, true, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
  timer: (ms, callback) => startTimer(ms, false, callback),
};

function startTimer(ms: number, keepAlive: boolean, callback: () => void): () => void {
  let handle: NodeJS.Timeout;
  const arm = (restMs: number): void => {
    const stepMs = Math.min(restMs, maxTimeoutMs);
    handle = setTimeout(() => (restMs > stepMs ? arm(restMs - stepMs) : callback()), stepMs);
    if (!keepAlive) handle.unref();
  };
  arm(Math.max(0, ms));
  return () => clearTimeout(handle);
}
