import type { Clock } from '@synapsekit/core';
import { type Answer, isPromise } from './deadline.ts';

/**
 * Keeps a hold alive while somebody works under it. It is renewed when there was work since the last time, so that the
 * hold of a stream that nobody reads any more ends by itself.
 */
export class LeaseRenewal {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  /** How often to renew: well within the lease, so that one may fail. */
  readonly #everyMs: number;
  readonly #renew: () => Answer<boolean>;
  #renewedAtMs: number;
  #working = 0;
  #worked = false;
  #cancel: (() => void) | undefined;
  #stopped = false;

  /** @param renew false: there is nothing to renew any more. */
  constructor(clock: Clock, leaseMs: number, renew: () => Answer<boolean>) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#everyMs = leaseMs / 3;
    this.#renew = renew;
    this.#renewedAtMs = clock.monotonic();
  }

  /** The lease is known to last until then, monotonic milliseconds. */
  get leaseEndsAtMs(): number {
    return this.#renewedAtMs + this.#leaseMs;
  }

  /** Work begins: a call, or a read of a stream. */
  begin(): void {
    this.#working += 1;
    if (this.#cancel !== undefined || this.#stopped) return;
    this.#arm(this.#everyMs);
    // After a pause in which nobody renewed.
    if (this.#clock.monotonic() - this.#renewedAtMs >= this.#everyMs) this.#ask();
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
    const askedAtMs = this.#clock.monotonic();
    const renewed = (still: boolean): void => {
      if (still) this.#renewedAtMs = askedAtMs;
    };
    try {
      const answer = this.#renew();
      if (isPromise(answer)) answer.then(renewed, () => this.#askSoon());
      else renewed(answer);
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
