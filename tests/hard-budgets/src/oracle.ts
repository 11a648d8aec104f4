/** One limit, as the oracle sees it: a counter with what was billed on it. */
interface Counter {
  readonly limitPico: bigint;
  billedPico: bigint;
  /** What calls cost beyond their holds: the part of the spend that no hold could have foreseen. */
  excessPico: bigint;
}

/** A call that may spend: on which counters, and what it will still be billed. */
interface Running {
  readonly counters: readonly string[];
  remainingPico: bigint;
}

/**
 * Knows what every call will cost, and what was billed. Says whether a refusal was false, and what was spent above a
 * limit.
 */
export class Oracle {
  readonly #limitOf: (counter: string) => bigint;
  readonly #counters = new Map<string, Counter>();
  readonly #running = new Map<number, Running>();

  /** @param limitOf the limit of a counter, in pico-dollars. */
  constructor(limitOf: (counter: string) => bigint) {
    this.#limitOf = limitOf;
  }

  /** A call was admitted: from now on it is in flight. */
  admitted(callId: number, counters: readonly string[], remainingPico: bigint): void {
    this.#running.set(callId, { counters, remainingPico });
  }

  /** The provider bills something. `excessPico` is the part of it above what the guard had to hold. */
  billed(callId: number, counters: readonly string[], amountPico: bigint, excessPico: bigint): void {
    for (const name of counters) {
      const counter = this.#counter(name);
      counter.billedPico += amountPico;
      counter.excessPico += excessPico;
    }
    const running = this.#running.get(callId);
    if (running !== undefined) running.remainingPico -= amountPico;
  }

  /** A call is over, whatever came of it. */
  ended(callId: number): void {
    this.#running.delete(callId);
  }

  /**
   * Whether a call that was refused just now would have fit under all of its limits, had the real costs of everything in
   * flight, and its own, been known.
   */
  wouldHaveFit(counters: readonly string[], ownPico: bigint): boolean {
    return counters.every((name) => {
      const { billedPico, limitPico } = this.#counter(name);
      return billedPico + this.#remaining(name) + ownPico <= limitPico;
    });
  }

  /** What was billed on a counter. */
  billedOn(name: string): bigint {
    return this.#counter(name).billedPico;
  }

  get counters(): readonly string[] {
    return [...this.#counters.keys()];
  }

  /** Spend above a limit that is not explained by calls that cost more than was held for them: the worst of all limits. */
  get overshootPico(): bigint {
    let worst = 0n;
    for (const { billedPico, limitPico, excessPico } of this.#counters.values()) {
      const over = billedPico - limitPico - excessPico;
      if (over > worst) worst = over;
    }
    return worst;
  }

  /** The same with the spend that is explained. */
  get explainedPico(): bigint {
    let worst = 0n;
    for (const { billedPico, limitPico } of this.#counters.values()) {
      if (billedPico - limitPico > worst) worst = billedPico - limitPico;
    }
    return worst;
  }

  #remaining(name: string): bigint {
    let sum = 0n;
    for (const { counters, remainingPico } of this.#running.values()) {
      if (remainingPico > 0n && counters.includes(name)) sum += remainingPico;
    }
    return sum;
  }

  #counter(name: string): Counter {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      counter = { limitPico: this.#limitOf(name), billedPico: 0n, excessPico: 0n };
      this.#counters.set(name, counter);
    }
    return counter;
  }
}
