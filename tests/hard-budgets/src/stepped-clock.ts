import { type Clock, systemClock } from '@synapsekit/core';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/**
 * The system's clock, with a wall time that starts an hour before the next midnight (UTC) and can be set past it.
 * Monotonic time, sleeps and timers are real. All days end in the future for stores that have a time of their own.
 */
export class SteppedClock implements Clock {
  #midnightMs = (Math.floor(Date.now() / dayMs) + 1) * dayMs;
  #offsetMs = this.#midnightMs - hourMs - systemClock.monotonic();

  now(): number {
    return systemClock.monotonic() + this.#offsetMs;
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  sleep(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    return systemClock.sleep(ms, options);
  }

  timer(ms: number, callback: () => void): () => void {
    return systemClock.timer(ms, callback);
  }

  /** The day (UTC) that it is: `"2026-11-23"`. */
  get day(): string {
    return new Date(this.now()).toISOString().slice(0, 10);
  }

  /** A minute past the next midnight. */
  crossMidnight(): void {
    this.#offsetMs = this.#midnightMs + 60_000 - systemClock.monotonic();
    this.#midnightMs += dayMs;
  }
}
