/**
 * A token bucket: `capacity` tokens, filled again at an even rate of `capacity` per minute. The level may go below
 * zero inside (a call used more than it had estimated): then the debt is paid by waiting.
 */
export class TokenBucket {
  readonly capacity: number;
  readonly #perMs: number;
  #level: number;
  #atMs: number;

  constructor(perMinute: number, nowMs: number) {
    this.capacity = perMinute;
    this.#perMs = perMinute / 60_000;
    this.#level = perMinute;
    this.#atMs = nowMs;
  }

  /** Tokens there are now, never below zero. */
  available(nowMs: number): number {
    this.#fill(nowMs);
    return Math.max(0, this.#level);
  }

  /** Milliseconds until `amount` are there; 0 if they are. */
  waitMs(amount: number, nowMs: number): number {
    this.#fill(nowMs);
    const missing = amount - this.#level;
    // Less than a millionth of a token is rounding.
    return missing <= 1e-6 ? 0 : missing / this.#perMs;
  }

  /** Takes tokens, more than there are if it must be; a negative amount gives them back. */
  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level -= amount;
  }

  /** There are no more than `amount`, as the provider says. */
  lower(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level = Math.min(this.#level, Math.max(0, amount));
  }

  #fill(nowMs: number): void {
    this.#level = Math.min(this.capacity, this.#level + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
