import { type Clock, ConfigError, rejectUnknownKeys, requireNumber, systemClock } from '@synapsekit/core';

/**
 * How many requests wait for an answer of each provider at a time. One whose headers are here is answered: a stream that
 * is being read does not count, since a case may open several before it reads any.
 */
export interface ProviderLimiterOptions {
  /** For providers without a number of their own. @default no limit until one throttles */
  readonly max?: number | undefined;
  /** By the provider's name or host. */
  readonly perProvider?: Readonly<Record<string, number>> | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** What is known of a provider. */
interface Lane {
  readonly max: number;
  /** How many may be under way now: halved when it throttles, one more for each round of answers. */
  limit: number;
  running: number;
  /** Nothing is sent before this, in monotonic milliseconds. */
  pausedUntilMs: number;
  readonly waiting: (() => void)[];
  /** Ends the pause early for those who waited: nobody does any more. */
  leave: AbortController | undefined;
}

/** A provider that throttles without saying for how long is left alone for so long. */
const defaultPauseMs = 1_000;

/**
 * Keeps the number of requests to each provider at what it takes: additive increase, multiplicative decrease, as TCP
 * does it. After a 429 half as many are under way, and none is sent before its `Retry-After`.
 */
export class ProviderLimiter {
  readonly #max: number;
  readonly #perProvider: Readonly<Record<string, number>>;
  readonly #clock: Clock;
  readonly #lanes: Map<string, Lane> = new Map();

  /** @throws ConfigError for numbers below 1. */
  constructor(options: ProviderLimiterOptions = {}) {
    rejectUnknownKeys(options, ['max', 'perProvider', 'clock'], 'ProviderLimiterOptions');
    const { max, perProvider = {}, clock = systemClock } = options;
    if (max !== undefined) requireNumber(max, 'max', { integer: true, min: 1 });
    for (const [name, limit] of Object.entries(perProvider)) {
      if (name.trim() === '') throw new ConfigError('A provider needs a name.', { option: 'perProvider' });
      requireNumber(limit, `perProvider.${name}`, { integer: true, min: 1 });
    }
    this.#max = max ?? Number.POSITIVE_INFINITY;
    this.#perProvider = perProvider;
    this.#clock = clock;
  }

  /**
   * Runs `send` when the provider has room.
   *
   * @throws `signal.reason` when it aborts while waiting; what `send` throws.
   */
  async run<T>(provider: string, signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T> {
    const lane = this.#lane(provider);
    await this.#enter(lane, signal);
    try {
      return await send();
    } finally {
      lane.running--;
      this.#admit(lane);
    }
  }

  /** The provider answered 429. */
  throttled(provider: string, retryAfterMs: number = defaultPauseMs): void {
    const lane = this.#lane(provider);
    const now = this.#clock.monotonic();
    // Answers to requests that were sent before the last pause say nothing new.
    if (now >= lane.pausedUntilMs)
      lane.limit = Math.max(1, Math.floor(Math.min(lane.limit, lane.running) / 2));
    lane.pausedUntilMs = Math.max(lane.pausedUntilMs, now + Math.max(0, retryAfterMs));
  }

  /** The provider served a request. */
  served(provider: string): void {
    const lane = this.#lane(provider);
    if (lane.limit < lane.max) lane.limit = Math.min(lane.max, lane.limit + 1 / lane.limit);
    this.#admit(lane);
  }

  /** How many requests to the provider may be under way now. */
  limitOf(provider: string): number {
    return Math.max(1, Math.floor(this.#lane(provider).limit));
  }

  #lane(provider: string): Lane {
    let lane = this.#lanes.get(provider);
    if (lane === undefined) {
      const max = this.#maxOf(provider);
      lane = { max, limit: max, running: 0, pausedUntilMs: 0, waiting: [], leave: undefined };
      this.#lanes.set(provider, lane);
    }
    return lane;
  }

  /** `openai` is meant for `api.openai.com` as well. */
  #maxOf(provider: string): number {
    const exact = this.#perProvider[provider];
    if (exact !== undefined) return exact;
    const part = Object.keys(this.#perProvider).find((name) => provider.split('.').includes(name));
    return part === undefined ? this.#max : (this.#perProvider[part] ?? this.#max);
  }

  #enter(lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const go = (): void => {
        signal?.removeEventListener('abort', leave);
        lane.running++;
        resolve();
      };
      const leave = (): void => {
        lane.waiting.splice(lane.waiting.indexOf(go), 1);
        if (lane.waiting.length === 0) lane.leave?.abort();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      lane.waiting.push(go);
      this.#admit(lane);
    });
  }

  #admit(lane: Lane): void {
    const pauseMs = lane.pausedUntilMs - this.#clock.monotonic();
    if (pauseMs > 0) {
      if (lane.waiting.length > 0 && lane.leave === undefined) void this.#pause(lane, pauseMs);
      return;
    }
    while (lane.waiting.length > 0 && lane.running < Math.max(1, Math.floor(lane.limit)))
      lane.waiting.shift()?.();
  }
  /** Whoever waits keeps the process alive, by a sleep and not a timer; when nobody waits any more, nothing does. */
  async #pause(lane: Lane, pauseMs: number): Promise<void> {
    const leave = new AbortController();
    lane.leave = leave;
    await this.#clock.sleep(pauseMs, { signal: leave.signal }).catch(() => {});
    if (lane.leave === leave) lane.leave = undefined;
    this.#admit(lane);
  }
}
