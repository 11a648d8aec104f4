import {
  type Clock,
  callListener,
  failureRule,
  isSynapseError,
  type LLM,
  type Random,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemRandom,
  warnOfListener,
} from '@synapsekit/core';
import type { RetryBudget } from './retry-budget.ts';

/** A retry is about to be waited for. */
export interface RetryEvent {
  /** Which attempt failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** The wait before the next one. */
  readonly delayMs: number;
}

/** How calls are retried. */
export interface RetryOptions {
  /** Attempts in all, the first one included. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** The wait after the first failure. @default 500 */
  readonly baseDelayMs?: number | undefined;
  /** Each further wait is so many times the one before. @default 2 */
  readonly factor?: number | undefined;
  /** The longest wait of our own choosing; a provider may ask for a longer one. @default 8_000 */
  readonly maxDelayMs?: number | undefined;
  /** Lengthens each wait by a random share of up to this, so that clients come back apart. @default 0.5 */
  readonly jitter?: number | undefined;
  /** When a provider asks to wait longer than this, the call fails now. @default 60_000 */
  readonly maxRetryAfterMs?: number | undefined;
  /** Attempts and waits together: a wait that would end later fails now. @default none */
  readonly maxElapsedMs?: number | undefined;
  /** Bounds retries to a share of the traffic. @default none */
  readonly budget?: RetryBudget | undefined;
  /**
   * Which errors to retry. Aborts are never retried, nor streams that have handed out content.
   * @default what core's `failureRules` say: lost connections, 5xx, 429, timeouts; never bad requests, budget
   *   refusals, quota, open circuits or unknown errors
   */
  readonly retryOn?: ((error: unknown, attempt: number) => boolean) | undefined;
  /** Is told of each retry before its wait. */
  readonly onRetry?: ((event: RetryEvent) => unknown) | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

const optionNames = [
  'maxAttempts',
  'baseDelayMs',
  'factor',
  'maxDelayMs',
  'jitter',
  'maxRetryAfterMs',
  'maxElapsedMs',
  'budget',
  'retryOn',
  'onRetry',
  'clock',
  'random',
] as const satisfies readonly (keyof RetryOptions)[];

/** The rules of retrying, checked once; `begin` starts one call under them. */
export class RetryPolicy {
  readonly maxAttempts: number;
  readonly maxElapsedMs: number;
  readonly budget: RetryBudget | undefined;
  readonly clock: Clock;
  readonly #baseDelayMs: number;
  readonly #factor: number;
  readonly #maxDelayMs: number;
  readonly #jitter: number;
  readonly #maxRetryAfterMs: number;
  readonly #retryOn: (error: unknown, attempt: number) => boolean;
  readonly #onRetry: ((event: RetryEvent) => unknown) | undefined;
  readonly #random: Random;

  /** @throws ConfigError for an unknown option or a value out of range. */
  constructor(options: RetryOptions = {}) {
    rejectUnknownKeys(options, optionNames, 'RetryOptions');
    const {
      maxAttempts = 3,
      baseDelayMs = 500,
      factor = 2,
      maxDelayMs = Math.max(8_000, baseDelayMs),
      jitter = 0.5,
      maxRetryAfterMs = 60_000,
      maxElapsedMs,
      retryOn = (error) => failureRule(error).retry,
      clock = systemClock,
      random = systemRandom,
    } = options;
    this.maxAttempts = requireNumber(maxAttempts, 'maxAttempts', { integer: true, min: 1 });
    this.#baseDelayMs = requireNumber(baseDelayMs, 'baseDelayMs', { min: 0 });
    this.#factor = requireNumber(factor, 'factor', { min: 1 });
    this.#maxDelayMs = requireNumber(maxDelayMs, 'maxDelayMs', { min: baseDelayMs });
    this.#jitter = requireNumber(jitter, 'jitter', { min: 0, max: 1 });
    this.#maxRetryAfterMs = requireNumber(maxRetryAfterMs, 'maxRetryAfterMs', { min: 0 });
    this.maxElapsedMs =
      maxElapsedMs === undefined ? Infinity : requireNumber(maxElapsedMs, 'maxElapsedMs', { above: 0 });
    this.budget = options.budget;
    this.clock = clock;
    this.#retryOn = retryOn;
    this.#onRetry = options.onRetry;
    this.#random = random;
  }

