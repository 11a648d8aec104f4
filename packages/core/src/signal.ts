/** An abort signal that follows others, without the cost and the leaks of `AbortSignal.any`. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Lets go of the signals that it follows. Call it when the work is done, or their listeners pile up. */
  dispose(): void;
}

/** A controller that aborts when any of `sources` does, with that one's reason. */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const followed: [AbortSignal, () => void][] = [];
  const dispose = (): void => {
    for (const [source, follow] of followed.splice(0)) source.removeEventListener('abort', follow);
  };
  for (const source of sources) {
    if (source === undefined) continue;
    if (source.aborted) {
      controller.abort(source.reason);
      dispose();
      break;
    }
    const follow = (): void => {
      controller.abort(source.reason);
      dispose();
    };
    source.addEventListener('abort', follow, { once: true });
    followed.push([source, follow]);
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    dispose,
  };
}

/**
 * Settles as `promise` does, or rejects with `signal.reason` as soon as `signal` aborts, whatever the promise does
 * later (its late rejection is handled).
 */
export async function raceAbort<T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * `raceAbort` for many waits on one signal, one after the other, as for the chunks of a stream: with one listener for
 * all of them. For signals that live no longer than the work: the listener stays.
 */
export function abortRacer(signal: AbortSignal): <T>(promise: PromiseLike<T>) => Promise<T> {
  let giveUp: ((reason: unknown) => void) | undefined;
  signal.addEventListener('abort', () => giveUp?.(signal.reason), { once: true });
  return (promise) =>
    new Promise((resolve, reject) => {
      giveUp = reject;
      if (signal.aborted) reject(signal.reason);
      promise.then(resolve, reject); // what comes too late is handled, and changes nothing
    });
}
