import { type Clock, systemClock } from '@synapsekit/core';

/** The system's clock, which knows how many of its timers and sleeps are pending: also those that hold up no exit. */
export class WatchedClock implements Clock {
  #pending = 0;

  /** Timers and sleeps that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  async sleep(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    this.#pending += 1;
    try {
      await systemClock.sleep(ms, options);
    } finally {
      this.#pending -= 1;
    }
  }

  timer(ms: number, callback: () => void): () => void {
    let pending = true;
    const over = (): void => {
      if (pending) this.#pending -= 1;
      pending = false;
    };
    this.#pending += 1;
    const cancel = systemClock.timer(ms, () => {
      over();
      callback();
    });
    return () => {
      over();
      cancel();
    };
  }
}
