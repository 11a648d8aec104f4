import {
  type Clock,
  type CrossedMark,
  type InspectableLedger,
  type LedgerCounter,
  LedgerError,
  type LedgerHold,
  type LedgerKey,
  type LedgerQuery,
  type LedgerStatus,
  type LedgerWindow,
  type PostLine,
  type PostRequest,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';

interface ModelLine {
  readonly at: LedgerKey;
  granted: bigint;
  drawn: bigint;
}

interface ModelHold {
  readonly lines: ModelLine[];
  readonly onExpiry: ReserveRequest['onExpiry'];
  /** When it was first admitted; absent where it was closed before it was ever seen. */
  readonly admittedAtMs: number | undefined;
  endsAtMs: number;
  state: 'held' | 'closed' | 'released' | 'booked';
}

interface ModelBooking {
  readonly at: LedgerKey;
  readonly bookedAtMs: number;
  amount: bigint;
  kind: PostRequest['kind'];
}

/** Something that was committed, or taken back, in a part of a window. A calendar window has part 0 only. */
interface Entry {
  readonly part: number;
  readonly amount: bigint;
}

interface ModelCounter {
  readonly at: LedgerKey;
  entries: Entry[];
  limit: bigint | undefined;
  /** Which post was told of which mark. */
  readonly told: Map<bigint, string>;
}

/**
 * The ledger as its documentation says it, as plainly as it can be written: a journal, every figure added up from
 * scratch each time. Too slow for use; stores are compared with it.
 */
export class ModelLedger implements InspectableLedger {
  readonly unitPico = 1n;
  readonly #clock: Clock;
  readonly #holds: Map<string, ModelHold> = new Map();
  /** By key and attempt. */
  readonly #bookings: Map<string, ModelBooking> = new Map();
  /** By key and window. */
  readonly #counters: Map<string, ModelCounter> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  reserve({ holdId, lines, leaseMs, onExpiry }: ReserveRequest): ReserveResult {
    refuseNonsense(lines);
    if (!(leaseMs > 0)) throw conflict('A lease must be longer than nothing.');
    this.#expire();
    for (const line of lines) this.#counter(line).limit = line.limit < most ? line.limit : undefined;
    const hold = this.#holds.get(holdId);
    if (hold !== undefined) {
      const same =
        hold.lines.length === lines.length && hold.lines.every(({ at }, i) => isSame(at, lines[i]));
      if (!same || hold.state !== 'held') throw conflict('The hold is closed, or on other keys.');
    }
    for (const [i, line] of lines.entries()) {
      const { committed, held } = this.#statusOf(line);
      const more = line.amount - (hold?.lines[i]?.granted ?? 0n);
      if (more > 0n && committed + held + more > line.limit) {
        return { admitted: false, refused: { ...line, committed, held } };
      }
    }
    if (hold === undefined) {
      const admittedAtMs = this.#clock.monotonic();
      this.#holds.set(holdId, {
        lines: lines.map(({ key, window, amount }) => ({ at: { key, window }, granted: amount, drawn: 0n })),
        onExpiry,
        admittedAtMs,
        endsAtMs: admittedAtMs + leaseMs,
        state: 'held',
      });
    } else {
      for (const [i, held] of hold.lines.entries()) {
        const amount = lines[i]?.amount ?? 0n;
        if (amount > held.granted) held.granted = amount;
      }
    }
    return { admitted: true };
  }

  post({ attemptId, holdId, lines, kind, close = false }: PostRequest): readonly CrossedMark[] {
    refuseNonsense(lines);
    this.#expire();
    const hold = this.#holds.get(holdId ?? '');
    for (const line of lines) this.#book(attemptId, kind, line, hold);
    if (close && holdId !== undefined) this.close(holdId);
    this.#rearm();
    return lines.flatMap((line) => this.#crossed(line, `${kind} ${attemptId}`));
  }

  close(holdId: string): void {
    this.#expire();
    const hold = this.#holds.get(holdId);
    if (hold === undefined) {
      this.#holds.set(holdId, {
        lines: [],
        onExpiry: 'release',
        admittedAtMs: undefined,
        endsAtMs: 0,
        state: 'closed',
      });
      return;
    }
    if (hold.state === 'booked') {
      for (const line of hold.lines) this.#add(line.at, hold.admittedAtMs ?? 0, -left(line));
    }
    hold.state = 'closed';
  }

  renew(holdId: string, leaseMs: number): boolean {
    this.#expire();
    const hold = this.#holds.get(holdId);
    if (hold?.state !== 'held') return false;
    hold.endsAtMs = Math.max(hold.endsAtMs, this.#clock.monotonic() + leaseMs);
    return true;
  }

  status(keys: readonly LedgerKey[]): readonly LedgerStatus[] {
    this.#expire();
    return keys.map((key) => this.#statusOf(key));
  }

  counters({ prefix = '', maxCount = 1_000 }: LedgerQuery = {}): readonly LedgerCounter[] {
    this.#expire();
    return [...this.#counters.values()]
      .filter(({ at }) => at.key.startsWith(prefix))
      .sort((a, b) => compare(a.at.key, b.at.key) || compare(a.at.window.id, b.at.window.id))
      .slice(0, maxCount)
      .map(({ at, limit }) => ({ ...this.#statusOf(at), limit }));
  }

  holds({ prefix = '', maxCount = 1_000 }: LedgerQuery = {}): readonly LedgerHold[] {
    this.#expire();
    return [...this.#holds]
      .filter(([, { state, lines }]) => state === 'held' && lines.some(({ at }) => at.key.startsWith(prefix)))
      .sort(([, a], [, b]) => a.endsAtMs - b.endsAtMs)
      .slice(0, maxCount)
      .map(([holdId, { lines, endsAtMs, onExpiry }]) => ({
        holdId,
        lines: lines.map((line) => ({ ...line.at, left: left(line) })),
        leaseLeftMs: endsAtMs - this.#clock.monotonic(),
        onExpiry,
      }));
  }

  reset(key: LedgerKey): void {
    this.#expire();
    const counter = this.#counters.get(counterId(key));
    if (counter === undefined) return;
    counter.entries = [];
    counter.told.clear();
  }

  flush(): void {}

  dispose(): void {}

  #book(attemptId: string, kind: PostRequest['kind'], line: PostLine, hold: ModelHold | undefined): void {
    const { key, window, amount } = line;
    const id = JSON.stringify([key, attemptId]);
    const known = this.#bookings.get(id);
    if (known?.kind === 'actual') return;
    if (known !== undefined && kind === 'estimated' && amount <= known.amount) return;
    const more = amount - (known?.amount ?? 0n);
    const at = known?.at ?? { key, window };
    const bookedAtMs = known?.bookedAtMs ?? hold?.admittedAtMs ?? this.#clock.monotonic();
    this.#bookings.set(id, { at, bookedAtMs, amount, kind });
    const held = more > 0n ? hold?.lines.find((candidate) => isSame(candidate.at, at)) : undefined;
    const drawn = held === undefined ? 0n : smaller(more, left(held));
    if (held !== undefined) held.drawn += drawn;
    // What the expiry of the hold has booked is there already.
    this.#add(at, bookedAtMs, hold?.state === 'booked' ? more - drawn : more);
  }

  /** Enters an amount. What is taken back cannot be more than is there: a reset may have come between. */
  #add(at: LedgerKey, timeMs: number, amount: bigint): void {
    const { entries } = this.#counter(at);
    const part = partOf(at.window, timeMs);
    const there = sum(entries.filter((entry) => entry.part === part));
    entries.push({ part, amount: amount < -there ? -there : amount });
  }

  #crossed({ key, window, marks = [] }: PostLine, post: string): CrossedMark[] {
    const { committed } = this.#statusOf({ key, window });
    const { told } = this.#counter({ key, window });
    return marks
      .filter((mark) => (told.has(mark) ? told.get(mark) === post : committed >= mark))
      .map((mark) => {
        told.set(mark, post);
        return { key, window, mark, committed };
      });
  }

  /** In a window that moves, a mark can be crossed anew once `committed` was below it. */
  #rearm(): void {
    for (const { at, told } of this.#counters.values()) {
      if (at.window.lengthMs === undefined) continue;
      const { committed } = this.#statusOf(at);
      for (const mark of told.keys()) if (committed < mark) told.delete(mark);
    }
  }

  #counter({ key, window }: LedgerKey): ModelCounter {
    const id = counterId({ key, window });
    const known = this.#counters.get(id);
    if (known !== undefined) return known;
    const counter: ModelCounter = { at: { key, window }, entries: [], limit: undefined, told: new Map() };
    this.#counters.set(id, counter);
    return counter;
  }

  #statusOf({ key, window }: LedgerKey): LedgerStatus {
    const at = { key, window };
    const newest = partOf(window, this.#clock.monotonic());
    const oldest = newest - (window.lengthMs === undefined ? 0 : window.slots);
    const entries = this.#counters.get(counterId(at))?.entries ?? [];
    let held = 0n;
    for (const { lines, state } of this.#holds.values()) {
      if (state === 'held') for (const line of lines) if (isSame(line.at, at)) held += left(line);
    }
    return { key, window, committed: sum(entries.filter(({ part }) => part >= oldest)), held };
  }

  #expire(): void {
    this.#rearm();
    const nowMs = this.#clock.monotonic();
    for (const hold of this.#holds.values()) {
      if (hold.state !== 'held' || nowMs < hold.endsAtMs) continue;
      hold.state = hold.onExpiry === 'book' ? 'booked' : 'released';
      if (hold.state === 'released') continue;
      for (const line of hold.lines) this.#add(line.at, hold.admittedAtMs ?? 0, left(line));
    }
  }
}

