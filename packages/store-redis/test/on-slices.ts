import type { InspectableLedger, LedgerKey, PostRequest, ReserveRequest } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { ModelLedger } from '@synapsekit/testing/contracts';
import { LeasedLedger } from '../src/leased-ledger.ts';

export const daily: LedgerKey = { key: 'daily', window: { id: 'now', endsAtMs: 4_102_444_800_000 } };
export const total: LedgerKey = { key: 'total', window: { id: 'total' } };
export const recent: LedgerKey = {
  key: 'recent',
  window: { id: 'rolling-20s', lengthMs: 20_000, slots: 10 },
};

/** Leased ledgers on the plain model of one. */
export interface OnSlices {
  readonly clock: ManualClock;
  readonly shared: ModelLedger;
  readonly open: (store?: InspectableLedger) => LeasedLedger;
  /** What is committed and held in the shared ledger. */
  readonly figures: (at?: LedgerKey) => Promise<string>;
}

export function onSlices(
  options: { readonly sliceMs?: number; readonly callsPerSlice?: number } = {},
): OnSlices {
  const clock = new ManualClock();
  const shared = new ModelLedger(clock);
  return {
    clock,
    shared,
    open: (store = shared) =>
      new LeasedLedger(store, { clock, callsPerSlice: 100, processCount: 1, ...options }),
    figures: async (at = daily) => {
      const [status] = shared.status([at]);
      return `${status?.committed}+${status?.held}`;
    },
  };
}

export const reservation = (id: string, asked: bigint, at: LedgerKey = daily): ReserveRequest => ({
  holdId: id,
  lines: [{ ...at, amount: asked, limit: 1_000n }],
  leaseMs: 60_000,
  onExpiry: 'book',
});
export const booking = (attemptId: string, id: string, cost: bigint, at: LedgerKey = daily): PostRequest => ({
  attemptId,
  holdId: id,
  lines: [{ ...at, amount: cost }],
  kind: 'actual',
  close: true,
});

/** A store at the other end of a slow network. */
export function slow(store: InspectableLedger, clock: ManualClock, delayMs: () => number): InspectableLedger {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        await clock.sleep(delayMs());
        return value.apply(target, args);
      };
    },
  });
}
