import type { LedgerKey } from '@synapsekit/core';
import { type Booking, bookingOf, bookingText } from './booking.ts';
import { Counter } from './counter.ts';
import { type Hold, lineText } from './hold.ts';
import type { LedgerTime } from './ledger-time.ts';
import { linesOf, type Row, toAmount, toCell, toWindow } from './rows.ts';
import type { Statements } from './statements.ts';

/** How many records of a kind are kept from one transaction to the next. */
const mostKept = 20_000;

/** The one row about the ledger itself. */
export interface LedgerRow {
  /** The furthest that the time has come. */
  timeMs: number;
  /** Ids are remembered in generations: the one that is filled now, and the one before. */
  generation: bigint;
  generationSinceMs: number;
  rememberMs: number;
}

/**
 * What a transaction works on: rows as objects, read when they are first asked for and written back once, at its end.
 * They are kept from one transaction to the next for as long as nobody else has written to the file.
 */
export class Records {
  readonly #sql: Statements;
  readonly #time: LedgerTime;
  readonly #counters = new Map<string, Counter>();
  readonly #countersById = new Map<bigint, Counter>();
  readonly #holds = new Map<string, Hold>();
  readonly #bookings = new Map<string, Booking>();
  #ledger: LedgerRow = { timeMs: 0, generation: 0n, generationSinceMs: 0, rememberMs: 0 };
  #isLedgerDirty = false;
  #dirtyCounters: Counter[] = [];
  #dirtyHolds: Hold[] = [];
  #dirtyBookings: Booking[] = [];
  #dataVersion: bigint | undefined;
  /** No lease ends before this. */
  #firstEndMs = Number.NEGATIVE_INFINITY;
  nowMs = 0;

  constructor(sql: Statements, time: LedgerTime) {
    this.#sql = sql;
    this.#time = time;
  }

