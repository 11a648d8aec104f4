import type {
  CrossedMark,
  InspectableLedger,
  LedgerCounter,
  LedgerHold,
  LedgerKey,
  LedgerQuery,
  LedgerStatus,
  PicoUsd,
  PostRequest,
  ReserveLine,
  ReserveRequest,
  ReserveResult,
} from '@synapsekit/core';
import { checkAmount, checkLease, checkLimit, checkMarks } from './figures.ts';
import {
  checkLeasedLedgerOptions,
  type LeasedLedgerOptions,
  type LeasedLedgerSettings,
} from './leased-ledger-options.ts';
import { LedgerSlice } from './ledger-slice.ts';
import { conflict } from './redis-errors.ts';
import { RememberedIds } from './remembered-ids.ts';

/** A hold that lives in this process, in a slice. */
interface LocalHold {
  readonly slice: LedgerSlice;
  readonly onExpiry: ReserveRequest['onExpiry'];
  readonly granted: bigint[];
  readonly left: bigint[];
  leaseEndsAtMs: number;
  /** Its lease ended, and what was left counts as spent until its owner comes back. */
  isBooked: boolean;
}

/** The requests over the same counters and limits. */
interface Lane {
  readonly lines: readonly ReserveLine[];
  slice: LedgerSlice | undefined;
  refill: Promise<void> | undefined;
  /** Until when slices are not worth it: there is too little. */
  directUntilMs: number;
}

const admitted: ReserveResult = Object.freeze({ admitted: true });
const noMarks: readonly CrossedMark[] = Object.freeze([]);
/** A slice for fewer calls than this costs more than it saves. */
const minCalls = 8n;
/** How many marks wait at most for a post that asks for them. */
const maxCrossed = 1_000;
/**
 * Where a window rolls, no slice is right: what is spent out of it would count from when the slice was taken, and leave
 * the window too early.
 */
const directLane: Lane = {
  lines: [],
  slice: undefined,
  refill: undefined,
  directUntilMs: Number.POSITIVE_INFINITY,
};

/**
 * Admits calls in microseconds: takes slices of the limits out of a shared ledger in advance, one hold there for a
 * hundred calls here, and tells it later what was spent. No limit can be overrun, since what a process admits from was
 * taken out first.
 *
 * What it costs: a slice that sits in one process is missing in the others until it is used up or given back, at the
 * latest `sliceMs` after it was taken. When little is left of a limit, calls go to the shared ledger directly, so that the
 * end of a budget is not cut into pieces; so do calls with a limit in a rolling window. The slice of a process that died
 * counts as spent, in whole.
 *
 * `status` never says less than is committed and held together; what slices hold counts as held.
 */
export class LeasedLedger implements InspectableLedger {
  readonly unitPico: PicoUsd;
  readonly #store: InspectableLedger;
  readonly #settings: LeasedLedgerSettings;
  /** By the key of their first line. */
  readonly #lanes = new Map<string, Lane[]>();
  readonly #holds = new Map<string, LocalHold>();
  /** Holds that this process placed in the shared ledger itself. */
  readonly #direct = new Set<string>();
  /** Holds that ended here, and bookings that were made here; the oldest are forgotten. */
  readonly #closed: RememberedIds;
  readonly #attempts: RememberedIds;
  /** Holds that were closed in the shared ledger, and attempts of which it knows. */
  readonly #closedThere: RememberedIds;
  readonly #attemptsThere: RememberedIds;
  readonly #slices = new Set<LedgerSlice>();
  /** Marks that a report crossed in the background: told to the next post that asks for them. */
  #crossed: CrossedMark[] = [];
  #cancelTick: (() => void) | undefined;

  /**
   * @param store the shared ledger: a `RedisLedger`, or any other.
   * @throws ConfigError for an unknown option or a value out of range.
   */
  constructor(store: InspectableLedger, options: LeasedLedgerOptions = {}) {
    this.#settings = checkLeasedLedgerOptions(options);
    this.#store = store;
    this.#closed = new RememberedIds(this.#settings.rememberCount);
    this.#attempts = new RememberedIds(this.#settings.rememberCount);
    this.#closedThere = new RememberedIds(this.#settings.rememberCount);
    this.#attemptsThere = new RememberedIds(this.#settings.rememberCount);
    this.unitPico = store.unitPico;
  }

