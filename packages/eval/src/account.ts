import type { Attempt } from '@synapsekit/core';
import { type Charge, prevailing } from './charge.ts';
import { type MeasuredCost, sumCharges } from './measured-cost.ts';

const noAttempts: ReadonlyMap<string, Attempt> = new Map();

/** The books of a meter: what was started and charged in it, and in the accounts under it. */
export class Account {
  readonly parent: Account | undefined;
  /** False once its meter was closed. */
  open = true;
  readonly #charges: Map<string, Charge> = new Map();
  /** Charged right here, not in an account under it. */
  readonly #own: Map<string, Charge> = new Map();
  /** `undefined`: still running. */
  readonly #attempts: Map<string, Attempt | undefined> = new Map();
  #running = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(parent: Account | undefined) {
    this.parent = parent;
  }

  get cost(): MeasuredCost {
    return sumCharges(this.#charges, this.#attempts);
  }

  get ownCost(): MeasuredCost {
    return sumCharges(this.#own, noAttempts);
  }

  get attempts(): readonly Attempt[] {
    return [...this.#attempts.values()].filter((attempt) => attempt !== undefined);
  }

  get attemptIds(): Iterable<string> {
    return this.#attempts.keys();
  }

  /** True when this is `other`, or an account under it. */
  isWithin(other: Account): boolean {
    return this === other || this.parent?.isWithin(other) === true;
  }

  begin(attemptId: string): void {
    this.#attempts.set(attemptId, undefined);
    this.#running++;
    this.parent?.begin(attemptId);
  }

  end(attempt: Attempt): void {
    if (this.#attempts.get(attempt.attemptId) === undefined) this.#running--;
    this.#attempts.set(attempt.attemptId, attempt);
    if (this.#running === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
    this.parent?.end(attempt);
  }

  charge(charge: Charge): void {
    this.#own.set(charge.attemptId, prevailing(this.#own.get(charge.attemptId), charge));
    for (let account: Account | undefined = this; account !== undefined; account = account.parent) {
      account.#charges.set(charge.attemptId, prevailing(account.#charges.get(charge.attemptId), charge));
    }
  }

  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }
}