  /** Whether nobody else has written since the last transaction. Outside of one. */
  isCurrent(): boolean {
    const [version] = (this.#sql.dataVersion.get() as unknown as Row) ?? [];
    return version === this.#dataVersion;
  }

  /** A live hold that is known without asking the file. */
  knownHold(id: string): Hold | undefined {
    const hold = this.#holds.get(id);
    return hold?.state === 'live' && hold.endsAtMs > this.#time.now() ? hold : undefined;
  }

  /** Begins a transaction. True when another process has written since the last one. */
  begin(): boolean {
    const [version] = (this.#sql.dataVersion.get() as unknown as Row) ?? [];
    const others = version !== this.#dataVersion;
    if (others) {
      this.drop();
      this.#dataVersion = version as bigint;
      const row = this.#sql.ledger.get() as unknown as Row;
      this.#ledger = {
        timeMs: Number(row[0]),
        generation: toAmount(row[1]),
        generationSinceMs: Number(row[2]),
        rememberMs: Number(row[3]),
      };
      this.#time.reach(this.#ledger.timeMs);
    }
    this.nowMs = this.#time.now();
    return others;
  }

  /** Forgets everything that was read: the transaction failed, or others have written. */
  drop(): void {
    this.#counters.clear();
    this.#countersById.clear();
    this.#holds.clear();
    this.#bookings.clear();
    this.#dirtyCounters = [];
    this.#dirtyHolds = [];
    this.#dirtyBookings = [];
    this.#isLedgerDirty = false;
    this.#dataVersion = undefined;
    this.#firstEndMs = Number.NEGATIVE_INFINITY;
  }

  get ledger(): Readonly<LedgerRow> {
    return this.#ledger;
  }

  changeLedger(change: Partial<LedgerRow>): void {
    Object.assign(this.#ledger, change);
    this.#isLedgerDirty = true;
  }

  findCounter({ key, window }: LedgerKey): Counter {
    const name = nameOf({ key, window });
    const known = this.#counters.get(name);
    const counter =
      known ?? this.#readCounter(this.#sql.counterByKey.get(key, window.id)) ?? new Counter({ key, window });
    if (known === undefined) this.#counters.set(name, counter);
    counter.age(this.nowMs);
    return counter;
  }

  findCounterById(id: bigint): Counter | undefined {
    const known = this.#countersById.get(id);
    known?.age(this.nowMs);
    if (known !== undefined) return known;
    const counter = this.#readCounter(this.#sql.counterById.get(id));
    if (counter === undefined) return undefined;
    this.#counters.set(nameOf(counter), counter);
    counter.age(this.nowMs);
    return counter;
  }

  /** Its row is gone. Nothing refers to it: no live hold is on it, and no operation has begun. */
  forgetCounter(id: bigint): void {
    const counter = this.#countersById.get(id);
    if (counter === undefined) return;
    this.#countersById.delete(id);
    this.#counters.delete(nameOf(counter));
  }

  findHold(id: string): Hold | undefined {
    const known = this.#holds.get(id);
    if (known !== undefined) return known;
    const now = this.#ledger.generation;
    const row = this.#sql.hold.get(id, now, now - 1n, id) as unknown as Row | undefined;
    if (row === undefined) return undefined;
    const [generation, endsAtMs, admittedAtMs, books, lines] = row;
    const isLive = generation === null;
    const hold: Hold = {
      id,
      onExpiry: books === 0n ? 'release' : 'book',
      admittedAtMs: admittedAtMs === null ? undefined : Number(admittedAtMs),
      lines: linesOf(String(lines ?? '')).flatMap(({ counter: counterId, total, left }) => {
        const counter = this.findCounterById(counterId);
        return counter === undefined ? [] : [{ counter, total, left }];
      }),
      endsAtMs: Number(endsAtMs),
      state: isLive ? 'live' : lines === null ? 'closed' : 'booked',
      row: isLive ? 'live' : (generation as bigint),
      isDirty: false,
    };
    this.#holds.set(id, hold);
    return hold;
  }

  addHold(hold: Hold): void {
    this.#holds.set(hold.id, hold);
    if (hold.endsAtMs < this.#firstEndMs) this.#firstEndMs = hold.endsAtMs;
    this.touchHold(hold);
  }

  /** Ids of live holds whose leases are over, at most `maxCount`. */
  dueHolds(maxCount: number): readonly string[] {
    if (this.nowMs < this.#firstEndMs) return [];
    const [first] = this.#sql.firstEnd.get() as unknown as Row;
    this.#firstEndMs = first === null ? Number.POSITIVE_INFINITY : Number(first);
    if (this.nowMs < this.#firstEndMs) return [];
    const rows = this.#sql.dueHolds.all(this.nowMs, maxCount) as unknown as Row[];
    return rows.map(([id]) => String(id));
  }

  findBooking(attemptId: string): Booking | undefined {
    const known = this.#bookings.get(attemptId);
    if (known !== undefined) return known;
    const now = this.#ledger.generation;
    const row = this.#sql.booking.get(now, now - 1n, attemptId) as unknown as Row | undefined;
    if (row === undefined) return undefined;
    const booking = bookingOf(attemptId, toAmount(row[0]), String(row[1]), (id) => this.findCounterById(id));
    this.#bookings.set(attemptId, booking);
    return booking;
  }

  putBooking(booking: Booking): void {
    this.#bookings.set(booking.attemptId, booking);
    if (booking.isDirty) return;
    booking.isDirty = true;
    this.#dirtyBookings.push(booking);
  }

  touchCounter(counter: Counter): void {
    if (counter.isDirty) return;
    counter.isDirty = true;
    this.#dirtyCounters.push(counter);
  }

  touchHold(hold: Hold): void {
    if (hold.isDirty) return;
    hold.isDirty = true;
    this.#dirtyHolds.push(hold);
  }

  /** Writes what has changed. True when there was anything. */
  save(): boolean {
    const isDirty =
      this.#isLedgerDirty ||
      this.#dirtyCounters.length + this.#dirtyHolds.length + this.#dirtyBookings.length > 0;
    if (!isDirty) return false;
    if (this.nowMs > this.#ledger.timeMs) this.changeLedger({ timeMs: this.nowMs });
    if (this.#isLedgerDirty) this.#saveLedger();
    for (const counter of this.#dirtyCounters) this.#saveCounter(counter);
    for (const hold of this.#dirtyHolds) this.#saveHold(hold);
    for (const booking of this.#dirtyBookings) this.#saveBooking(booking);
    return true;
  }

  /** The transaction is committed. */
  committed(): void {
    for (const hold of this.#dirtyHolds) if (hold.state !== 'live') this.#holds.delete(hold.id);
    this.#dirtyCounters = [];
    this.#dirtyHolds = [];
    this.#dirtyBookings = [];
    this.#isLedgerDirty = false;
    this.#bookings.clear();
    if (this.#counters.size > mostKept || this.#holds.size > mostKept) this.drop();
  }

  #readCounter(found: unknown): Counter | undefined {
    if (found === undefined) return undefined;
    const counter = counterOf(found as Row);
    readParts(this.#sql, counter);
    if (counter.id !== undefined) this.#countersById.set(counter.id, counter);
    return counter;
  }

  #saveLedger(): void {
    const { timeMs, generation, generationSinceMs, rememberMs } = this.#ledger;
    this.#sql.setLedger.run(timeMs, generation, generationSinceMs, rememberMs);
  }

  #saveCounter(counter: Counter): void {
    const { key, window, holds, parts, dirtyParts } = counter;
    const sql = this.#sql;
    const figures = [
      toCell(counter.committed),
      toCell(counter.held),
      BigInt(holds),
      boundOf(counter),
    ] as const;
    if (counter.id === undefined) {
      const { endsAtMs = null, lengthMs = null } = window;
      const slots = window.lengthMs === undefined ? null : window.slots;
      const added = sql.addCounter.run(key, window.id, endsAtMs, lengthMs, slots, ...figures);
      counter.id = BigInt(added.lastInsertRowid);
      this.#countersById.set(counter.id, counter);
      if (endsAtMs !== null) sql.addToCalendar.run(window.id, endsAtMs);
    } else {
      sql.setCounter.run(...figures, counter.id);
    }
    if (counter.isToldDirty) {
      const told = [...(counter.told ?? [])].map(([mark, post]) => [String(mark), post]);
      sql.setTold.run(told.length === 0 ? null : JSON.stringify(told), counter.id);
      counter.isToldDirty = false;
    }
    if (dirtyParts !== undefined && parts !== undefined) {
      for (const number of dirtyParts) {
        const amount = parts.get(number);
        if (amount === undefined) sql.dropPart.run(counter.id, number);
        else sql.setPart.run(counter.id, number, toCell(amount));
      }
      dirtyParts.clear();
      if (counter.hasAged) sql.dropPartsBefore.run(counter.id, counter.oldest);
      counter.hasAged = false;
    }
    counter.isDirty = false;
  }

  #saveHold(hold: Hold): void {
    const sql = this.#sql;
    const { id, row, state } = hold;
    hold.isDirty = false;
    if (state === 'live') {
      if (row === 'none') {
        const books = hold.onExpiry === 'book' ? 1n : 0n;
        sql.addHold.run(id, hold.endsAtMs, hold.admittedAtMs ?? 0, books, lineText(hold));
      } else sql.setHold.run(hold.endsAtMs, lineText(hold), id);
      hold.row = 'live';
      return;
    }
    const lines = state === 'booked' ? lineText(hold) : null;
    if (typeof row === 'bigint') {
      sql.setPastHold.run(lines, row, id);
      return;
    }
    if (row === 'live') sql.dropHold.run(id);
    sql.addPastHold.run(this.#ledger.generation, id, hold.admittedAtMs ?? null, lines);
    hold.row = this.#ledger.generation;
  }

  #saveBooking(booking: Booking): void {
    const { attemptId, generation } = booking;
    booking.isDirty = false;
    const text = bookingText(booking);
    if (generation !== undefined) this.#sql.setBooking.run(text, generation, attemptId);
    else this.#sql.addBooking.run(this.#ledger.generation, attemptId, text);
  }
}

/** A counter from its row, without its parts. */
export function counterOf(row: Row): Counter {
  const [id, key, window, endsAtMs, lengthMs, slots, committed, held, holds, bound, told] = row;
  const counter = new Counter({
    key: String(key),
    window: toWindow(window ?? '', endsAtMs ?? null, lengthMs ?? null, slots ?? null),
  });
  counter.id = id as bigint;
  counter.committed = toAmount(committed ?? 0n);
  counter.held = toAmount(held ?? 0n);
  counter.holds = Number(holds);
  counter.limit = bound === null ? undefined : toAmount(bound);
  if (told !== null) {
    const pairs = JSON.parse(String(told)) as [mark: string, post: string][];
    counter.told = new Map(pairs.map(([mark, post]) => [BigInt(mark), post]));
  }
  return counter;
}

/** What a rolling window has committed is the sum of its parts. */
export function readParts(sql: Statements, counter: Counter): void {
  const { id, parts } = counter;
  if (id === undefined || parts === undefined) return;
  counter.committed = 0n;
  for (const [number, cell] of sql.parts.all(id) as unknown as Row[]) {
    const amount = toAmount(cell);
    parts.set(Number(number), amount);
    counter.committed += amount;
  }
}

function nameOf({ key, window }: LedgerKey): string {
  return `${window.id}\n${key}`;
}

function boundOf({ limit }: Counter): bigint | string | null {
  return limit === undefined ? null : toCell(limit);
}
