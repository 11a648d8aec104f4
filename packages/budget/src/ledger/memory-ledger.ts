import {
  type Clock,
  type CrossedMark,
  type InspectableLedger,
  type LedgerCounter,
  type LedgerHold as LedgerHoldView,
  type LedgerKey,
  type LedgerQuery,
  type LedgerStatus,
  type PicoUsd,
  type PostLine,
  type PostRequest,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
} from '@synapsekit/core';
import { type Booking, bookingOn, nothingBooked } from './booking.ts';
import type { Counter, Teller } from './counter.ts';
import { CounterTable } from './counter-table.ts';
import { GenerationalMap } from './generational-map.ts';
import { LeaseHeap } from './lease-heap.ts';
import {
  admitted,
  conflict,
  drawDown,
  endHold,
  type HoldEntry,
  isOn,
  type LedgerHold,
  neverAdmitted,
  raiseHold,
  refusal,
} from './ledger-hold.ts';
import { checkAmount, checkLimit, checkPost, repeatedKey } from './request-checks.ts';

/** What a `MemoryLedger` is built with. */
export interface MemoryLedgerOptions {
  /** Wall time for the end of windows, monotonic time for leases. @default the system's */
  readonly clock?: Clock | undefined;
  /**
   * How long ids of attempts and of closed holds are remembered at least, milliseconds, so that a repeated post books
   * nothing twice.
   * @default 3_600_000 (one hour)
   */
  readonly rememberMs?: number | undefined;
  /** Ids are also forgotten once this many later ones have come: bounds the memory (about 120 bytes each, in two generations). @default 20_000 */
  readonly rememberCount?: number | undefined;
  /**
   * How long after its end a window is kept, milliseconds of monotonic time. A wall clock that was wrong for less
   * than this wipes no spend.
   * @default 3_600_000 (one hour)
   */
  readonly graceMs?: number | undefined;
}

/** How often, in milliseconds, it is looked whether anything can be forgotten. */
const tidyEveryMs = 1000;

/**
 * The ledger of one process: exact (pico-dollars, in 64-bit integers), atomic because nothing here waits, and gone with
 * the process. It sets no timers; leases that ended are swept by the next `reserve`, `status` or post with marks.
 *
 * Measured memory: about 500 bytes for a counter, and 8 for each part of a rolling window beside about 250; about 700
 * for a live hold on four limits; about 230 for the two ids of a call that is over, with 36 and 37 characters.
 */
export class MemoryLedger implements InspectableLedger {
  readonly unitPico: PicoUsd = 1n;
  readonly #clock: Clock;
  readonly #counters: CounterTable;
  readonly #holds: GenerationalMap<HoldEntry>;
  /** By attempt. */
  readonly #bookings: GenerationalMap<Booking>;
  readonly #leases = new LeaseHeap<LedgerHold>();
  #nowMs = Number.NEGATIVE_INFINITY;
  #tidyAtMs = 0;

  /** @throws ConfigError for an unknown option or a value out of range. */
  constructor(options: MemoryLedgerOptions = {}) {
    rejectUnknownKeys(options, ['clock', 'rememberMs', 'rememberCount', 'graceMs'], 'MemoryLedgerOptions');
    const {
      clock = systemClock,
      rememberMs = 3_600_000,
      rememberCount = 20_000,
      graceMs = 3_600_000,
    } = options;
    requireNumber(rememberMs, 'rememberMs', { min: 0 });
    requireNumber(rememberCount, 'rememberCount', { integer: true, min: 1 });
    requireNumber(graceMs, 'graceMs', { min: 0 });
    this.#clock = clock;
    this.#counters = new CounterTable(graceMs);
    this.#holds = new GenerationalMap(rememberMs, rememberCount, () => this.#leases.live());
    this.#bookings = new GenerationalMap(rememberMs, rememberCount);
  }

