import type { CrossedMark, InspectableLedger, LedgerKey, PostLine, ReserveLine } from '@synapsekit/core';
import { isSame, type LeaseLane, LeaseLanes } from './lease-lanes.ts';
import type { LeasedLedgerSettings } from './leased-ledger-options.ts';
import { LedgerSlice } from './ledger-slice.ts';

/** A slice for fewer calls than this costs more than it saves. */
const minCalls = 8n;
/** How many marks wait at most for a post that asks for them. */
const maxCrossed = 1_000;
const noMarks: readonly CrossedMark[] = Object.freeze([]);

/** Takes slices out of the shared ledger, tells it what was spent of them, and gives them back in time. */
export class SliceKeeper {
  readonly lanes: LeaseLanes = new LeaseLanes();
  readonly #store: InspectableLedger;
  readonly #settings: LeasedLedgerSettings;
  readonly #beforeReport: () => void;
  readonly #slices = new Set<LedgerSlice>();
  /** Marks that a report crossed in the background: told to the next post that asks for them. */
  #crossed: CrossedMark[] = [];
  #cancelTick: (() => void) | undefined;
  #ticking: Promise<void> | undefined;
  #isDisposed = false;

  /** @param beforeReport books in the slices what is to be told with the rest. */
  constructor(store: InspectableLedger, settings: LeasedLedgerSettings, beforeReport: () => void) {
    this.#store = store;
    this.#settings = settings;
    this.#beforeReport = beforeReport;
  }

  /** Takes a slice for a lane, unless there is too little; one at a time. */
  refill(lane: LeaseLane, asked: readonly ReserveLine[]): Promise<void> {
    lane.refill ??= this.#refill(lane, asked).finally(() => {
      lane.refill = undefined;
    });
    return lane.refill;
  }

  /** Gives back what this process has of a counter. Returns whether there was any. */
  async giveBack(at: LedgerKey): Promise<boolean> {
    const isMine = ({ lines }: LedgerSlice): boolean => lines.some((line) => isSame(line.at, at));
    const mine = [...this.#slices].filter(isMine);
    if (mine.length === 0) return false;
    for (const lane of this.lanes.all()) {
      if (lane.slice !== undefined && isMine(lane.slice)) lane.slice = undefined;
    }
    await this.retire(mine);
    return true;
  }

  /** Gives slices back. One whose calls are still running is kept alive until they end. */
  async retire(slices: readonly LedgerSlice[]): Promise<void> {
    await Promise.all(
      slices.map(async (slice) => {
        // What was given back can have something to tell again.
        this.#keep(slice);
        this.#keepCrossed(await slice.retire());
        if (slice.isOver) this.#slices.delete(slice);
      }),
    );
  }

  /** The same in the background. What fails is done by a tick. */
  retireSoon(slice: LedgerSlice): void {
    void this.retire([slice]).catch(() => {});
  }

  /** Tells the shared ledger all that was spent here. */
  async reportAll(): Promise<void> {
    this.#beforeReport();
    const crossed = await Promise.all([...this.#slices].map((slice) => slice.report()));
    this.#keepCrossed(crossed.flat());
  }

  /** The marks that a post asks for, and that a report crossed before. */
  takeCrossed(lines: readonly PostLine[]): readonly CrossedMark[] {
    if (this.#crossed.length === 0) return noMarks;
    const isAsked = (crossed: CrossedMark): boolean =>
      lines.some((line) => isSame(line, crossed) && line.marks?.includes(crossed.mark));
    const taken = this.#crossed.filter(isAsked);
    if (taken.length > 0) this.#crossed = this.#crossed.filter((crossed) => !taken.includes(crossed));
    return taken;
  }

  /** Gives everything back, and takes nothing any more. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    await Promise.allSettled([this.#ticking, ...this.lanes.all().map(({ refill }) => refill)]);
    for (const lane of this.lanes.all()) lane.slice = undefined;
    await this.retire([...this.#slices]);
  }

  async #refill(lane: LeaseLane, asked: readonly ReserveLine[]): Promise<void> {
    const { clock, callsPerSlice, processCount, sliceMs, ids } = this.#settings;
    const used = lane.slice;
    lane.slice = undefined;
    if (used !== undefined) await this.retire([used]);
    if (this.#isDisposed) return;
    const statuses = await this.#store.status(asked);
    const lines = asked.map((line, i) => {
      const { committed = 0n, held = 0n } = statuses[i] ?? {};
      const free = line.limit - committed - held;
      const share = free > 0n ? free / BigInt(2 * processCount) : 0n;
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
      const taken = await Promise.resolve(
        this.#store.reserve({ holdId: id, lines: request, leaseMs: sliceMs, onExpiry: 'book' }),
      ).catch((error: unknown) => {
        // Perhaps only the reply was lost: what nobody uses must not end as spent.
        slice.isRetired = true;
        this.#keep(slice);
        throw error;
      });
      if (taken.admitted) {
        lane.slice = slice;
        this.#keep(slice);
        return;
      }
    }
    lane.directUntilMs = sentAtMs + sliceMs / 10;
  }

  #keep(slice: LedgerSlice): void {
    this.#slices.add(slice);
    this.#tickLater();
  }

  #keepCrossed(crossed: readonly CrossedMark[]): void {
    // Of windows that are over nobody asks again.
    if (crossed.length > 0) this.#crossed = [...this.#crossed, ...crossed].slice(-maxCrossed);
  }

  /** One tick at a time; the one that runs sees to the next. */
  #tickLater(): void {
    if (this.#isDisposed || this.#ticking !== undefined) return;
    this.#cancelTick ??= this.#settings.clock.timer(this.#settings.sliceMs / 5, () => {
      this.#cancelTick = undefined;
      // What fails now is done by the next tick.
      this.#ticking = this.#tick()
        .catch(() => {})
        .finally(() => {
          this.#ticking = undefined;
          if (this.#slices.size > 0) this.#tickLater();
        });
    });
  }

  async #tick(): Promise<void> {
    const { clock, sliceMs } = this.#settings;
    const nowMs = clock.monotonic();
    for (const lane of this.lanes.all()) {
      // Early enough that the next tick, a little late, would still find its lease running.
      if (lane.slice !== undefined && nowMs >= lane.slice.usableUntilMs - sliceMs / 10) {
        lane.slice.isRetired = true;
        lane.slice = undefined;
      }
      if (lane.slice === undefined && lane.refill === undefined && nowMs >= lane.directUntilMs) {
        this.lanes.drop(lane);
      }
    }
    const ended = [...this.#slices].filter(({ isRetired }) => isRetired);
    await Promise.all([
      this.reportAll(),
      this.retire(ended),
      ...ended.filter(({ openHolds }) => openHolds > 0).map(({ id }) => this.#store.renew(id, sliceMs)),
    ]);
  }
}
