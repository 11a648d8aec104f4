import {
  type Clock,
  type CrossedMark,
  isSynapseError,
  LedgerError,
  type LedgerKey,
  type LedgerStore,
  type PostRequest,
} from '@synapsekit/core';
import { type Answer, isPromise } from './deadline.ts';

/** What somebody who posts has to say beside the request. */
export interface PostFacts {
  /** What no hold covers, in units, line by line as in the request: counts against admission until it is there. */
  readonly uncovered: readonly bigint[];
  /** Told which marks the post has crossed, if any. Must not throw. */
  readonly onCrossed?: ((crossed: readonly CrossedMark[]) => void) | undefined;
}

/** What a post answers; a close answers nothing. */
type Reply = readonly CrossedMark[] | undefined;

/** A post or a close on its way to the ledger. */
interface Entry {
  readonly run: () => Answer<Reply>;
  readonly lines: PostRequest['lines'];
  readonly uncovered: readonly bigint[];
  readonly onCrossed: PostFacts['onCrossed'];
  /** It was to end its hold, too. */
  readonly closes: boolean;
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
  /** Told whenever something has arrived that may have freed money. */
  onArrival: () => void = () => {};
  #positions = 0;
  /** By counter; what is zero is not in it. */
  readonly #uncovered = new Map<string, bigint>();
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

  /** True when something is spent, not yet in the ledger, and covered by no hold there. */
  get hasUncovered(): boolean {
    return this.#uncovered.size > 0;
  }

  /** How much of that there is on one counter, in units. */
  uncoveredOn({ key, window }: LedgerKey): bigint {
    return this.#uncovered.get(counterId(key, window.id)) ?? 0n;
  }

  /** Resolves when it has arrived, or was refused for good; `undefined` when that was at once. */
  post(request: PostRequest, facts: PostFacts): Promise<void> | undefined {
    const chain = request.holdId ?? `attempt ${request.attemptId}`;
    return this.#push(chain, () => this.#store.post(request), request.lines, facts, request.close === true);
  }

  close(holdId: string): void {
    const run = (): Answer<Reply> => {
      const answer = this.#store.close(holdId);
      return isPromise(answer) ? answer.then(() => undefined) : undefined;
    };
    void this.#push(holdId, run, [], nothingUncovered, false);
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

  #push(
    key: string,
    run: Entry['run'],
    lines: Entry['lines'],
    { uncovered, onCrossed }: PostFacts,
    closes: boolean,
  ): Promise<void> | undefined {
    let answer: Promise<Reply> | undefined;
    if (!this.#chains.has(key)) {
      // With a store that answers at once there is nothing to note down.
      const first = attempt(run);
      if (!isPromise(first)) {
        this.#settled(first, onCrossed);
        return undefined;
      }
      answer = first;
    }
    this.#positions += 1;
    const entry: Entry = {
      run,
      lines,
      uncovered,
      onCrossed,
      closes,
      position: this.#positions,
      onArrival: undefined,
    };
    this.#pending.add(entry);
    this.#addUncovered(lines, uncovered, 1n);
    const waiting = this.#chains.get(key);
    if (waiting !== undefined) {
      waiting.entries.push(entry);
    } else {
      const chain: Chain = { entries: [entry], running: true, cancelRetry: undefined, failures: 0 };
      this.#chains.set(key, chain);
      if (answer !== undefined) this.#await(key, chain, entry, answer);
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
        this.#done(chain, entry, answer);
      } catch (error) {
        if (!this.#failed(key, chain, entry, error)) return;
      }
    }
    this.#chains.delete(key);
  }

  #await(key: string, chain: Chain, entry: Entry, answer: Promise<Reply>): void {
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
      (crossed) => once(() => this.#done(chain, entry, crossed)),
      (error: unknown) => once(() => this.#failed(key, chain, entry, error)),
    );
  }

  #done(chain: Chain, entry: Entry, crossed: Reply): true {
    chain.entries.shift();
    chain.failures = 0;
    this.#addUncovered(entry.lines, entry.uncovered, -1n);
    this.#arrived(entry);
    this.#settled(crossed, entry.onCrossed);
    return true;
  }

  #settled(crossed: Reply, onCrossed: PostFacts['onCrossed']): void {
    if (onCrossed !== undefined && crossed !== undefined && crossed.length > 0) onCrossed(crossed);
    this.onArrival();
  }

  #addUncovered(lines: Entry['lines'], uncovered: readonly bigint[], sign: 1n | -1n): void {
    for (const [index, { key, window }] of lines.entries()) {
      const amount = uncovered[index] ?? 0n;
      if (amount === 0n) continue;
      const id = counterId(key, window.id);
      const sum = (this.#uncovered.get(id) ?? 0n) + sign * amount;
      if (sum === 0n) this.#uncovered.delete(id);
      else this.#uncovered.set(id, sum);
    }
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
      const held = entry.lines.map(({ amount }, index) => amount - (entry.uncovered[index] ?? 0n));
      this.#addUncovered(entry.lines, held, 1n);
      this.#conflicts += 1;
      this.#arrived(entry);
      this.#onConflict(error);
      if (entry.closes) this.close(key);
      return true;
    }
    const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** chain.failures);
    chain.failures += 1;
    chain.running = false;
    chain.cancelRetry = this.#clock.timer(waitMs, () => this.#advance(key, chain));
    return false;
  }
}

const nothingUncovered: PostFacts = { uncovered: [] };

function counterId(key: string, windowId: string): string {
  return `${windowId}\n${key}`;
}

/** Carries it out. What it throws is an answer that rejects. */
function attempt(run: Entry['run']): Answer<Reply> {
  try {
    return run();
  } catch (error) {
    return Promise.reject(error);
  }
}
