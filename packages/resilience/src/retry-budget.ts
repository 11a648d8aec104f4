import { rejectUnknownKeys, requireNumber } from '@synapsekit/core';

/** What a `RetryBudget` is built with. */
export interface RetryBudgetOptions {
  /** Retries in hand at the start, and the most that can be saved up. @default 10 */
  readonly capacity?: number | undefined;
  /** What each call that succeeds pays in. 0.1 lets one retry follow ten successes. @default 0.1 */
  readonly depositPerSuccess?: number | undefined;
}

/**
 * Bounds retries to a share of the traffic, so that they never multiply an outage: each retry takes one token, each
 * success pays a fraction back. Share one among everything that asks the same provider.
 *
 * @see https://github.com/grpc/proposal/blob/master/A6-client-retries.md (throttling of retry attempts)
 */
export class RetryBudget {
  readonly #capacity: number;
  readonly #depositPerSuccess: number;
  #tokens: number;

  /** @throws ConfigError for an unknown option or a value out of range. */
  constructor(options: RetryBudgetOptions = {}) {
    rejectUnknownKeys(options, ['capacity', 'depositPerSuccess'], 'RetryBudgetOptions');
    const { capacity = 10, depositPerSuccess = 0.1 } = options;
    this.#capacity = requireNumber(capacity, 'capacity', { min: 0 });
    this.#depositPerSuccess = requireNumber(depositPerSuccess, 'depositPerSuccess', { min: 0 });
    this.#tokens = this.#capacity;
  }

  /** Tokens in hand. */
  get available(): number {
    return this.#tokens;
  }

  /** Takes the token of one retry. False: there is none, so do not retry. */
  tryWithdraw(): boolean {
    // Ten deposits of 0.1 make one retry, whatever binary fractions say.
    if (this.#tokens < 1 - 1e-9) return false;
    this.#tokens = Math.max(0, this.#tokens - 1);
    return true;
  }

  /** Notes a call that succeeded. */
  deposit(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.#depositPerSuccess);
  }
}