  /** Starts one call. */
  begin(signal: AbortSignal | undefined): RetryRun {
    return new RetryRun(this, signal);
  }

  mayRetry(error: unknown, attempt: number): boolean {
    if (attempt >= this.maxAttempts) return false;
    try {
      return this.#retryOn(error, attempt);
    } catch (fault) {
      warnOfListener('retryOn of retry()', fault);
      return false;
    }
  }

  /**
   * The wait after the `attempt`-th failure; `undefined` when the provider asks for a longer one than we grant. Never
   * shorter than asked, and spread even where 0 is asked: many clients are told the same.
   */
  delayMs(error: unknown, attempt: number): number | undefined {
    const ownMs = Math.min(this.#maxDelayMs, this.#baseDelayMs * this.#factor ** (attempt - 1));
    const askedMs = retryAfterOf(error);
    if (askedMs === undefined) return ownMs * (1 + this.#jitter * this.#random());
    if (askedMs > this.#maxRetryAfterMs) return undefined;
    const spreadMs = Math.min(this.#maxDelayMs, Math.max(askedMs, this.#baseDelayMs));
    return askedMs + spreadMs * this.#jitter * this.#random();
  }

  tell(event: RetryEvent): void {
    if (this.#onRetry === undefined) return;
    callListener(this.#onRetry, event, (error) => warnOfListener('onRetry of retry()', error));
  }
}

/** One call under a policy. */
export class RetryRun {
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal | undefined;
  readonly #startedMs: number;
  #attempt = 1;

  constructor(policy: RetryPolicy, signal: AbortSignal | undefined) {
    this.#policy = policy;
    this.#signal = signal;
    this.#startedMs = policy.clock.monotonic();
  }

  /** Which attempt is under way, from 1. */
  get attempt(): number {
    return this.#attempt;
  }

  succeeded(): void {
    this.#policy.budget?.deposit();
  }

  /**
   * Waits until the next attempt may go.
   *
   * @param model what would be asked again: not waited for if its circuit is open for longer than the wait.
   * @throws the error if there is to be no other attempt; `signal.reason` on abort.
   */
  async failed(error: unknown, model?: LLM): Promise<void> {
    const policy = this.#policy;
    const signal = this.#signal;
    if (signal?.aborted === true) throw signal.reason;
    if (!policy.mayRetry(error, this.#attempt)) throw error;
    const delayMs = policy.delayMs(error, this.#attempt);
    if (delayMs === undefined) throw error;
    const elapsedMs = policy.clock.monotonic() - this.#startedMs;
    if (elapsedMs + delayMs > policy.maxElapsedMs) throw error;
    if (model !== undefined && staysOpen(model, delayMs)) throw error;
    if (policy.budget?.tryWithdraw() === false) throw error;
    policy.tell({ attempt: this.#attempt, error, delayMs });
    await policy.clock.sleep(delayMs, { signal });
    this.#attempt++;
  }
}

function staysOpen(model: LLM, ms: number): boolean {
  const state = model.availability?.();
  if (state?.available !== false || !isSynapseError(state.error, 'circuit-open')) return false;
  return (state.retryAfterMs ?? Infinity) > ms;
}

/** What the provider asks for, if it is a time. */
function retryAfterOf(error: unknown): number | undefined {
  const asked = isSynapseError(error, 'provider') ? error.retryAfterMs : undefined;
  return asked !== undefined && asked >= 0 ? asked : undefined;
}
