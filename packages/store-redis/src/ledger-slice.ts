import type { CrossedMark, LedgerStore, PostRequest, ReserveLine, ReserveResult } from '@synapsekit/core';

/** One line of a slice. */
export interface SliceLine {
  readonly at: ReserveLine;
  /** What the shared ledger holds for it in all. */
  granted: bigint;
  /** What may still be held of it. */
  left: bigint;
  /** Spent, and not told the shared ledger yet. */
  unreported: bigint;
  /** Spent beyond the slice, and not told yet: nothing of it comes out of what others hold. */
  excess: bigint;
  /** What is known to be committed, at least: other processes may have added to it. */
  committed: bigint;
  marks: readonly bigint[];
}

/** What the end of a lease booked for a hold, line by line, until its owner says what it was. */
export interface BookedRest {
  readonly attemptId: string;
  readonly amounts: readonly bigint[];
}

/** A part of some counters that this process took in advance: one hold in the shared ledger. */
export class LedgerSlice {
  readonly id: string;
  readonly lines: readonly SliceLine[];
  /** The keys of its lines. */
  readonly keys: readonly string[];
  /** Monotonic: nothing is admitted from it from then on. */
  readonly usableUntilMs: number;
  /** Calls that hold parts of it: those whose lease ended hold nothing any more. */
  openHolds = 0;
  isRetired = false;
  readonly #store: LedgerStore;
  #reports = 0;
  /** A report whose answer is not known: it is repeated as it was. */
  #pending: PostRequest | undefined;
  /** What the ends of leases booked, and what their owners made of it: in this order. */
  readonly #rests: PostRequest[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(store: LedgerStore, id: string, lines: readonly SliceLine[], usableUntilMs: number) {
    this.#store = store;
    this.id = id;
    this.lines = lines;
    this.keys = lines.map(({ at }) => at.key);
    this.usableUntilMs = usableUntilMs;
  }

  /** Takes the amounts of all lines out of it, or of none. */
  take(lines: readonly ReserveLine[], nowMs: number): boolean {
    if (this.isRetired || nowMs >= this.usableUntilMs) return false;
    for (let i = 0; i < lines.length; i++) {
      if ((lines[i]?.amount ?? 0n) > (this.lines[i]?.left ?? 0n)) return false;
    }
    for (let i = 0; i < lines.length; i++) {
      const line = this.lines[i];
      if (line !== undefined) line.left -= lines[i]?.amount ?? 0n;
    }
    return true;
  }

  /** Takes more than it has: the shared ledger decides. One after the other, since the amounts asked for are totals. */
  takeMore(more: readonly ReserveLine[], leaseMs: number): Promise<ReserveResult> {
    return this.#inTurn(async () => {
      const lines = more.map((line, i) => ({
        ...line,
        amount: line.amount + (this.lines[i]?.granted ?? 0n),
      }));
      const result = await this.#store.reserve({ holdId: this.id, lines, leaseMs, onExpiry: 'book' });
      if (result.admitted)
        for (const [i, line] of this.lines.entries()) line.granted = lines[i]?.amount ?? 0n;
      return result;
    });
  }

  /** Tells the shared ledger what was spent; one report after the other. */
  report(): Promise<readonly CrossedMark[]> {
    return this.#inTurn(() => this.#report());
  }

  /** The lease of a call ended: what it held still is booked, as an estimate of its own. */
  bookRest(left: readonly bigint[]): BookedRest {
    const rest = { attemptId: this.#nextId(), amounts: left.slice() };
    if (rest.amounts.some((amount) => amount > 0n)) this.#addRest(rest.attemptId, rest.amounts, 'estimated');
    for (const [i, line] of this.lines.entries()) line.committed += rest.amounts[i] ?? 0n;
    return rest;
  }

  /** Frees what was not needed of it in the end. */
  freeRest({ attemptId, amounts }: BookedRest, left: readonly bigint[]): void {
    if (left.every((amount) => amount === 0n)) return;
    const needed = amounts.map((amount, i) => amount - (left[i] ?? 0n));
    this.#addRest(attemptId, needed, 'actual');
    for (const [i, line] of this.lines.entries()) line.committed -= left[i] ?? 0n;
  }

  /** Reports, and gives back what is left once no call needs it any more. */
  retire(): Promise<readonly CrossedMark[]> {
    this.isRetired = true;
    return this.#inTurn(async () => {
      const crossed = await this.#report();
      if (this.openHolds === 0 && this.#isTold && !this.#isClosed) {
        await this.#store.close(this.id);
        this.#isClosed = true;
      }
      return crossed;
    });
  }

  /** It is given back, and there is nothing to tell. A call whose lease ended may still add to that. */
  get isOver(): boolean {
    return this.#isClosed && this.#isTold;
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const next = this.#running.catch(() => {}).then(operation);
    this.#running = next;
    return next;
  }

  async #report(): Promise<readonly CrossedMark[]> {
    const crossed: CrossedMark[] = [];
    for (;;) {
      this.#pending ??= this.#nextReport();
      if (this.#pending === undefined) return crossed;
      const told = await this.#store.post(this.#pending);
      crossed.push(...told);
      this.#pending = undefined;
    }
  }

  #nextReport(): PostRequest | undefined {
    const rest = this.#rests.shift();
    if (rest !== undefined || this.#isTold) return rest;
    const isExcess = this.lines.every(({ unreported }) => unreported === 0n);
    const lines = this.lines.map((line) => {
      const { at, marks } = line;
      const amount = isExcess ? line.excess : line.unreported;
      if (isExcess) line.excess = 0n;
      else line.unreported = 0n;
      line.committed += amount;
      return { key: at.key, window: at.window, amount, marks };
    });
    return { attemptId: this.#nextId(), holdId: isExcess ? undefined : this.id, lines, kind: 'actual' };
  }

  #addRest(attemptId: string, amounts: readonly bigint[], kind: PostRequest['kind']): void {
    const lines = this.lines.map(({ at, marks }, i) => {
      return { key: at.key, window: at.window, amount: amounts[i] ?? 0n, marks };
    });
    this.#rests.push({ attemptId, holdId: this.id, lines, kind });
  }

  #nextId(): string {
    this.#reports += 1;
    return `${this.id}:${this.#reports}`;
  }

  get #isTold(): boolean {
    return (
      this.#pending === undefined &&
      this.#rests.length === 0 &&
      this.lines.every(({ unreported, excess }) => unreported === 0n && excess === 0n)
    );
  }
}
