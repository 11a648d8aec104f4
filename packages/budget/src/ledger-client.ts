import {
  type Clock,
  isSynapseError,
  LedgerError,
  type LedgerKey,
  type LedgerStatus,
  type LedgerStore,
  largestLedgerAmount,
  type PostRequest,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';
import { type Answer, isPromise, within } from './deadline.ts';
import { type PostFacts, PostQueue } from './post-queue.ts';

const firstRetryMs = 10;
const lastRetryMs = 200;

/** A ledger as the guard uses it: bounded waits, repeated where a reply was lost, nothing forgotten. */
export class LedgerClient {
  readonly posts: PostQueue;
  readonly #store: LedgerStore;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(store: LedgerStore, clock: Clock, timeoutMs: number, onConflict: (error: unknown) => void) {
    this.posts = new PostQueue(store, clock, timeoutMs, onConflict);
    this.#store = store;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Reserves, at once where the store answers at once.
   *
   * @throws LedgerError when the store is away for longer than the time-out, or refuses for good.
   */
  reserve(request: ReserveRequest, signal: AbortSignal | undefined): Answer<ReserveResult> {
    const { posts } = this;
    const endsAtMs = this.#deadline();
    // Spent but not there yet: the store cannot know, so it is given less to spend.
    const asked = this.#lowered(request);
    const result = this.#ask(() => this.#store.reserve(asked), endsAtMs, signal);
    if (!isPromise(result) && (result.admitted || posts.pending === 0))
      return restored(result, request, asked);
    return this.#reserveAgain(request, result, asked, endsAtMs, signal);
  }

  /** What is on its way counts twice, or is still held there: let it arrive before a refusal is believed. */
  async #reserveAgain(
    request: ReserveRequest,
    first: Answer<ReserveResult>,
    asked: ReserveRequest,
    endsAtMs: number,
    signal: AbortSignal | undefined,
  ): Promise<ReserveResult> {
    const result = await first;
    if (result.admitted || this.posts.pending === 0) return restored(result, request, asked);
    // Half of the time, so that some is left to ask.
    if (!(await this.#arrived(endsAtMs - this.#timeoutMs / 2, signal)))
      return restored(result, request, asked);
    const again = this.#lowered(request);
    const answer = this.#ask(() => this.#store.reserve(again), endsAtMs, signal);
    return restored(await answer, request, again);
  }

  #lowered(request: ReserveRequest): ReserveRequest {
    const { posts } = this;
    if (!posts.hasUncovered) return request;
    const lines = request.lines.map((line) =>
      // What has no limit keeps none.
      line.limit >= largestLedgerAmount ? line : { ...line, limit: line.limit - posts.uncoveredOn(line) },
    );
    return { ...request, lines };
  }

  renew(holdId: string, leaseMs: number): Answer<boolean> {
    return this.#store.renew(holdId, leaseMs);
  }

  /** Renews for somebody who waits for it. @throws LedgerError as `reserve` does. */
  renewNow(holdId: string, leaseMs: number, signal: AbortSignal | undefined): Answer<boolean> {
    return this.#ask(() => this.#store.renew(holdId, leaseMs), this.#deadline(), signal);
  }

  post(request: PostRequest, facts: PostFacts): Promise<void> | undefined {
    return this.posts.post(request, facts);
  }

  close(holdId: string): void {
    this.posts.close(holdId);
  }

  /** The counters as they are once everything on its way has arrived, if that does not take too long. */
  async status(keys: readonly LedgerKey[], signal?: AbortSignal): Promise<readonly LedgerStatus[]> {
    const endsAtMs = this.#deadline();
    // Half of the time, so that some is left to ask.
    if (this.posts.pending > 0) await this.#arrived(endsAtMs - this.#timeoutMs / 2, signal);
    return this.#ask(() => this.#store.status(keys), endsAtMs, signal);
  }

  /** The counters now, where the store can tell at once. */
  statusNow(keys: readonly LedgerKey[]): Answer<readonly LedgerStatus[]> {
    return this.#store.status(keys);
  }

  /** Waits until everything on its way has arrived, or for the time-out. */
  async settled(): Promise<void> {
    await this.#arrived(this.#deadline(), undefined);
  }

  /** @throws LedgerError when something that is on its way now does not arrive in time; it is kept and tried again. */
  async flush(signal?: AbortSignal): Promise<void> {
    const { posts } = this;
    const endsAtMs = this.#deadline();
    const arrived = await this.#arrived(endsAtMs, signal); // others may be on their way by then
    if (!arrived || posts.conflicts > 0) {
      throw new LedgerError(
        arrived
          ? `The budget's ledger refused ${posts.conflicts} bookings for good. They still count in this process.`
          : `${posts.pending} bookings have not reached the budget's ledger. They are kept and tried again.`,
        { transient: !arrived, cause: posts.lastError },
      );
    }
    await this.#ask(() => this.#store.flush(), endsAtMs, signal);
  }

  #deadline(): number {
    return this.#clock.monotonic() + this.#timeoutMs;
  }

  /** True when everything on its way has arrived in time. Throws for an abort only. */
  async #arrived(endsAtMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.posts.pending === 0) return true;
    try {
      await within(this.posts.settled(), endsAtMs - this.#clock.monotonic(), this.#clock, signal);
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isSynapseError(error, 'ledger')) throw error;
      return false;
    }
  }

  #ask<T>(ask: () => Answer<T>, endsAtMs: number, signal: AbortSignal | undefined): Answer<T> {
    try {
      const answer = ask();
      return isPromise(answer) ? this.#askAgain(ask, answer, endsAtMs, signal) : answer;
    } catch (error) {
      return this.#askAgain(ask, Promise.reject(error), endsAtMs, signal);
    }
  }

  /** Waits for an answer; asks again, with the same ids, while the store is away and there is time. */
  async #askAgain<T>(
    ask: () => Answer<T>,
    first: Promise<T>,
    endsAtMs: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    let answer = first;
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(lastRetryMs, waitMs * 2)) {
      try {
        return await within(answer, endsAtMs - this.#clock.monotonic(), this.#clock, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const failure = toLedgerError(error);
        if (!failure.transient || this.#clock.monotonic() + waitMs >= endsAtMs) throw failure;
      }
      await this.#clock.sleep(waitMs, { signal });
      answer = attempt(ask);
    }
  }
}

async function attempt<T>(ask: () => Answer<T>): Promise<T> {
  return ask();
}

function toLedgerError(error: unknown): LedgerError {
  if (isSynapseError(error, 'ledger')) return error;
  return new LedgerError(
    'The budget could not be checked: its ledger failed. Nothing was sent. See `cause`.',
    {
      transient: true,
      cause: error,
    },
  );
}

/** A refusal with the limit that was meant, and with what is not posted yet among what is spent. */
function restored(result: ReserveResult, request: ReserveRequest, asked: ReserveRequest): ReserveResult {
  if (result.admitted || request === asked) return result;
  const { refused } = result;
  const index = request.lines.findIndex(({ key }) => key === refused.key);
  const limit = request.lines[index]?.limit ?? refused.limit;
  const unposted = limit - (asked.lines[index]?.limit ?? limit);
  return { admitted: false, refused: { ...refused, limit, committed: refused.committed + unposted } };
}
