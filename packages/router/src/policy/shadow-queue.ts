import { AsyncLocalStorage } from 'node:async_hooks';

/** Does work beside the calls: so much at once, so much waiting, and what is more than that is dropped. */
export class ShadowQueue {
  readonly #maxConcurrent: number;
  readonly #maxQueued: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  /** Outside of any call: its budget, its cost scope and its trace end with it. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #running = 0;
  #dropped = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(maxConcurrent: number, maxQueued: number) {
    this.#maxConcurrent = maxConcurrent;
    this.#maxQueued = maxQueued;
  }

  /** Running and waiting. */
  get size(): number {
    return this.#running + this.#waiting.length;
  }

  /** How much did not find room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a piece of work, which must not reject. False when there is no room for it. */
  add(work: () => Promise<void>): boolean {
    if (this.#running < this.#maxConcurrent) {
      this.#run(work);
      return true;
    }
    if (this.#waiting.length >= this.#maxQueued) {
      this.#dropped++;
      return false;
    }
    this.#waiting.push(work);
    return true;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
  }

  /** Resolves when nothing runs and nothing waits. */
  whenIdle(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers<void>();
    return this.#idle.promise;
  }

  #run(work: () => Promise<void>): void {
    this.#running++;
    this.#outside(() => {
      void work().finally(() => this.#ended());
    });
  }

  #ended(): void {
    this.#running--;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#run(next);
    } else if (this.#running === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }
}
