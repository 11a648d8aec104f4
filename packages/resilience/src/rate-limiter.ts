import {
  type Clock,
  ConfigError,
  linkSignals,
  RateLimitedError,
  type RateLimitState,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
} from '@synapsekit/core';
import { steadyMonotonic } from './steady-clock.ts';
import { TokenBucket } from './token-bucket.ts';

/** What a `RateLimiter` is built with. One limit at least is needed. */
export interface RateLimiterOptions {
  readonly requestsPerMinute?: number | undefined;
  /** Input and output tokens together, as providers count them. */
  readonly tokensPerMinute?: number | undefined;
  /** A call that would have to wait longer is refused at once. 0 never waits. @default 60_000 */
  readonly maxWaitMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** What a call takes from the limits. */
export interface RateUse {
  readonly requests: number;
  readonly tokens: number;
}

/** Leave for one call, taken from the limits by estimate. Settle it when the call has ended. */
export interface RateGrant extends Disposable {
  /** Replaces the estimate by what was used: gives back or takes more. The first word counts. */
  settle(used: RateUse): void;
}

interface Waiter extends RateUse {
  readonly deadlineMs: number;
  readonly turn: PromiseWithResolvers<void>;
  /** Lets the first in the queue look again. */
  wake: () => void;
}

/** Sleeps are rounded up to whole milliseconds. */
const roundingMs = 1;
/** Asked to wait longer, we ask again all the same: limits are raised. */
const maxThrottleMs = 60 * 60_000;
const nothing: RateUse = { requests: 0, tokens: 0 };

/**
 * Keeps calls under a provider's limits per minute: token buckets for requests and tokens, first come first served
 * (a large call is not overtaken by small ones). Share one among everything that uses the same key.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #now: () => number;
  /** A call that would have to wait longer is refused. */
  readonly maxWaitMs: number;
  readonly #requests: TokenBucket | undefined;
  readonly #tokens: TokenBucket | undefined;
  readonly #queue: Waiter[] = [];
  /** What all in the queue want together. */
  #queued: RateUse = nothing;
  #pausedUntilMs = -Infinity;

  /** @throws ConfigError without a limit, for an unknown option or a value out of range. */
  constructor(options: RateLimiterOptions) {
    const known = ['requestsPerMinute', 'tokensPerMinute', 'maxWaitMs', 'clock'];
    rejectUnknownKeys(options, known, 'RateLimiterOptions');
    const { requestsPerMinute, tokensPerMinute, maxWaitMs = 60_000, clock = systemClock } = options;
    if (requestsPerMinute === undefined && tokensPerMinute === undefined) {
      throw new ConfigError('A rate limiter needs requestsPerMinute or tokensPerMinute.', {
        option: 'requestsPerMinute',
      });
    }
    this.#clock = clock;
    this.#now = steadyMonotonic(clock);
    this.maxWaitMs = requireNumber(maxWaitMs, 'maxWaitMs', { min: 0 });
    this.#requests = this.#bucket(requestsPerMinute, 'requestsPerMinute');
    this.#tokens = this.#bucket(tokensPerMinute, 'tokensPerMinute');
  }

