import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';

/** Where a `ManualClock` starts. */
export interface ManualClockOptions {
  /** Wall time, Unix milliseconds. @default 2026-01-01T00:00:00Z */
  readonly wallMs?: number | undefined;
  /** Monotonic time, milliseconds. @default 0 */
  readonly monotonicMs?: number | undefined;
}

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/**
 * A clock that stands still until a test moves it: `await clock.advance(1_000)`.
 *
 * Timers and sleeps fire in the order in which they are due, each in the async context in which it was set (fake
 * timers lose that), and everything that waited for one has run before the next one fires.
 */
export class ManualClock implements Clock {
  readonly #timers: Set<Timer> = new Set();
  #monotonicMs: number;
  /** Wall time minus monotonic time. */
  #offsetMs: number;
  /** Advances of several callers run one after the other. */
  #advancing: Promise<void> = Promise.resolve();

  /** @throws ConfigError for an unknown option or one that is no finite number. */
  constructor(options: ManualClockOptions = {}) {
    rejectUnknownKeys(options, ['wallMs', 'monotonicMs'], 'ManualClockOptions');
    const { wallMs = Date.UTC(2026, 0, 1), monotonicMs = 0 } = options;
    this.#monotonicMs = requireNumber(monotonicMs, 'monotonicMs');
    this.#offsetMs = requireNumber(wallMs, 'wallMs') - monotonicMs;
  }

  now(): number {
    return this.#monotonicMs + this.#offsetMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.timer(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** @throws ConfigError when `ms` is not a number. A time that is not after now fires at the next `advance`. */
  timer(ms: number, callback: () => void): () => void {
    if (typeof ms !== 'number' || Number.isNaN(ms)) {
      throw new ConfigError(`A timer needs a number of milliseconds, got ${String(ms)}.`, { option: 'ms' });
    }
    const inContext = AsyncLocalStorage.snapshot();
    const timer: Timer = {
      dueMs: this.#monotonicMs + Math.max(0, ms),
      fire: () => inContext(callback),
    };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** How many timers and sleeps have not fired yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves both times forward by `ms` and fires what falls due, also what is set on the way. `advance(0)` lets
   * everything run that can run now.
   *
   * @throws ConfigError for a negative or infinite time; whatever a timer's callback throws.
   */
  advance(ms: number): Promise<void> {
    requireNumber(ms, 'ms', { min: 0 });
    const advanced = this.#advancing.then(() => this.#advanceTo(this.#monotonicMs + ms));
    this.#advancing = advanced.catch(() => undefined);
    return advanced;
  }

  /**
   * Steps wall time to `wallMs`, as NTP or an operator does. Monotonic time and timers stay where they are.
   *
   * @throws ConfigError when it is no finite number.
   */
  setWall(wallMs: number): void {
    this.#offsetMs = requireNumber(wallMs, 'wallMs') - this.#monotonicMs;
  }

  async #advanceTo(targetMs: number): Promise<void> {
    // A turn of the event loop drains all microtasks, however long the promise chains are.
    await nextTurn();
    for (;;) {
      const timer = this.#firstDue(targetMs);
      if (timer === undefined) break;
      this.#timers.delete(timer);
      this.#monotonicMs = timer.dueMs;
      timer.fire();
      await nextTurn();
    }
    this.#monotonicMs = targetMs;
  }

  /** The set keeps the order of creation, so of timers due together the oldest is found first. */
  #firstDue(targetMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= targetMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