  reserve({ holdId, lines, leaseMs, onExpiry }: ReserveRequest): ReserveResult {
    if (!(leaseMs > 0)) throw conflict(`leaseMs must be > 0, got ${leaseMs}`);
    const nowMs = this.#sweep();
    const known = this.#holds.get(holdId);
    if (known !== undefined) return this.#raise(holdId, known, lines, nowMs);

    const { figures } = this.#counters;
    const counters = this.#countersOf(lines, nowMs);
    const total: bigint[] = [];
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index];
      const counter = counters[index];
      if (line === undefined || counter === undefined) continue;
      const { amount, limit, key } = line;
      checkLimit(limit, key);
      figures.setLimit(counter.cell, limit);
      if (counter.ring !== undefined) this.#counters.roll(counter, nowMs);
      if (amount > 0n && !figures.fits(counter.cell, amount, limit)) return refusal(line, counter, figures);
      total.push(amount);
    }
    for (let index = 0; index < counters.length; index++) {
      figures.hold(counters[index]?.cell ?? 0, total[index] ?? 0n);
    }
    // Whole milliseconds need no object of their own.
    const leaseEndsAtMs = Math.ceil(nowMs + leaseMs);
    const hold: LedgerHold = {
      id: holdId,
      counters,
      total,
      left: total,
      onExpiry,
      admittedAtMs: Math.floor(nowMs),
      leaseEndsAtMs,
      filedAtMs: leaseEndsAtMs,
      live: true,
    };
    this.#holds.set(holdId, hold);
    this.#leases.add(hold);
    return admitted;
  }

  post({ attemptId, holdId, lines, kind, close = false }: PostRequest): readonly CrossedMark[] {
    const hasMarks = checkPost(lines);
    // Whoever is told of marks has to see what expiries booked.
    if (hasMarks) this.#sweep();
    const entry = holdId === undefined ? undefined : this.#holds.get(holdId);
    const hold = typeof entry === 'number' ? undefined : entry;
    const isSame = hold !== undefined && isOn(hold, lines);
    const counters = isSame ? hold.counters : this.#countersOf(lines, this.#time());
    const known = this.#bookings.get(attemptId);
    const admittedAtMs = entry === undefined ? undefined : admissionOf(entry);
    const isSettled = known === undefined && kind === 'actual' && close && isSame && hold.live;
    if (isSettled) this.#settle(hold, lines);
    if (known === undefined && kind === 'actual') {
      this.#bookings.set(attemptId, bookingOn(counters));
      for (let index = 0; index < lines.length && !isSettled; index++) {
        const counter = counters[index];
        if (counter !== undefined) this.#book(counter, lines[index]?.amount ?? 0n, hold, admittedAtMs);
      }
    } else {
      const booking = this.#upsert(known ?? nothingBooked, lines, counters, kind, hold, admittedAtMs);
      this.#bookings.set(attemptId, booking);
    }
    if (close && holdId !== undefined && !isSettled) this.#close(holdId, entry);
    return hasMarks ? this.#crossed(lines, counters, { attemptId, kind }) : noMarks;
  }

  close(holdId: string): void {
    this.#close(holdId, this.#holds.get(holdId));
  }

  renew(holdId: string, leaseMs: number): boolean {
    const nowMs = this.#sweep();
    const hold = this.#holds.get(holdId);
    if (hold === undefined || !isLive(hold)) return false;
    hold.leaseEndsAtMs = Math.max(hold.leaseEndsAtMs, Math.ceil(nowMs + leaseMs));
    return true;
  }

  status(keys: readonly LedgerKey[]): readonly LedgerStatus[] {
    const nowMs = this.#sweep();
    return keys.map(({ key, window }) => {
      const counter = this.#counters.find(key, window.id);
      if (counter === undefined) return { key, window, committed: 0n, held: 0n };
      return { key, window, ...this.#figuresOf(counter, nowMs) };
    });
  }

  counters({ prefix = '', maxCount = defaultMaxCount }: LedgerQuery = {}): readonly LedgerCounter[] {
    const nowMs = this.#sweep();
    return this.#counters
      .list(prefix)
      .slice(0, maxCount)
      .map((counter) => {
        const { key, window, cell } = counter;
        const limit = this.#counters.figures.limit(cell);
        return { key, window, ...this.#figuresOf(counter, nowMs), ...(limit !== undefined && { limit }) };
      });
  }

  holds({ prefix = '', maxCount = defaultMaxCount }: LedgerQuery = {}): readonly LedgerHoldView[] {
    const nowMs = this.#sweep();
    return this.#leases
      .live()
      .filter(({ counters }) => counters.some(({ key }) => key.startsWith(prefix)))
      .sort((a, b) => a.leaseEndsAtMs - b.leaseEndsAtMs)
      .slice(0, maxCount)
      .map(({ id, counters, left, leaseEndsAtMs, onExpiry }) => ({
        holdId: id,
        lines: counters.map(({ key, window }, i) => ({ key, window, left: left[i] ?? 0n })),
        leaseLeftMs: leaseEndsAtMs - nowMs,
        onExpiry,
      }));
  }

  reset({ key, window }: LedgerKey): void {
    this.#sweep();
    const counter = this.#counters.find(key, window.id);
    if (counter !== undefined) this.#counters.reset(counter);
  }

  /** Nothing to wait for. */
  flush(): void {}

  /** Nothing is held open. */
  dispose(): void {}

  /** How many counters, live holds and remembered ids there are. */
  get size(): { readonly counters: number; readonly holds: number; readonly ids: number } {
    return {
      counters: this.#counters.size,
      holds: this.#leases.size,
      ids: this.#holds.size + this.#bookings.size,
    };
  }

  #raise(holdId: string, known: HoldEntry, lines: readonly ReserveLine[], nowMs: number): ReserveResult {
    for (const { amount, limit, key } of lines) {
      checkAmount(amount, key);
      checkLimit(limit, key);
    }
    if (!isLive(known)) throw conflict(`hold ${holdId} is closed or has expired`);
    if (!isOn(known, lines)) throw conflict(`hold ${holdId} was placed on other keys or windows`);
    for (const [index, counter] of known.counters.entries()) {
      this.#counters.roll(counter, nowMs);
      this.#counters.figures.setLimit(counter.cell, lines[index]?.limit ?? 0n);
    }
    return raiseHold(known, lines, this.#counters.figures);
  }

  /** The counters of a request, which are made where there are none. Amounts are checked before. */
  #countersOf(
    lines: readonly (LedgerKey & { readonly amount: bigint })[],
    nowMs: number,
  ): readonly Counter[] {
    const counters: Counter[] = [];
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index];
      if (line === undefined) continue;
      checkAmount(line.amount, line.key);
      const counter = this.#counters.findOrAdd(line, nowMs);
      for (let other = 0; other < index; other++) {
        if (counters[other]?.keyId === counter.keyId) throw repeatedKey(line);
      }
      counters.push(counter);
    }
    return counters;
  }

  /** The usual end of a call: what it cost is booked on all lines of its hold, and the hold is over. */
  #settle(hold: LedgerHold, lines: readonly PostLine[]): void {
    const { counters, left, admittedAtMs } = hold;
    const { figures } = this.#counters;
    for (let index = 0; index < counters.length; index++) {
      const counter = counters[index];
      const amount = lines[index]?.amount;
      if (counter === undefined || amount === undefined) continue;
      figures.end(counter.cell, left[index] ?? 0n);
      if (counter.ring === undefined) figures.commit(counter.cell, amount);
      else this.#counters.commit(counter, amount, admittedAtMs, this.#time());
    }
    this.#holds.set(hold.id, admittedAtMs);
    this.#leases.end(hold);
  }

  /** Books money; what a hold promised for it there is drawn down first. */
  #book(
    counter: Counter,
    amount: bigint,
    hold: LedgerHold | undefined,
    bookedAtMs: number | undefined,
  ): void {
    const drawn = hold === undefined ? 0n : drawDown(hold, counter, amount, this.#counters.figures);
    // A hold that was booked by its expiry is committed already: drawing it down moves nothing.
    const more = hold === undefined || hold.live ? amount : amount - drawn;
    const nowMs = counter.ring === undefined ? 0 : this.#time();
    this.#counters.commit(counter, more, bookedAtMs ?? nowMs, nowMs);
  }

  #upsert(
    known: Booking,
    lines: PostRequest['lines'],
    counters: readonly Counter[],
    kind: PostRequest['kind'],
    hold: LedgerHold | undefined,
    admittedAtMs: number | undefined,
  ): Booking {
    const settled = [...known.settled];
    const open = [...known.open];
    for (const [i, { key, amount }] of lines.entries()) {
      if (settled.some((counter) => counter.key === key)) continue;
      const index = open.findIndex(({ counter }) => counter.key === key);
      const earlier = open[index];
      const counter = earlier?.counter ?? counters[i];
      if (counter === undefined) continue;
      const bookedAtMs = earlier?.bookedAtMs ?? admittedAtMs ?? this.#time();
      const more = amount - (earlier?.amount ?? 0n);
      if (kind === 'actual') {
        settled.push(counter);
        if (earlier !== undefined) open.splice(index, 1);
      } else if (earlier === undefined) {
        open.push({ counter, amount, bookedAtMs });
      } else if (more > 0n) {
        open[index] = { counter, amount, bookedAtMs };
      } else continue;
      this.#book(counter, more, hold, bookedAtMs);
    }
    return { settled, open };
  }

  /** The marks of a post that nobody else was told of, as far as they are reached. */
  #crossed(lines: readonly PostLine[], counters: readonly Counter[], post: Teller): readonly CrossedMark[] {
    const nowMs = this.#time();
    return lines.flatMap(({ key, window, marks = [] }, index) => {
      const counter = counters[index];
      if (counter === undefined || marks.length === 0) return noMarks;
      this.#counters.roll(counter, nowMs);
      const committed = this.#counters.figures.committed(counter.cell);
      counter.told ??= new Map();
      const { told } = counter;
      return marks
        .filter((mark) => {
          const teller = told.get(mark);
          if (teller !== undefined) return teller.attemptId === post.attemptId && teller.kind === post.kind;
          if (committed >= mark) told.set(mark, post);
          return committed >= mark;
        })
        .map((mark) => ({ key, window, mark, committed }));
    });
  }

  #figuresOf(counter: Counter, nowMs: number): { readonly committed: bigint; readonly held: bigint } {
    this.#counters.roll(counter, nowMs);
    const { figures } = this.#counters;
    return { committed: figures.committed(counter.cell), held: figures.held(counter.cell) };
  }

  #close(holdId: string, entry: HoldEntry | undefined): void {
    if (typeof entry === 'number') return;
    this.#holds.set(holdId, entry?.admittedAtMs ?? neverAdmitted);
    if (entry === undefined) return;
    endHold(entry, this.#counters, () => this.#time());
    if (entry.live) this.#leases.end(entry);
  }

  /** Ends the leases that are over, and forgets what can be forgotten. Answers with the time. */
  #sweep(): number {
    const nowMs = this.#time();
    const { figures } = this.#counters;
    for (let hold = this.#leases.takeDue(nowMs); hold !== undefined; hold = this.#leases.takeDue(nowMs)) {
      const isBooked = hold.onExpiry === 'book';
      for (const [index, counter] of hold.counters.entries()) {
        const left = hold.left[index] ?? 0n;
        figures.end(counter.cell, left);
        if (isBooked) this.#counters.commit(counter, left, hold.admittedAtMs, nowMs);
      }
      this.#holds.set(hold.id, isBooked ? hold : hold.admittedAtMs);
    }
    if (nowMs >= this.#tidyAtMs) {
      this.#tidyAtMs = nowMs + tidyEveryMs;
      this.#holds.age(nowMs);
      this.#bookings.age(nowMs);
      this.#counters.forget(this.#clock.now(), nowMs);
    }
    return nowMs;
  }

  /** Milliseconds that never go back. */
  #time(): number {
    this.#nowMs = Math.max(this.#nowMs, this.#clock.monotonic());
    return this.#nowMs;
  }
}

const defaultMaxCount = 1_000;
const noMarks: readonly CrossedMark[] = [];
/** When its hold was first admitted, if it ever was. */
function admissionOf(entry: HoldEntry): number | undefined {
  if (entry === neverAdmitted) return undefined;
  return typeof entry === 'number' ? entry : entry.admittedAtMs;
}

function isLive(entry: HoldEntry): entry is LedgerHold {
  return typeof entry !== 'number' && entry.live;
}
