import {
  type Clock,
  type CrossedMark,
  type LedgerKey,
  type LedgerStatus,
  type LedgerStore,
  type PicoUsd,
  type PostRequest,
  type ReserveRequest,
  type ReserveResult,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
} from '@synapsekit/core';
import type { Booking, Counter } from './counter.ts';
import { CounterTable } from './counter-table.ts';
import { GenerationalMap } from './generational-map.ts';
import { LeaseHeap } from './lease-heap.ts';
import {
  admitted,
  book,
  closedHold,
  conflict,
  type HeldLine,
  type LedgerHold,
  raiseHold,
  refused,
} from './ledger-hold.ts';

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
  /** Ids are also forgotten once this many later ones have come: bounds the memory (about 100 bytes each). @default 20_000 */
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
 * The ledger of one process: exact (pico-dollars in `bigint`), atomic because nothing here waits, and gone with the
 * process. It sets no timers; leases that ended are swept by the next `reserve` or `status`.
 */
export class MemoryLedger implements LedgerStore {
  readonly unitPico: PicoUsd = 1n;
  readonly #clock: Clock;
  readonly #counters: CounterTable;
  readonly #holds = new Map<string, LedgerHold>();
  /** Holds that are over. One that its expiry booked can still be drawn down. */
  readonly #pastHolds: GenerationalMap<LedgerHold>;
  /** By attempt. */
  readonly #bookings: GenerationalMap<Booking>;
  readonly #leases = new LeaseHeap<LedgerHold>();
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
    this.#pastHolds = new GenerationalMap(rememberMs, rememberCount);
    this.#bookings = new GenerationalMap(rememberMs, rememberCount);
  }

  reserve({ holdId, lines, leaseMs, onExpiry }: ReserveRequest): ReserveResult {
    checkLines(lines);
    if (!(leaseMs > 0)) throw conflict(`leaseMs must be > 0, got ${leaseMs}`);
    const nowMs = this.#clock.monotonic();
    this.#sweep(nowMs);
    const known = this.#findHold(holdId);
    if (known !== undefined) return raiseHold(known, holdId, lines);

    const held: HeldLine[] = [];
    for (const line of lines) {
      const counter = this.#counters.findOrAdd(line);
      const { amount, limit } = line;
      if (amount > 0n && counter.used + amount > limit) return refused(line, counter);
      held.push({ counter, total: amount, left: amount });
    }
    for (const { counter, total } of held) {
      counter.used += total;
      counter.holds += 1;
    }
    const leaseEndsAtMs = nowMs + leaseMs;
    const hold: LedgerHold = {
      id: holdId,
      lines: held,
      onExpiry,
      leaseEndsAtMs,
      filedAtMs: leaseEndsAtMs,
      live: true,
    };
    this.#holds.set(holdId, hold);
    this.#leases.add(hold);
    return admitted;
  }

  post({ attemptId, holdId, lines, kind, close = false }: PostRequest): readonly CrossedMark[] {
    checkLines(lines);
    const hold = holdId === undefined ? undefined : this.#findHold(holdId);
    const known = this.#bookings.get(attemptId);
    if (known === undefined && kind === 'actual')
      this.#bookings.set(attemptId, this.#bookFinally(lines, hold));
    else this.#bookings.set(attemptId, this.#upsert(known ?? nothingBooked, lines, kind, hold));
    if (close && holdId !== undefined) this.#close(holdId, hold);
    return noMarks;
  }

  close(holdId: string): void {
    this.#close(holdId, this.#findHold(holdId));
  }

  renew(holdId: string, leaseMs: number): boolean {
    const nowMs = this.#clock.monotonic();
    this.#sweep(nowMs);
    const hold = this.#holds.get(holdId);
    if (hold === undefined) return false;
    hold.leaseEndsAtMs = Math.max(hold.leaseEndsAtMs, nowMs + leaseMs);
    return true;
  }

  status(keys: readonly LedgerKey[]): readonly LedgerStatus[] {
    this.#sweep(this.#clock.monotonic());
    return keys.map(({ key, window }) => {
      const { committed, used } = this.#counters.find(key, window.id) ?? nothing;
      return { key, window, committed, held: used - committed };
    });
  }

  /** Nothing to wait for. */
  flush(): void {}

  /** Nothing is held open. */
  dispose(): void {}

  /** How many counters, live holds and remembered ids there are. */
  get size(): { readonly counters: number; readonly holds: number; readonly ids: number } {
    return {
      counters: this.#counters.size,
      holds: this.#holds.size,
      ids: this.#pastHolds.size + this.#bookings.size,
    };
  }

  /** The usual case: nothing booked before, nothing to change later. */
  #bookFinally(lines: PostRequest['lines'], hold: LedgerHold | undefined): Booking {
    let counter: Counter | undefined;
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index];
      if (line === undefined) continue;
      // A post nearly always has the lines of its hold, in the same order.
      const held = hold?.lines[index]?.counter;
      const isSame = held !== undefined && held.key === line.key && held.windowId === line.window.id;
      counter = isSame ? held : this.#counters.findOrAdd(line);
      book(counter, line.amount, hold);
    }
    if (counter === undefined) return nothingBooked;
    const shared = counter.lastBooking;
    if (shared !== undefined && sameKeys(shared.settled, lines)) return shared;
    const booking = { settled: lines.map(({ key }) => key), open: [] };
    counter.lastBooking = booking;
    return booking;
  }

  #upsert(
    known: Booking,
    lines: PostRequest['lines'],
    kind: PostRequest['kind'],
    hold: LedgerHold | undefined,
  ): Booking {
    const settled = [...known.settled];
    const open = [...known.open];
    for (const line of lines) {
      const { key, amount } = line;
      if (settled.includes(key)) continue;
      const index = open.findIndex(({ counter }) => counter.key === key);
      const earlier = open[index];
      const counter = earlier?.counter ?? this.#counters.findOrAdd(line);
      const more = amount - (earlier?.amount ?? 0n);
      if (kind === 'actual') {
        settled.push(key);
        if (earlier !== undefined) open.splice(index, 1);
      } else if (earlier === undefined) {
        open.push({ counter, amount });
      } else if (more > 0n) {
        open[index] = { counter, amount };
      } else continue;
      book(counter, more, hold);
    }
    return { settled, open };
  }

  #findHold(holdId: string): LedgerHold | undefined {
    return this.#holds.get(holdId) ?? this.#pastHolds.get(holdId);
  }

  #close(holdId: string, hold: LedgerHold | undefined): void {
    if (hold === closedHold) return;
    this.#pastHolds.set(holdId, closedHold);
    if (hold === undefined) return;
    for (const { counter, left } of hold.lines) {
      if (left > 0n) {
        counter.used -= left;
        if (!hold.live) counter.committed -= left; // its expiry had booked it
      }
      if (hold.live) counter.holds -= 1;
    }
    if (!hold.live) return;
    this.#holds.delete(holdId);
    this.#leases.end(hold);
  }

  #sweep(nowMs: number): void {
    for (let hold = this.#leases.takeDue(nowMs); hold !== undefined; hold = this.#leases.takeDue(nowMs)) {
      const release = hold.onExpiry === 'release';
      for (const { counter, left } of hold.lines) {
        if (release) counter.used -= left;
        else counter.committed += left;
        counter.holds -= 1;
      }
      this.#holds.delete(hold.id);
      this.#pastHolds.set(hold.id, release ? closedHold : hold);
    }
    if (nowMs < this.#tidyAtMs) return;
    this.#tidyAtMs = nowMs + tidyEveryMs;
    this.#pastHolds.age(nowMs);
    this.#bookings.age(nowMs);
    this.#counters.forget(this.#clock.now(), nowMs);
  }
}

const noMarks: readonly CrossedMark[] = [];
const nothing = { committed: 0n, used: 0n };
const nothingBooked: Booking = { settled: [], open: [] };

function sameKeys(keys: readonly string[], lines: PostRequest['lines']): boolean {
  if (keys.length !== lines.length) return false;
  for (let index = 0; index < keys.length; index++) if (keys[index] !== lines[index]?.key) return false;
  return true;
}

function checkLines(lines: readonly (LedgerKey & { readonly amount: bigint })[]): void {
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined) continue;
    if (line.amount < 0n)
      throw conflict(`an amount must not be negative, got ${line.amount} for ${line.key}`);
    for (let other = 0; other < index; other++) {
      if (lines[other]?.key === line.key) throw conflict(`${line.key} stands in two lines of one request`);
    }
  }
}