  /** Answers at once where a slice has enough, else with a promise. */
  reserve(request: ReserveRequest): ReserveResult | Promise<ReserveResult> {
    const { holdId, lines } = request;
    checkLease(request.leaseMs);
    for (const { amount, limit } of lines) {
      checkAmount(amount);
      checkLimit(limit);
    }
    const known = this.#holds.get(holdId);
    if (known !== undefined) return this.#again(known, request);
    if (this.#direct.has(holdId)) return this.#store.reserve(request);
    this.#refuseClosed(holdId);
    const lane = this.#lane(lines);
    return this.#admit(lane, request) ? admitted : this.#reserveElsewhere(lane, request);
  }

  post(request: PostRequest): readonly CrossedMark[] | Promise<readonly CrossedMark[]> {
    const { attemptId, holdId, lines, kind, close = false } = request;
    const hold = holdId === undefined ? undefined : this.#holds.get(holdId);
    const booking = bookingId(request);
    if (this.#attempts.has(booking)) {
      if (close && holdId !== undefined) return Promise.resolve(this.close(holdId)).then(() => noMarks);
      return noMarks;
    }
    if (hold === undefined) return this.#postDirectly(request);
    for (const { amount, marks } of lines) {
      checkAmount(amount);
      if (marks !== undefined) checkMarks(marks);
    }
    const isKnownThere = this.#attemptsThere.has(attemptId);
    if (kind !== 'actual' || isKnownThere || !isOn(hold.slice, lines))
      return this.#postUnderSlice(hold, request);
    let isUrgent = false;
    for (const [i, { amount, marks = [] }] of lines.entries()) {
      const line = hold.slice.lines[i];
      if (line === undefined) continue;
      const drawn = draw(hold, i, amount);
      const excess = overdraw(line, amount - drawn);
      // What its expiry booked is booked already.
      line.unreported += (hold.isBooked ? amount - drawn : amount) - excess;
      line.excess += excess;
      line.marks = marks;
      const spent = line.committed + line.unreported + line.excess;
      isUrgent ||= excess > 0n || marks.some((mark) => spent >= mark && spent - amount < mark);
    }
    this.#attempts.add(booking);
    if (close && holdId !== undefined) this.#closeLocal(holdId, hold);
    if (isUrgent) return hold.slice.report().then((crossed) => [...crossed, ...this.#takeCrossed(lines)]);
    return this.#takeCrossed(lines);
  }

  close(holdId: string): void | Promise<void> {
    const hold = this.#holds.get(holdId);
    if (hold !== undefined) this.#closeLocal(holdId, hold);
    else if (!this.#closed.has(holdId)) {
      this.#direct.delete(holdId);
      this.#closedThere.note(holdId);
      return this.#store.close(holdId);
    }
  }

  renew(holdId: string, leaseMs: number): boolean | Promise<boolean> {
    this.#sweep();
    const hold = this.#holds.get(holdId);
    if (hold === undefined) return this.#closed.has(holdId) ? false : this.#store.renew(holdId, leaseMs);
    if (hold.isBooked) return false;
    hold.leaseEndsAtMs = Math.max(hold.leaseEndsAtMs, this.#settings.clock.monotonic() + leaseMs);
    return true;
  }

  /** Tells the shared ledger what was spent here, and asks it. */
  async status(keys: readonly LedgerKey[]): Promise<readonly LedgerStatus[]> {
    await this.#reportAll();
    return this.#store.status(keys);
  }

  async counters(query?: LedgerQuery): Promise<readonly LedgerCounter[]> {
    await this.#reportAll();
    return this.#store.counters(query);
  }

  /** The holds in the shared ledger: slices are among them, the calls that hold parts of slices are not. */
  holds(query?: LedgerQuery): readonly LedgerHold[] | Promise<readonly LedgerHold[]> {
    return this.#store.holds(query);
  }

  async reset(key: LedgerKey): Promise<void> {
    await this.#reportAll();
    await this.#store.reset(key);
  }

  /** Resolves when the shared ledger knows all that was spent here. */
  async flush(): Promise<void> {
    await this.#reportAll();
    await this.#store.flush();
  }

  /** Gives back what is left of all slices. Those that calls still need stay, and count as spent when they end. */
  async dispose(): Promise<void> {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    await Promise.allSettled([...this.#allLanes()].map(({ refill }) => refill));
    for (const lane of this.#allLanes()) lane.slice = undefined;
    await this.#retireAll([...this.#slices]);
    await this.#store.dispose();
  }

  #admit(lane: Lane, { holdId, lines, leaseMs, onExpiry }: ReserveRequest): boolean {
    const nowMs = this.#settings.clock.monotonic();
    const { slice } = lane;
    if (slice === undefined || !slice.take(lines, nowMs)) return false;
    const granted = lines.map(({ amount }) => amount);
    const leaseEndsAtMs = nowMs + leaseMs;
    this.#holds.set(holdId, { slice, onExpiry, granted, left: [...granted], leaseEndsAtMs, isBooked: false });
    slice.openHolds += 1;
    return true;
  }

  async #reserveElsewhere(lane: Lane, request: ReserveRequest): Promise<ReserveResult> {
    for (let tries = 0; tries < 2 && this.#settings.clock.monotonic() >= lane.directUntilMs; tries++) {
      lane.refill ??= this.#refill(lane, request.lines).finally(() => {
        lane.refill = undefined;
      });
      await lane.refill;
      this.#refuseClosed(request.holdId);
      if (this.#holds.has(request.holdId) || this.#admit(lane, request)) return admitted;
    }
    const result = await this.#reserveDirectly(request);
    if (result.admitted) return result;
    // Perhaps it is missing only because it lies here.
    const mine = [...this.#slices].filter(({ lines }) => lines.some(({ at }) => isSame(at, result.refused)));
    if (mine.length === 0) return result;
    for (const other of this.#allLanes()) {
      if (other.slice !== undefined && mine.includes(other.slice)) other.slice = undefined;
    }
    await this.#retireAll(mine);
    return this.#reserveDirectly(request);
  }

  async #reserveDirectly(request: ReserveRequest): Promise<ReserveResult> {
    this.#direct.add(request.holdId); // also when the answer is lost
    const result = await this.#store.reserve(request);
    if (!result.admitted) this.#direct.delete(request.holdId);
    return result;
  }

  async #refill(lane: Lane, asked: readonly ReserveLine[]): Promise<void> {
    const { clock, callsPerSlice, processCount, sliceMs, ids } = this.#settings;
    const used = lane.slice;
    lane.slice = undefined;
    if (used !== undefined) await this.#retireAll([used]);
    const statuses = await this.#store.status(asked);
    const lines = asked.map((line, i) => {
      const { committed = 0n, held = 0n } = statuses[i] ?? {};
      const free = line.limit - committed - held;
      const share = free / BigInt(2 * processCount);
      const wanted = line.amount * BigInt(callsPerSlice);
      return { ...line, amount: share < wanted ? share : wanted, needed: line.amount, committed };
    });
    const sentAtMs = clock.monotonic();
    const isWorthIt = lines.every(({ amount, needed }) => needed === 0n || amount >= minCalls * needed);
    if (isWorthIt && lines.some(({ needed }) => needed > 0n)) {
      const id = `slice-${ids()}`;
      const request = lines.map(({ key, window, limit, amount }) => ({ key, window, limit, amount }));
      const parts = lines.map((at) => ({
        at,
        granted: at.amount,
        left: at.amount,
        unreported: 0n,
        excess: 0n,
        committed: at.committed,
        marks: [],
      }));
      const slice = new LedgerSlice(this.#store, id, parts, sentAtMs + 0.8 * sliceMs);
      const keep = (): void => {
        this.#slices.add(slice);
        this.#tickLater();
      };
      const taken = await Promise.resolve(
        this.#store.reserve({ holdId: id, lines: request, leaseMs: sliceMs, onExpiry: 'book' }),
      ).catch((error: unknown) => {
        // Perhaps only the reply was lost: what nobody uses must not end as spent.
        slice.isRetired = true;
        keep();
        throw error;
      });
      if (taken.admitted) {
        lane.slice = slice;
        keep();
        return;
      }
    }
    lane.directUntilMs = sentAtMs + sliceMs / 10;
  }

  /** The same hold asked for again: for more, if its slice has it. */
  #again(hold: LocalHold, { holdId, lines }: ReserveRequest): ReserveResult | Promise<ReserveResult> {
    if (!isOn(hold.slice, lines)) throw conflict(`hold ${holdId} was placed on other keys or windows`);
    if (this.#settings.clock.monotonic() >= hold.leaseEndsAtMs) {
      this.#sweep();
      throw conflict(`hold ${holdId} has expired`);
    }
    const more = lines.map((line, i) => {
      const extra = line.amount - (hold.granted[i] ?? 0n);
      return { ...line, amount: extra > 0n ? extra : 0n };
    });
    if (more.every(({ amount }) => amount === 0n)) return admitted;
    const { slice } = hold;
    if (slice.take(more, this.#settings.clock.monotonic())) {
      grow(hold, more);
      return admitted;
    }
    return slice.takeMore(more, this.#settings.sliceMs).then((result) => {
      if (result.admitted) {
        grow(hold, more);
        return admitted;
      }
      const line = lines.find((each) => isSame(each, result.refused));
      return {
        admitted: false,
        refused: { ...result.refused, amount: line?.amount ?? result.refused.amount },
      };
    });
  }

  /** No slice has to do with it: the shared ledger books it. */
  async #postDirectly(request: PostRequest): Promise<readonly CrossedMark[]> {
    const { attemptId, holdId, lines, close = false } = request;
    this.#attemptsThere.note(attemptId);
    if (close && holdId !== undefined) {
      this.#direct.delete(holdId);
      this.#closedThere.note(holdId);
    }
    const crossed = await this.#store.post(request);
    return [...crossed, ...this.#takeCrossed(lines)];
  }

  /** An estimate, what replaces one, or on other lines: the shared ledger books it, and draws the slice down if it can. */
  async #postUnderSlice(hold: LocalHold, request: PostRequest): Promise<readonly CrossedMark[]> {
    const { attemptId, holdId, lines, close = false } = request;
    const { slice } = hold;
    this.#attemptsThere.note(attemptId);
    // What it costs beyond its hold must not be taken out of what others hold.
    const isCovered =
      isOn(slice, lines) &&
      lines.every(({ amount }, i) => amount <= (hold.left[i] ?? 0n) + (slice.lines[i]?.left ?? 0n));
    for (const [i, line] of isCovered ? slice.lines.entries() : []) {
      const amount = lines[i]?.amount ?? 0n;
      const drawn = draw(hold, i, amount);
      overdraw(line, amount - drawn);
      // What the expiry of the hold has booked would count twice.
      if (hold.isBooked && line.unreported >= drawn) line.unreported -= drawn;
    }
    const crossed = await this.#store.post({
      ...request,
      holdId: isCovered ? slice.id : undefined,
      close: false,
    });
    if (close && holdId !== undefined && this.#holds.get(holdId) === hold) this.#closeLocal(holdId, hold);
    return [...crossed, ...this.#takeCrossed(lines)];
  }

  #closeLocal(holdId: string, hold: LocalHold): void {
    const { slice, left, isBooked } = hold;
    for (const [i, line] of slice.lines.entries()) {
      const rest = left[i] ?? 0n;
      if (!isBooked) line.left += rest;
      else if (line.unreported >= rest) {
        line.unreported -= rest;
        line.left += rest;
      }
    }
    slice.openHolds -= 1;
    this.#holds.delete(holdId);
    this.#closed.add(holdId);
    if (slice.isRetired && slice.openHolds === 0) void this.#retireAll([slice]).catch(() => {});
  }

  /** Ends the holds whose owners forgot them. */
  #sweep(): void {
    const nowMs = this.#settings.clock.monotonic();
    for (const [holdId, hold] of this.#holds) {
      if (nowMs < hold.leaseEndsAtMs || hold.isBooked) continue;
      if (hold.onExpiry === 'release') {
        this.#closeLocal(holdId, hold);
        continue;
      }
      hold.isBooked = true;
      for (const [i, line] of hold.slice.lines.entries()) line.unreported += hold.left[i] ?? 0n;
    }
  }

