import { type LedgerKey, largestLedgerAmount, type ReserveLine } from '@synapsekit/core';
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

/** The lanes whose lines begin with the same keys. */
interface Branch {
  /** Those with no further line: the same keys, but in other windows or with other limits. */
  readonly lanes: LeaseLane[];
  /** By the key of the next line. */
  readonly next: Map<string, Branch>;
}

/** Which requests share a slice. However many users there are, each is found by the keys of the lines alone. */
export class LeaseLanes {
  readonly #root: Branch = { lanes: [], next: new Map() };
  readonly #all = new Set<LeaseLane>();

  of(lines: readonly ReserveLine[]): LeaseLane {
    for (const { window, limit } of lines) {
      if (window.lengthMs !== undefined || limit >= largestLedgerAmount) return directLane;
    }
    let branch = this.#root;
    for (const { key } of lines) {
      let next = branch.next.get(key);
      if (next === undefined) {
        next = { lanes: [], next: new Map() };
        branch.next.set(key, next);
      }
      branch = next;
    }
    for (const lane of branch.lanes) if (hasLimits(lane, lines)) return lane;
    const lane: LeaseLane = { lines, slice: undefined, refill: undefined, directUntilMs: 0 };
    branch.lanes.push(lane);
    this.#all.add(lane);
    return lane;
  }

  all(): LeaseLane[] {
    return [...this.#all];
  }

  drop(lane: LeaseLane): void {
    if (this.#all.delete(lane)) this.#dropFrom(this.#root, lane, 0);
  }

  #dropFrom(branch: Branch, lane: LeaseLane, depth: number): void {
    const key = lane.lines[depth]?.key;
    if (key === undefined) {
      branch.lanes.splice(branch.lanes.indexOf(lane), 1);
      return;
    }
    const next = branch.next.get(key);
    if (next === undefined) return;
    this.#dropFrom(next, lane, depth + 1);
    if (next.lanes.length === 0 && next.next.size === 0) branch.next.delete(key);
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
