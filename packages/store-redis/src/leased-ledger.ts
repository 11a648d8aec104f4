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
  ReserveRequest,
  ReserveResult,
} from '@synapsekit/core';
import { checkAmount, checkLease, checkLimit, checkMarks } from './figures.ts';
import { hashOf } from './id-hash.ts';
import { isOn, type LeaseLane } from './lease-lanes.ts';
import {
  checkLeasedLedgerOptions,
  type LeasedLedgerOptions,
  type LeasedLedgerSettings,
} from './leased-ledger-options.ts';
import type { SliceLine } from './ledger-slice.ts';
import { draw, type LocalHold, LocalHolds, overdraw } from './local-holds.ts';
import { conflict } from './redis-errors.ts';
import { RememberedIds } from './remembered-ids.ts';
import { SliceKeeper } from './slice-keeper.ts';

const admitted: ReserveResult = Object.freeze({ admitted: true });
const noMarks: readonly CrossedMark[] = Object.freeze([]);
const noLevels: readonly bigint[] = Object.freeze([]);

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
  readonly #slices: SliceKeeper;
  readonly #holds: LocalHolds;
  /** Holds that this process placed in the shared ledger itself. */
  readonly #direct = new Set<string>();
  /** Bookings that were made here; the oldest are forgotten. */
  readonly #attempts: RememberedIds;
  /** Holds that were closed in the shared ledger, and attempts of which it knows. */
  readonly #closedThere: RememberedIds;
  readonly #attemptsThere: RememberedIds;

  /**
   * @param store the shared ledger: a `RedisLedger`, or any other.
   * @throws ConfigError for an unknown option or a value out of range.
   */
  constructor(store: InspectableLedger, options: LeasedLedgerOptions = {}) {
    this.#settings = checkLeasedLedgerOptions(options);
    const { clock, rememberCount } = this.#settings;
    this.#store = store;
    this.#holds = new LocalHolds(clock, rememberCount, (slice) => this.#slices.retireSoon(slice));
    // What an expiry books is spent as well.
    this.#slices = new SliceKeeper(store, this.#settings, () => this.#holds.sweep());
    this.#attempts = new RememberedIds(rememberCount);
    this.#closedThere = new RememberedIds(rememberCount);
    this.#attemptsThere = new RememberedIds(rememberCount);
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
    const hash = hashOf(holdId);
    const known = this.#holds.get(holdId, hash);
    if (known !== undefined) return this.#holds.again(known, request, this.#settings.sliceMs);
    if (this.#direct.has(holdId)) return this.#store.reserve(request);
    this.#refuseClosed(holdId, hash);
    const lane = this.#slices.lanes.of(lines);
    return this.#holds.admit(lane.slice, request, hash)
      ? admitted
      : this.#reserveElsewhere(lane, request, hash);
  }

  post(request: PostRequest): readonly CrossedMark[] | Promise<readonly CrossedMark[]> {
    const { attemptId, holdId, lines, kind, close = false } = request;
    const hold = holdId === undefined ? undefined : this.#holds.get(holdId);
    // Several guards may book the same attempt, each on its own counters.
    const keys = hold !== undefined && isOn(hold.slice, lines) ? hold.slice.keys : undefined;
    const hash = hashOf(attemptId);
    if (this.#attempts.has(attemptId, keys ?? lines.map(({ key }) => key), hash)) {
      if (close && holdId !== undefined) return Promise.resolve(this.close(holdId)).then(() => noMarks);
      return noMarks;
    }
    if (hold === undefined) return this.#postDirectly(request);
    for (const { amount, marks } of lines) {
      checkAmount(amount);
      if (marks !== undefined) checkMarks(marks);
    }
    const isKnownThere = this.#attemptsThere.has(attemptId, undefined, hash);
    if (kind !== 'actual' || isKnownThere || keys === undefined) return this.#postUnderSlice(hold, request);
    let isUrgent = false;
    for (const [i, { amount, marks = noLevels }] of lines.entries()) {
      const line = hold.slice.lines[i];
      if (line !== undefined && book(hold, i, line, amount, marks)) isUrgent = true;
    }
    this.#attempts.add(attemptId, keys, hash);
    if (close && holdId !== undefined) this.#holds.close(holdId, hold);
    else if (hold.booked !== undefined && hold.slice.isRetired) this.#slices.retireSoon(hold.slice);
    if (isUrgent)
      return hold.slice.report().then((crossed) => [...crossed, ...this.#slices.takeCrossed(lines)]);
    return this.#slices.takeCrossed(lines);
  }

  close(holdId: string): void | Promise<void> {
    const hold = this.#holds.get(holdId);
    if (hold !== undefined) this.#holds.close(holdId, hold);
    else if (!this.#holds.isClosed(holdId)) {
      this.#direct.delete(holdId);
      this.#closedThere.note(holdId);
      return this.#store.close(holdId);
    }
  }

  renew(holdId: string, leaseMs: number): boolean | Promise<boolean> {
    const hold = this.#holds.get(holdId);
    if (hold !== undefined) return this.#holds.renew(holdId, hold, leaseMs);
    return this.#holds.isClosed(holdId) ? false : this.#store.renew(holdId, leaseMs);
  }

  /** Tells the shared ledger what was spent here, and asks it. */
  async status(keys: readonly LedgerKey[]): Promise<readonly LedgerStatus[]> {
    await this.#slices.reportAll();
    return this.#store.status(keys);
  }

  async counters(query?: LedgerQuery): Promise<readonly LedgerCounter[]> {
    await this.#slices.reportAll();
    return this.#store.counters(query);
  }

  /** The holds in the shared ledger: slices are among them, the calls that hold parts of slices are not. */
  holds(query?: LedgerQuery): readonly LedgerHold[] | Promise<readonly LedgerHold[]> {
    return this.#store.holds(query);
  }

  async reset(key: LedgerKey): Promise<void> {
    await this.#slices.reportAll();
    await this.#store.reset(key);
  }

  /** Resolves when the shared ledger knows all that was spent here. */
  async flush(): Promise<void> {
    await this.#slices.reportAll();
    await this.#store.flush();
  }

  /** Gives back what is left of all slices. Those that calls still need stay, and count as spent when they end. */
  async dispose(): Promise<void> {
    await this.#slices.dispose();
    await this.#store.dispose();
  }

  async #reserveElsewhere(lane: LeaseLane, request: ReserveRequest, hash: number): Promise<ReserveResult> {
    for (let tries = 0; tries < 2 && this.#settings.clock.monotonic() >= lane.directUntilMs; tries++) {
      await this.#slices.refill(lane, request.lines);
      this.#refuseClosed(request.holdId, hash);
      if (this.#holds.get(request.holdId, hash) !== undefined) return admitted;
      if (this.#holds.admit(lane.slice, request, hash)) return admitted;
    }
    const result = await this.#reserveDirectly(request);
    if (result.admitted) return result;
    // Perhaps it is missing only because it lies here.
    return (await this.#slices.giveBack(result.refused)) ? this.#reserveDirectly(request) : result;
  }

  async #reserveDirectly(request: ReserveRequest): Promise<ReserveResult> {
    this.#direct.add(request.holdId); // also when the answer is lost
    const result = await this.#store.reserve(request);
    if (!result.admitted) this.#direct.delete(request.holdId);
    return result;
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
    return [...crossed, ...this.#slices.takeCrossed(lines)];
  }

  /** An estimate, what replaces one, or on other lines: the shared ledger books it, and draws the slice down if it can. */
  async #postUnderSlice(hold: LocalHold, request: PostRequest): Promise<readonly CrossedMark[]> {
    const { attemptId, holdId, lines, close = false } = request;
    const { slice } = hold;
    const isFirst = !this.#attemptsThere.has(attemptId);
    if (isFirst) this.#attemptsThere.add(attemptId);
    // What the end of its lease booked is no part of the slice any more. It counts beside this until the hold is closed.
    const isOpen = hold.booked === undefined;
    // What it costs beyond its hold must not be taken out of what others hold. How much more than an estimate it is, and
    // whether anything is booked at all, only the shared ledger knows.
    const isCovered =
      isFirst &&
      isOn(slice, lines) &&
      lines.every(
        ({ amount }, i) => amount <= ((isOpen && hold.left[i]) || 0n) + (slice.lines[i]?.left ?? 0n),
      );
    for (const [i, line] of isCovered ? slice.lines.entries() : []) {
      const amount = lines[i]?.amount ?? 0n;
      overdraw(line, isOpen ? amount - draw(hold, i, amount) : amount);
    }
    const crossed = await this.#store.post({
      ...request,
      holdId: isCovered ? slice.id : undefined,
      close: false,
    });
    if (close && holdId !== undefined && this.#holds.get(holdId) === hold) this.#holds.close(holdId, hold);
    return [...crossed, ...this.#slices.takeCrossed(lines)];
  }

  /** @throws LedgerError for a hold that is closed, also before it was ever seen. */
  #refuseClosed(holdId: string, hash: number): void {
    if (this.#holds.isClosed(holdId, hash) || this.#closedThere.has(holdId, undefined, hash))
      throw conflict(`hold ${holdId} is closed`);
  }
}

/** Books an amount under a hold. Returns whether the shared ledger has to know at once. */
function book(
  hold: LocalHold,
  index: number,
  line: SliceLine,
  amount: bigint,
  marks: readonly bigint[],
): boolean {
  const drawn = draw(hold, index, amount);
  line.marks = marks;
  let excess = 0n;
  // Mostly a call costs what it held, or less; every sum of bigints that need not be made is a new object less.
  if (drawn < amount) {
    excess = overdraw(line, amount - drawn);
    line.excess += excess;
    // What its expiry booked is booked already.
    line.unreported += (hold.booked === undefined ? amount : amount - drawn) - excess;
  } else if (hold.booked === undefined) line.unreported += amount;
  if (excess > 0n) return true;
  if (marks.length === 0) return false;
  const spent = line.committed + line.unreported + line.excess;
  return marks.some((mark) => spent >= mark && spent - amount < mark);
}