function partOf(window: LedgerWindow, timeMs: number): number {
  return window.lengthMs === undefined ? 0 : Math.floor(timeMs / (window.lengthMs / window.slots));
}

function sum(entries: readonly Entry[]): bigint {
  return entries.reduce((total, { amount }) => total + amount, 0n);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function counterId({ key, window }: LedgerKey): string {
  return JSON.stringify([key, window.id]);
}

function isSame(a: LedgerKey, b: LedgerKey | undefined): boolean {
  return a.key === b?.key && a.window.id === b.window.id;
}

function left({ granted, drawn }: ModelLine): bigint {
  return granted - drawn;
}

function conflict(why: string): LedgerError {
  return new LedgerError(why, { transient: false });
}

const most = 2n ** 62n;

function refuseNonsense(lines: readonly (ReserveLine | PostLine)[]): void {
  if (new Set(lines.map(({ key }) => key)).size < lines.length) throw conflict('A key stands in two lines.');
  for (const line of lines) {
    const { amount, window } = line;
    if (amount < 0n || amount > most) throw conflict('An amount must be 0 to 2^62.');
    if ('limit' in line && line.limit > most) throw conflict('A limit must be at most 2^62.');
    const marks = 'marks' in line ? (line.marks ?? []) : [];
    const ascending = marks.every((mark, i) => i === 0 || mark > (marks[i - 1] ?? 0n));
    if (marks.length > 16 || !ascending) throw conflict('Marks must be ascending, and at most 16.');
    if (window.lengthMs === undefined) continue;
    const { lengthMs, slots } = window;
    const isFit =
      Number.isInteger(slots) && slots >= 1 && slots <= 360 && lengthMs > 0 && lengthMs % slots === 0;
    if (!isFit) throw conflict('A rolling window has 1 to 360 slots, and a multiple of them as its length.');
  }
}
