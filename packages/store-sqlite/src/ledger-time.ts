import type { Clock } from '@synapsekit/core';

/**
 * The time of the ledger, in whole milliseconds: wall time when it was opened, from there on the monotonic time of this
 * process, and never less than what any process has written into the file. A wall clock that is set while the ledger is
 * open moves nothing, so it neither ends leases nor brings spend back.
 */
export class LedgerTime {
  readonly #clock: Clock;
  #startMs: number;
  readonly #originMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.now();
    this.#originMs = clock.monotonic();
  }

  now(): number {
    return Math.floor(this.#startMs + (this.#clock.monotonic() - this.#originMs));
  }

  /** Another process is further. */
  reach(timeMs: number): void {
    const behindMs = timeMs - this.now();
    if (behindMs > 0) this.#startMs += behindMs;
  }

  /** Wall time, for what is said in wall time: the end of a window. */
  wall(): number {
    return this.#clock.now();
  }
}
