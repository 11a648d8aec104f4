import type { LedgerKey, ReserveLine } from '@synapsekit/core';
import { maxAmount } from './figures.ts';
import type { LedgerSlice } from './ledger-slice.ts';

/** The requests over the same counters and limits. */
export interface LeaseLane {
  readonly lines: readonly ReserveLine[];
  slice: LedgerSlice | undefined;
  refill: Promise<void> | undefined;
  /** Until when slices are not worth it: there is too little. */
  directUntilMs: number;
}

/**
 * Where a window rolls, no slice is right: what is spent out of it would count from when the slice was taken, and leave
 * the window too early. Where a line has no limit, its slice would have no measure: it is used to go on beyond a limit.
 */
const directLane: LeaseLane = {
  lines: [],
  slice: undefined,
  refill: undefined,
  directUntilMs: Number.POSITIVE_INFINITY,
};

/** Which requests share a slice. */
export class LeaseLanes {
  /** By the key of their first line. */
  readonly #lanes = new Map<string, LeaseLane[]>();

  of(lines: readonly ReserveLine[]): LeaseLane {
    for (const { window, limit } of lines) {
      if (window.lengthMs !== undefined || limit >= maxAmount) return directLane;
    }
    const first = lines[0]?.key ?? '';
    const lanes = this.#lanes.get(first);
    if (lanes !== undefined) for (const lane of lanes) if (hasLimits(lane, lines)) return lane;
    const lane: LeaseLane = { lines, slice: undefined, refill: undefined, directUntilMs: 0 };
    if (lanes === undefined) this.#lanes.set(first, [lane]);
    else lanes.push(lane);
    return lane;
  }

  all(): LeaseLane[] {
    return [...this.#lanes.values()].flat();
  }

  drop(lane: LeaseLane): void {
    const first = lane.lines[0]?.key ?? '';
    const left = this.#lanes.get(first)?.filter((other) => other !== lane) ?? [];
    if (left.length === 0) this.#lanes.delete(first);
    else this.#lanes.set(first, left);
  }
}

/** Whether a request is over the counters of a lane, with its limits. */
function hasLimits({ lines }: LeaseLane, asked: readonly ReserveLine[]): boolean {
  if (lines.length !== asked.length) return false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const other = asked[i];
    if (line !== other && (line?.limit !== other?.limit || !isSame(line, other))) return false;
  }
  return true;
}

/** Whether a request is over the counters of a slice. */
export function isOn({ lines }: LedgerSlice, asked: readonly LedgerKey[]): boolean {
  if (asked.length !== lines.length) return false;
  for (let i = 0; i < lines.length; i++) if (!isSame(lines[i]?.at, asked[i])) return false;
  return true;
}

/** Whether two lines are over the same counter. */
export function isSame(a: LedgerKey | undefined, b: LedgerKey | undefined): boolean {
  return a !== undefined && a.key === b?.key && a.window.id === b.window.id;
}
