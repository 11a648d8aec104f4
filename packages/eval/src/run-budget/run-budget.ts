import {
  type Clock,
  formatUsd,
  type IdSource,
  isSynapseError,
  type LedgerKey,
  type LedgerStatus,
  type LedgerStore,
  type PicoUsd,
  parseUsd,
  raceAbort,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemIds,
} from '@synapsekit/core';

/** What a run may spend. */
export interface RunBudgetOptions {
  /** US dollars, as a number or a decimal string. */
  readonly limitUsd: number | string;
  /** Keeps the books. Runs that share a store and a key share the budget: shards, processes, machines. */
  readonly ledger: LedgerStore;
  /** Name of the budget in the store. @default "eval-run" */
  readonly key?: string | undefined;
  /** A process that dies leaves what it held booked as spent, after so many milliseconds. @default 120 000 */
  readonly leaseMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** @default systemIds */
  readonly ids?: IdSource | undefined;
}

/** Money that is set aside for one call. */
export interface RunHold {
  /** What it holds, in pico-dollars. */
  readonly pico: PicoUsd;
  /** Books what the call cost and frees the rest: `"estimated"` where nobody knows, at most what is held. */
  settle(pico: PicoUsd, kind: 'actual' | 'estimated'): Promise<void>;
  /** Nothing was spent. */
  release(): Promise<void>;
}

/** Why a call is not let through. */
export interface Denial {
  readonly denied: string;
}

/** How often another process is asked whether it has settled, in milliseconds. */
const pollMs = 250;
/** A store that is away is asked again after 25 ms, then twice as long each time, up to this. */
const longestWaitMs = 400;

/**
 * The budget of a whole run: hard, since every call sets its worst case aside before it is sent. What does not fit
 * waits while calls in flight may still free something, and is denied when they cannot.
 */
export class RunBudget {
  readonly limitPico: PicoUsd;
  readonly #ledger: LedgerStore;
  readonly #counter: LedgerKey;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  /** Held by calls of this process. */
  #heldPico: PicoUsd = 0n;
  #inFlight = 0;
  /** Counts settlements: whoever was refused before the last one asks again. */
  #settlements = 0;
  #settled: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #lost: unknown[] = [];

  /** @throws ConfigError for an amount that is none. */
  constructor(options: RunBudgetOptions) {
    rejectUnknownKeys(options, ['limitUsd', 'ledger', 'key', 'leaseMs', 'clock', 'ids'], 'RunBudgetOptions');
    const { ledger, key = 'eval-run', leaseMs = 120_000 } = options;
    this.limitPico = parseUsd(options.limitUsd, 'limitUsd');
    this.#ledger = ledger;
    this.#counter = { key, window: { id: 'total' } };
    this.#leaseMs = requireNumber(leaseMs, 'leaseMs', { above: 0 });
    this.#clock = options.clock ?? systemClock;
    this.#ids = options.ids ?? systemIds;
  }