  /** What is left now; `undefined` where there is no limit. Never below zero. */
  remaining(): { readonly requests: number | undefined; readonly tokens: number | undefined } {
    const nowMs = this.#now();
    return { requests: this.#requests?.available(nowMs), tokens: this.#tokens?.available(nowMs) };
  }

  /** The most tokens that one call can take; infinite without a limit. */
  get tokenCapacity(): number {
    return this.#tokens?.capacity ?? Infinity;
  }

  /** Calls that are waiting. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Milliseconds that one more call would have to wait, behind those that wait already. */
  waitMs(tokens = 0): number {
    return this.#waitFor({ requests: 1, tokens }, this.#queued);
  }

  /**
   * Waits until a call may go, and takes one request and `tokens` (an estimate) from the limits.
   *
   * @throws RateLimitedError at once, if it is larger than the whole bucket or would wait longer than `maxWaitMs`, and
   *   later if a pause makes it so; `signal.reason` as soon as `signal` aborts, and the place in the queue is free.
   */
  async acquire(
    options: { readonly tokens?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<RateGrant> {
    const { tokens = 0, signal } = options;
    signal?.throwIfAborted();
    const use = { requests: 1, tokens: requireNumber(tokens, 'tokens', { min: 0 }) };
    if (this.#tokens !== undefined && tokens > this.#tokens.capacity)
      throw tooLarge(tokens, this.#tokens.capacity);
    const waitMs = this.#waitFor(use, this.#queued);
    if (waitMs > this.maxWaitMs) throw this.#tooLong(waitMs);
    if (waitMs === 0 && this.#queue.length === 0) this.#take(use);
    else await this.#wait(use, signal);
    return this.#grant(use);
  }

  /** Lets nothing through for `ms` milliseconds. Of several pauses the latest end counts. */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#now() + requireNumber(ms, 'ms', { min: 0 }));
    this.#review();
  }

  /**
   * Heeds a provider's 429, which says that its count is ahead of ours: what is left is taken to be nothing, and
   * everything pauses for as long as the provider asks, at most an hour.
   */
  throttled(retryAfterMs = 0): void {
    this.sync({ remainingRequests: 0, remainingTokens: 0 });
    if (retryAfterMs > 0) this.pause(Math.min(retryAfterMs, maxThrottleMs));
  }

  /**
   * Heeds what the provider says is left: never more than that is given out. Limits that are not ours (Groq's
   * requests are per day) are not heeded.
   */
  sync({ limitRequests, remainingRequests, limitTokens, remainingTokens }: RateLimitState): void {
    const nowMs = this.#now();
    const lower = (
      bucket: TokenBucket | undefined,
      limit: number | undefined,
      left: number | undefined,
    ): void => {
      const isOurs = limit === undefined || limit === bucket?.capacity;
      if (isOurs && left !== undefined && !Number.isNaN(left)) bucket?.lower(left, nowMs);
    };
    lower(this.#requests, limitRequests, remainingRequests);
    lower(this.#tokens, limitTokens, remainingTokens);
    this.#review();
  }

  #bucket(perMinute: number | undefined, name: string): TokenBucket | undefined {
    if (perMinute === undefined) return undefined;
    return new TokenBucket(requireNumber(perMinute, name, { min: 1 }), this.#now());
  }

  async #wait(use: RateUse, signal: AbortSignal | undefined): Promise<void> {
    const deadlineMs = this.#now() + this.maxWaitMs;
    const waiter: Waiter = { ...use, deadlineMs, turn: Promise.withResolvers(), wake() {} };
    const onAbort = (): void => waiter.turn.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#queue.push(waiter);
    this.#queued = plus(this.#queued, use);
    if (this.#queue[0] === waiter) waiter.turn.resolve();
    try {
      await waiter.turn.promise;
      await this.#waitInFront(waiter, signal);
      this.#take(use); // before the next one looks
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#queue.splice(this.#queue.indexOf(waiter), 1);
      this.#queued = this.#queue.length === 0 ? nothing : plus(this.#queued, use, -1);
      this.#queue[0]?.turn.resolve();
    }
  }

  /** The first in the queue sleeps until the buckets have what it needs, and looks again whenever they change. */
  async #waitInFront(waiter: Waiter, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const waitMs = this.#waitFor(waiter, nothing);
      if (waitMs === 0) return;
      if (this.#now() + waitMs > waiter.deadlineMs + roundingMs) throw this.#tooLong(waitMs);
      const link = linkSignals(signal);
      const woken = Symbol('woken');
      waiter.wake = () => link.abort(woken);
      try {
        await this.#clock.sleep(Math.ceil(waitMs), { signal: link.signal });
      } catch (reason) {
        if (reason !== woken) throw reason;
      } finally {
        link.dispose();
      }
    }
  }

  /** Milliseconds until `use` fits behind what others want before it. */
  #waitFor(use: RateUse, ahead: RateUse): number {
    const nowMs = this.#now();
    const { requests, tokens } = plus(use, ahead);
    return Math.max(
      0,
      this.#pausedUntilMs - nowMs,
      this.#requests?.waitMs(requests, nowMs) ?? 0,
      this.#tokens?.waitMs(tokens, nowMs) ?? 0,
    );
  }

  #grant(use: RateUse): RateGrant {
    let settled = false;
    const settle = (used: RateUse): void => {
      if (settled) return;
      settled = true;
      this.#take(plus(used, use, -1));
      this.#review();
    };
    // Without a word the estimate stands: the call may have been made.
    return { settle, [Symbol.dispose]: () => settle(use) };
  }

  #take({ requests, tokens }: RateUse): void {
    const nowMs = this.#now();
    this.#requests?.take(requests, nowMs);
    this.#tokens?.take(tokens, nowMs);
  }

  /** The buckets have changed: who can no longer make it in time is refused now, and the first looks again. */
  #review(): void {
    const nowMs = this.#now();
    let ahead = nothing;
    for (const waiter of this.#queue) {
      const waitMs = this.#waitFor(waiter, ahead);
      if (nowMs + waitMs > waiter.deadlineMs + roundingMs) waiter.turn.reject(this.#tooLong(waitMs));
      ahead = plus(ahead, waiter);
    }
    this.#queue[0]?.wake();
  }

  #tooLong(waitMs: number): RateLimitedError {
    const nowMs = this.#now();
    const resource = (this.#requests?.available(nowMs) ?? 1) < 1 ? 'requests' : 'tokens';
    const retryAfterMs = Math.ceil(waitMs);
    return new RateLimitedError(
      `The rate limit leaves no room for ${retryAfterMs} ms, longer than maxWaitMs (${this.maxWaitMs}): nothing was sent. Come back then, or ask another provider.`,
      { resource, retryAfterMs },
    );
  }
}

function plus(a: RateUse, b: RateUse, sign: 1 | -1 = 1): RateUse {
  return { requests: a.requests + sign * b.requests, tokens: a.tokens + sign * b.tokens };
}

function tooLarge(tokens: number, capacity: number): RateLimitedError {
  return new RateLimitedError(
    `The call needs ${tokens} tokens, more than the ${capacity} per minute there are: it would never fit, and nothing was sent. Shorten the prompt or lower maxTokens.`,
    { resource: 'tokens' },
  );
}
