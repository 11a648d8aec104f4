import { BulkheadFullError, raceAbort, rejectUnknownKeys, requireNumber } from '@synapsekit/core';

/** What a `Bulkhead` is built with. */
export interface BulkheadOptions {
  /** Calls that may run at once. */
  readonly maxConcurrent: number;
  /** Calls that may wait for a place; more are refused at once. @default 0 */
  readonly maxQueued?: number | undefined;
}

interface Waiter {
  readonly admit: () => void;
}

/**
 * Bounds how many calls run at once, so that one slow provider cannot take all of a process. First come first
 * served. A place is free again when its call has really ended, not when its caller has given up.
 */
export class Bulkhead {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly #queue: Waiter[] = [];
  #running = 0;

  /** @throws ConfigError for an unknown option or a value out of range. */
  constructor(options: BulkheadOptions) {
    rejectUnknownKeys(options, ['maxConcurrent', 'maxQueued'], 'BulkheadOptions');
    const { maxConcurrent, maxQueued = 0 } = options;
    this.maxConcurrent = requireNumber(maxConcurrent, 'maxConcurrent', { integer: true, min: 1 });
    this.maxQueued = requireNumber(maxQueued, 'maxQueued', { integer: true, min: 0 });
  }

  /** Calls that hold a place. */
  get running(): number {
    return this.#running;
  }

  /** Calls that wait for one. */
  get queued(): number {
    return this.#queue.length;
  }

  /** True when one more call would be refused. */
  get full(): boolean {
    return this.#running >= this.maxConcurrent && this.#queue.length >= this.maxQueued;
  }

  /** What a call is refused with while the bulkhead is full. */
  refusal(): BulkheadFullError {
    const { maxConcurrent, maxQueued } = this;
    return new BulkheadFullError(
      `All ${maxConcurrent} places are taken and ${maxQueued} calls wait: nothing was sent. Ask another provider, come back later, or raise maxConcurrent or maxQueued.`,
      { maxConcurrent, maxQueued },
    );
  }

  /**
   * Waits for a place. Call the returned function when the work has really ended; calling it again does nothing.
   *
   * @throws BulkheadFullError at once; `signal.reason` as soon as `signal` aborts, and the place in the queue is free.
   */
  async enter({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.full) throw this.refusal();
    if (this.#running < this.maxConcurrent) this.#running++;
    else await this.#wait(signal);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#leave();
    };
  }

  /**
   * Calls `fn` when there is a place. An abort reaches the caller at once; the place is kept until `fn` has ended.
   *
   * @throws BulkheadFullError at once, without a call; `signal.reason`; whatever `fn` throws.
   */
  async run<T>(
    fn: (context: { readonly signal: AbortSignal | undefined }) => T | PromiseLike<T>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const leave = await this.enter({ signal });
    const work = (async () => fn({ signal }))();
    work.then(leave, leave);
    return raceAbort(work, signal);
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        admit() {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(waiter);
    });
  }

  /** The place goes to the first who waits: nobody who comes now can take it before him. */
  #leave(): void {
    const first = this.#queue.shift();
    if (first === undefined) this.#running--;
    else first.admit();
  }
}
