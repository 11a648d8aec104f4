import type { Clock } from '@synapsekit/core';

// Taken when this module is loaded: a case that leaves fake timers behind stops everybody's time but the runner's.
const { setTimeout, clearTimeout } = globalThis;
const wallTime = Date.now;
const monotonic = performance.now.bind(performance);

/** `setTimeout` fires at once beyond this; longer waits are cut into pieces. */
const maxTimeoutMs = 2 ** 31 - 1;

/**
 * The real clock, whatever cases put in the place of `setTimeout`, `Date` and `performance.now`: what limits and measures a
 * case must not be in its hands.
 */
export const realClock: Clock = {
  now: () => wallTime(),
  monotonic: () => monotonic(),
  sleep(ms, { signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
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
  const restMs = ms - maxTimeoutMs;
  let cancel = (): void => clearTimeout(handle);
  const goOn = (): void => {
    cancel = startTimer(restMs, keepAlive, callback);
  };
  const handle = setTimeout(restMs > 0 ? goOn : callback, Math.min(ms, maxTimeoutMs));
  if (!keepAlive) handle.unref();
  return () => cancel();
}