  /** @throws LedgerError for a hold that is closed, also before it was ever seen. */
  #refuseClosed(holdId: string): void {
    if (this.#closed.has(holdId) || this.#closedThere.has(holdId)) throw conflict(`hold ${holdId} is closed`);
  }

  #lane(lines: readonly ReserveLine[]): Lane {
    if (lines.some(({ window }) => window.lengthMs !== undefined)) return directLane;
    const first = lines[0]?.key ?? '';
    const lanes = this.#lanes.get(first);
    const known = lanes?.find((lane) => hasLimits(lane, lines));
    if (known !== undefined) return known;
    const lane: Lane = { lines, slice: undefined, refill: undefined, directUntilMs: 0 };
    if (lanes === undefined) this.#lanes.set(first, [lane]);
    else lanes.push(lane);
    return lane;
  }

  #allLanes(): Lane[] {
    return [...this.#lanes.values()].flat();
  }

  #dropLane(lane: Lane): void {
    const first = lane.lines[0]?.key ?? '';
    const left = this.#lanes.get(first)?.filter((other) => other !== lane) ?? [];
    if (left.length === 0) this.#lanes.delete(first);
    else this.#lanes.set(first, left);
  }

  async #reportAll(): Promise<void> {
    this.#sweep(); // what an expiry books is spent as well
    const crossed = await Promise.all([...this.#slices].map((slice) => slice.report()));
    this.#keepCrossed(crossed.flat());
  }

  /** Gives slices back. One whose calls are still running is kept alive until they end. */
  async #retireAll(slices: readonly LedgerSlice[]): Promise<void> {
    await Promise.all(
      slices.map(async (slice) => {
        this.#keepCrossed(await slice.retire());
        if (slice.isClosed) this.#slices.delete(slice);
      }),
    );
  }

  #keepCrossed(crossed: readonly CrossedMark[]): void {
    // Of windows that are over nobody asks again.
    if (crossed.length > 0) this.#crossed = [...this.#crossed, ...crossed].slice(-maxCrossed);
  }

  #takeCrossed(lines: PostRequest['lines']): readonly CrossedMark[] {
    if (this.#crossed.length === 0) return noMarks;
    const isAsked = (crossed: CrossedMark): boolean =>
      lines.some((line) => isSame(line, crossed) && line.marks?.includes(crossed.mark));
    const taken = this.#crossed.filter(isAsked);
    if (taken.length > 0) this.#crossed = this.#crossed.filter((crossed) => !taken.includes(crossed));
    return taken;
  }

  #tickLater(): void {
    this.#cancelTick ??= this.#settings.clock.timer(this.#settings.sliceMs / 5, () => {
      this.#cancelTick = undefined;
      // What fails now is done by the next tick.
      void this.#tick()
        .catch(() => {})
        .finally(() => {
          if (this.#slices.size > 0) this.#tickLater();
        });
    });
  }

  async #tick(): Promise<void> {
    const { clock, sliceMs } = this.#settings;
    const nowMs = clock.monotonic();
    for (const lane of this.#allLanes()) {
      // Early enough that the next tick, a little late, would still find its lease running.
      if (lane.slice !== undefined && nowMs >= lane.slice.usableUntilMs - sliceMs / 10) {
        lane.slice.isRetired = true;
        lane.slice = undefined;
      }
      if (lane.slice === undefined && lane.refill === undefined && nowMs >= lane.directUntilMs) {
        this.#dropLane(lane);
      }
    }
    const ended = [...this.#slices].filter(({ isRetired }) => isRetired);
    await Promise.all([
      this.#reportAll(),
      this.#retireAll(ended),
      ...ended.filter(({ openHolds }) => openHolds > 0).map(({ id }) => this.#store.renew(id, sliceMs)),
    ]);
  }
}