  /**
   * Sets `pico` aside, waiting for it if calls in flight may free it.
   *
   * @throws `signal.reason` when it is aborted while it waits.
   */
  async reserve(pico: PicoUsd, signal: AbortSignal | undefined): Promise<RunHold | Denial> {
    for (;;) {
      signal?.throwIfAborted();
      const before = this.#settlements;
      const answer = await this.#ask(pico);
      if ('settle' in answer && signal?.aborted === true) {
        await answer.release(); // nobody sends it any more
        throw signal.reason;
      }
      if (!('committed' in answer)) return answer;
      const denied = this.#isHopeless(answer, pico);
      if (denied) return { denied: this.#why(answer, pico) };
      if (this.#settlements === before) await this.#wait(answer, signal);
    }
  }

  /** What is spent and what is held, over all who share the budget. */
  async status(): Promise<{ readonly committedPico: PicoUsd; readonly heldPico: PicoUsd }> {
    const [status] = await this.#ledger.status([this.#counter]);
    const unit = this.#ledger.unitPico;
    return { committedPico: (status?.committed ?? 0n) * unit, heldPico: (status?.held ?? 0n) * unit };
  }

  /**
   * Makes what was booked durable.
   *
   * @throws what kept a booking from being made. What it was for stays held, and is booked when the lease ends.
   */
  async flush(): Promise<void> {
    await this.#ledger.flush();
    if (this.#lost.length > 0) throw this.#lost[0];
  }

  async #ask(pico: PicoUsd): Promise<RunHold | Denial | LedgerStatus> {
    const unit = this.#ledger.unitPico;
    const holdId = this.#ids();
    // Against the spender: a hold rounds up, the limit rounds down.
    const amount = (pico + unit - 1n) / unit;
    const limit = this.limitPico / unit;
    try {
      const answer = await this.#repeat(() =>
        this.#ledger.reserve({
          holdId,
          lines: [{ ...this.#counter, limit, amount }],
          leaseMs: this.#leaseMs,
          onExpiry: 'book',
        }),
      );
      if (!answer.admitted) return answer.refused;
    } catch (error) {
      // Its reply may be lost: the hold, if there is one, must not count as spent when its lease ends.
      await this.#close(holdId);
      return { denied: `the ledger of the budget does not answer: ${messageOf(error)}` };
    }
    return this.#hold(holdId, pico);
  }

  #hold(holdId: string, pico: PicoUsd): RunHold {
    this.#heldPico += pico;
    this.#inFlight++;
    let over = false;
    let stop = (): void => {};
    const renew = (): void => {
      stop = this.#clock.timer(this.#leaseMs / 3, () => {
        if (over) return;
        const renewed = async (): Promise<boolean> => this.#ledger.renew(holdId, this.#leaseMs);
        renewed().catch(() => {}); // the next one may be
        renew();
      });
    };
    renew();
    const end = async (book: () => Promise<void>): Promise<void> => {
      if (over) return;
      over = true;
      stop();
      try {
        await book();
      } finally {
        this.#heldPico -= pico;
        this.#inFlight--;
        this.#settlements++;
        this.#settled.resolve();
        this.#settled = Promise.withResolvers();
      }
    };
    return {
      pico,
      settle: (spent, kind) => end(() => this.#book(holdId, spent, kind)),
      release: () => end(() => this.#close(holdId)),
    };
  }

  async #book(holdId: string, pico: PicoUsd, kind: 'actual' | 'estimated'): Promise<void> {
    const unit = this.#ledger.unitPico;
    const lines = [{ ...this.#counter, amount: (pico + unit - 1n) / unit }];
    await this.#insist(() => this.#ledger.post({ attemptId: holdId, holdId, lines, kind, close: true }));
  }

  async #close(holdId: string): Promise<void> {
    await this.#insist(() => this.#ledger.close(holdId));
  }

  /** What cannot be done is told at the end: the answer that was paid for is not lost for it. */
  async #insist(operation: () => unknown): Promise<void> {
    try {
      await this.#repeat(operation);
    } catch (error) {
      this.#lost.push(error);
    }
  }

  /** Operations of a ledger can be repeated after a lost reply. */
  async #repeat<T>(operation: () => T | Promise<T>): Promise<T> {
    for (let wait = 25; ; wait *= 2) {
      try {
        return await operation();
      } catch (error) {
        if (!isSynapseError(error, 'ledger') || !error.transient || wait > longestWaitMs) throw error;
        await this.#clock.sleep(wait);
      }
    }
  }

  #isHopeless({ committed, held }: LedgerStatus, pico: PicoUsd): boolean {
    const unit = this.#ledger.unitPico;
    if (committed * unit + pico > this.limitPico) return true;
    return this.#inFlight === 0 && held === 0n;
  }

  async #wait({ held }: LedgerStatus, signal: AbortSignal | undefined): Promise<void> {
    const settled = this.#settled.promise;
    const elsewhere = held * this.#ledger.unitPico > this.#heldPico || this.#inFlight === 0;
    if (!elsewhere) return raceAbort(settled, signal);
    const over = new AbortController();
    const poll = this.#clock.sleep(pollMs, { signal: over.signal }).catch(() => {});
    try {
      await raceAbort(Promise.race([settled, poll]), signal);
    } finally {
      over.abort('over');
    }
  }

  #why({ committed }: LedgerStatus, pico: PicoUsd): string {
    const limit = formatUsd(this.limitPico);
    const needed = `the call may cost up to ${formatUsd(pico)}`;
    if (pico > this.limitPico)
      return `${needed}, more than all of it (${limit}); allow more, or shorter answers`;
    const left = this.limitPico - committed * this.#ledger.unitPico;
    return `${left > 0n ? `${formatUsd(left)} of ${limit} is left` : `all of it (${limit}) is spent`}, and ${needed}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
