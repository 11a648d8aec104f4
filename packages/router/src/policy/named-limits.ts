import { type BudgetRemaining, ConfigError, nearestName } from '@synapsekit/core';

/**
 * Looks whether a budget has the limits that somebody names. Limits by attribute show with the calls that they are for, so
 * one that does not show is refused only where another name was probably meant; else a warning of the process says once
 * that it has not been seen.
 */
export class NamedLimits {
  /** Those that have not been seen yet. */
  readonly #missing: Set<string>;
  #warned = false;

  constructor(names: readonly string[]) {
    this.#missing = new Set(names);
  }

  /**
   * Looks at the limits that everybody has.
   *
   * @throws ConfigError for a name that is nearly one of them.
   */
  check(states: readonly BudgetRemaining[]): void {
    for (const { limit } of states) this.#missing.delete(limit);
    for (const name of this.#missing) {
      const near = nearestName(
        name,
        states.map(({ limit }) => limit),
      );
      if (near === undefined) continue;
      throw new ConfigError(`The budget has no limit "${name}". Did you mean "${near}"?`, {
        option: 'limits',
      });
    }
  }

  /**
   * Looks at the limits of a call.
   *
   * @throws ConfigError like `check`.
   */
  checkCall(states: readonly BudgetRemaining[]): void {
    if (this.#missing.size === 0) return;
    this.check(states);
    if (this.#missing.size === 0 || this.#warned) return;
    this.#warned = true;
    const names = [...this.#missing].map((name) => `"${name}"`).join(', ');
    const there = [...new Set(states.map(({ limit }) => limit))].join(', ') || 'none';
    process.emitWarning(
      `paceBudget is to pace ${names}, and the budget of the first call has no such limit. It has: ${there}. Nothing is paced by what is not there.`,
      { type: 'SynapseKitWarning', code: 'SYNAPSEKIT_LIMITS' },
    );
  }
}
