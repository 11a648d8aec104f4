import type { CrossedMark, LedgerStore, PostLine, ReserveLine, ReserveResult } from '@synapsekit/core';

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

interface Report {
  readonly attemptId: string;
  readonly holdId: string | undefined;
  readonly lines: readonly PostLine[];
}

/** A part of some counters that this process took in advance: one hold in the shared ledger. */
export class LedgerSlice {
  readonly id: string;
  readonly lines: readonly SliceLine[];
  /** The keys of its lines. */
  readonly keys: readonly string[];
  /** Monotonic: nothing is admitted from it from then on. */
  readonly usableUntilMs: number;
  /** Calls that hold parts of it. */
  openHolds = 0;
  isRetired = false;
  readonly #store: LedgerStore;
  #reports = 0;
  /** A report whose answer is not known: it is repeated as it was. */
  #pending: Report | undefined;
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

  /** Reports, and gives back what is left once no call needs it any more. */
  async retire(): Promise<readonly CrossedMark[]> {
    this.isRetired = true;
    const crossed = await this.report();
    if (this.openHolds === 0 && this.#isTold && !this.#isClosed) {
      await this.#store.close(this.id);
      this.#isClosed = true;
    }
    return crossed;
  }

  get isClosed(): boolean {
    return this.#isClosed;
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
      const told = await this.#store.post({ ...this.#pending, kind: 'actual' });
      crossed.push(...told);
      this.#pending = undefined;
    }
  }

  #nextReport(): Report | undefined {
    if (this.#isTold) return undefined;
    this.#reports += 1;
    const isExcess = this.lines.every(({ unreported }) => unreported === 0n);
    const lines = this.lines.map((line) => {
      const { at, marks } = line;
      const amount = isExcess ? line.excess : line.unreported;
      if (isExcess) line.excess = 0n;
      else line.unreported = 0n;
      line.committed += amount;
      return { key: at.key, window: at.window, amount, marks };
    });
    return { attemptId: `${this.id}:${this.#reports}`, holdId: isExcess ? undefined : this.id, lines };
  }

  get #isTold(): boolean {
    return this.lines.every(({ unreported, excess }) => unreported === 0n && excess === 0n);
  }
}
