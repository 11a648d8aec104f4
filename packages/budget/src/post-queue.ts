import {
  type Clock,
  isSynapseError,
  LedgerError,
  type LedgerStore,
  type PostRequest,
} from '@synapsekit/core';
import { type Answer, isPromise } from './deadline.ts';

/** A post or a close on its way to the ledger. */
interface Entry {
  readonly run: () => Answer<unknown>;
  /** What it books, in units. */
  readonly amount: bigint;
  /** What it books that no hold covers, in units: counts against admission until it is there. */
  readonly uncovered: bigint;
  /** Its place in the order in which entries came. */
  readonly position: number;
  onArrival: (() => void) | undefined;
}

/** Somebody who waits for all entries up to a position. */
interface Waiter {
  readonly position: number;
  readonly resolve: () => void;
}

/** Entries of one hold (or of one attempt without a hold), in order. */
interface Chain {
  readonly entries: Entry[];
  running: boolean;
  /** Stops the wait for the next try. */
  cancelRetry: (() => void) | undefined;
  failures: number;
}

const firstRetryMs = 50;
const lastRetryMs = 5_000;

/**
 * Sends posts and closes to a ledger. What belongs to one hold goes in order, one after the other; different holds do
 * not wait for each other. What fails is kept and tried again: money that was spent is not forgotten because a store
 * is away. With a store that answers at once, nothing ever waits here.
 */
export class PostQueue {
  readonly #store: LedgerStore;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #chains = new Map<string, Chain>();
  readonly #onConflict: (error: unknown) => void;
  /** What has not arrived, the oldest first. */
  readonly #pending = new Set<Entry>();
  /** In the order of their positions. */
  readonly #waiters: Waiter[] = [];
  #positions = 0;
  #uncovered = 0n;
  #conflicts = 0;
  #lastError: unknown;

  /** @param onConflict told when the store refused for good; the money stays counted here. */
  constructor(store: LedgerStore, clock: Clock, timeoutMs: number, onConflict: (error: unknown) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onConflict = onConflict;
  }

  /** How many posts and closes have not arrived. */
  get pending(): number {
    return this.#pending.size;
  }

  /** How many posts the store refused for good. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** Spent, not yet in the ledger, and covered by no hold there. Units. */
  get uncovered(): bigint {
    return this.#uncovered;
  }

  /** Resolves when it has arrived, or was refused for good; `undefined` when that was at once. */
  post(request: PostRequest, uncovered: bigint): Promise<void> | undefined {
    return this.#push(request.holdId ?? `attempt ${request.attemptId}`, {
      run: () => this.#store.post(request),
      amount: request.lines[0]?.amount ?? 0n, // the same on every line
      uncovered,
    });
  }

  close(holdId: string): void {
    void this.#push(holdId, { run: () => this.#store.close(holdId), amount: 0n, uncovered: 0n });
  }

  /** Resolves when all that is on its way now has arrived. Tries at once what waits to be tried again. */
  async settled(): Promise<void> {
    for (const [key, chain] of this.#chains) {
      if (chain.running) continue;
      chain.cancelRetry?.();
      this.#advance(key, chain);
    }
    if (this.#pending.size === 0) return;
    const position = this.#positions;
    await new Promise<void>((resolve) => this.#waiters.push({ position, resolve }));
  }

  /** Why something has not arrived. */
  get lastError(): unknown {
    return this.#lastError;
  }

  #push(key: string, work: Pick<Entry, 'run' | 'amount' | 'uncovered'>): Promise<void> | undefined {
    this.#positions += 1;
    const entry: Entry = { ...work, position: this.#positions, onArrival: undefined };
    this.#pending.add(entry);
    this.#uncovered += entry.uncovered;
    const waiting = this.#chains.get(key);
    if (waiting !== undefined) {
      waiting.entries.push(entry);
    } else {
      const chain: Chain = { entries: [entry], running: false, cancelRetry: undefined, failures: 0 };
      this.#chains.set(key, chain);
      this.#advance(key, chain);
    }
    if (!this.#pending.has(entry)) return undefined;
    return new Promise((resolve) => {
      entry.onArrival = resolve;
    });
  }

  #advance(key: string, chain: Chain): void {
    chain.running = true;
    chain.cancelRetry = undefined;
    for (let entry = chain.entries[0]; entry !== undefined; entry = chain.entries[0]) {
      try {
        const answer = entry.run();
        if (isPromise(answer)) {
          this.#await(key, chain, entry, answer);
          return;
        }
        this.#done(chain, entry);
      } catch (error) {
        if (!this.#failed(key, chain, entry, error)) return;
      }
    }
    this.#chains.delete(key);
  }

  #await(key: string, chain: Chain, entry: Entry, answer: Promise<unknown>): void {
    let over = false;
    const once = (end: () => boolean): void => {
      if (over) return;
      over = true;
      cancel();
      if (end()) this.#advance(key, chain);
    };
    // A store that never answers is asked again, with the same ids.
    const cancel = this.#clock.timer(this.#timeoutMs, () =>
      once(() =>
        this.#failed(
          key,
          chain,
          entry,
          new LedgerError("The budget's ledger did not answer.", { transient: true }),
        ),
      ),
    );
    answer.then(
      () => once(() => this.#done(chain, entry)),
      (error: unknown) => once(() => this.#failed(key, chain, entry, error)),
    );
  }

  #done(chain: Chain, entry: Entry): true {
    chain.entries.shift();
    chain.failures = 0;
    this.#uncovered -= entry.uncovered;
    this.#arrived(entry);
    return true;
  }

  #arrived(entry: Entry): void {
    this.#pending.delete(entry);
    entry.onArrival?.();
    if (this.#waiters.length === 0) return;
    const [oldest] = this.#pending;
    const waiting = this.#waiters.findIndex(
      ({ position }) => oldest !== undefined && oldest.position <= position,
    );
    for (const { resolve } of this.#waiters.splice(0, waiting === -1 ? this.#waiters.length : waiting))
      resolve();
  }

  /** True when the chain may go on. */
  #failed(key: string, chain: Chain, entry: Entry, error: unknown): boolean {
    this.#lastError = error;
    if (isSynapseError(error, 'ledger') && !error.transient) {
      chain.entries.shift();
      // Its hold will be closed; what it spent must go on counting.
      this.#uncovered += entry.amount - entry.uncovered;
      this.#conflicts += 1;
      this.#arrived(entry);
      this.#onConflict(error);
      return true;
    }
    const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** chain.failures);
    chain.failures += 1;
    chain.running = false;
    chain.cancelRetry = this.#clock.timer(waitMs, () => this.#advance(key, chain));
    return false;
  }
}