/** Takes an amount out of what a hold has on a line. Returns how much of it there was. */
function draw(hold: LocalHold, index: number, amount: bigint): bigint {
  const left = hold.left[index] ?? 0n;
  const drawn = left < amount ? left : amount;
  hold.left[index] = left - drawn;
  return drawn;
}

/** A call that cost more than it held takes it from what others could have held. Returns what that does not cover. */
function overdraw(line: { left: bigint }, excess: bigint): bigint {
  const covered = line.left < excess ? line.left : excess;
  line.left -= covered;
  return excess - covered;
}

/** Several guards may book the same attempt, each on its own counters. */
function bookingId({ attemptId, lines }: PostRequest): string {
  let id = attemptId;
  for (const { key } of lines) id += `\n${key}`;
  return id;
}

function grow(hold: LocalHold, more: readonly ReserveLine[]): void {
  for (const [i, { amount }] of more.entries()) {
    hold.granted[i] = (hold.granted[i] ?? 0n) + amount;
    hold.left[i] = (hold.left[i] ?? 0n) + amount;
  }
}

/** Whether a request is over the counters of a lane, with its limits. */
function hasLimits({ lines }: Lane, asked: readonly ReserveLine[]): boolean {
  if (lines.length !== asked.length) return false;
  for (let i = 0; i < lines.length; i++) {
    const [line, other] = [lines[i], asked[i]];
    if (line !== other && (line?.limit !== other?.limit || !isSame(line, other))) return false;
  }
  return true;
}

function isOn({ lines }: LedgerSlice, asked: readonly LedgerKey[]): boolean {
  if (asked.length !== lines.length) return false;
  for (let i = 0; i < lines.length; i++) if (!isSame(lines[i]?.at, asked[i])) return false;
  return true;
}

function isSame(a: LedgerKey | undefined, b: LedgerKey | undefined): boolean {
  return a !== undefined && a.key === b?.key && a.window.id === b.window.id;
}
