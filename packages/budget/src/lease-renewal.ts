import type { Clock } from '@synapsekit/core';
import { type Answer, isPromise } from './deadline.ts';

/**
 * Keeps a hold alive while somebody works under it. It is renewed when there was work since the last time, so that the
 * hold of a stream that nobody reads any more ends by itself.
 */
export class LeaseRenewal {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #renew: () => Answer<unknown>;
  #working = 0;
  #worked = false;
  #cancel: (() => void) | undefined;
  #stopped = false;

  /** @param everyMs how often to renew: well below the lease, so that one may fail. */
  constructor(clock: Clock, everyMs: number, renew: () => Answer<unknown>) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#renew = renew;
  }

  /** Work begins: a call, or a read of a stream. */
  begin(): void {
    this.#working += 1;
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#arm(this.#everyMs);
    if (this.#worked) this.#ask(); // after a pause in which nobody renewed
  }

  /** Work ends. */
  end(): void {
    this.#working -= 1;
    this.#worked = true;
  }

  /** The hold is over. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#clock.timer(ms, () => {
      this.#cancel = undefined;
      if (this.#stopped || (this.#working === 0 && !this.#worked)) return;
      this.#worked = this.#working > 0;
      this.#arm(this.#everyMs);
      this.#ask();
    });
  }

  #ask(): void {
    try {
      const renewed = this.#renew();
      if (isPromise(renewed)) renewed.catch(() => this.#askSoon());
    } catch {
      this.#askSoon();
    }
  }

  /** The ledger did not take it: there is time for some more tries. */
  #askSoon(): void {
    if (this.#stopped) return;
    this.#worked = true;
    this.#arm(this.#everyMs / 8);
  }
}
