import type { Clock } from '@synapsekit/core';
import type { Answer } from './deadline.ts';
import { LeaseRenewal } from './lease-renewal.ts';

/** Keeps a hold alive while anybody works under it, and closes it when the last one has left. */
export class HoldKeeper {
  readonly #renewal: LeaseRenewal;
  readonly #close: () => void;
  #users = 0;

  /** @param leaseMs how long the hold lives without a renewal. */
  constructor(clock: Clock, leaseMs: number, renew: () => Answer<boolean>, close: () => void) {
    this.#renewal = new LeaseRenewal(clock, leaseMs, renew);
    this.#close = close;
  }

  /** The lease is known to last until then, monotonic milliseconds. */
  get leaseEndsAtMs(): number {
    return this.#renewal.leaseEndsAtMs;
  }

  /** True while somebody uses the hold beside the one who asks. */
  get shared(): boolean {
    return this.#users > 1;
  }

  /** Somebody uses the hold: a call, an attempt that is out, whoever reserved it by hand. */
  retain(): void {
    this.#users += 1;
  }

  /** Somebody has left. */
  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#close();
  }

  /** Work begins. */
  begin(): void {
    this.#renewal.begin();
  }

  /** Work ends, or pauses. */
  end(): void {
    this.#renewal.end();
  }

  /** The hold is over. */
  stop(): void {
    this.#renewal.stop();
  }
}
