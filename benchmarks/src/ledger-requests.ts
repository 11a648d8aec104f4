import type { LedgerWindow, ReserveLine } from '@synapsekit/core';

/** Lines of reservations over `keys` keys, made beforehand: making them is the guard's work, not the ledger's. */
export interface Requests {
  /** Four different keys, others for each index; a round through all of them touches every key. */
  at(index: number): readonly ReserveLine[];
  /** Calls `visit` until each key was there once at least. */
  visitAll(visit: (lines: readonly ReserveLine[], index: number) => void): void;
}

const legs = 4;
const window: LedgerWindow = { id: 'total' };

/** @param keys how many keys there are, at least 4. */
export function requestsOver(keys: number): Requests {
  const lines = Array.from({ length: keys }, (_, index): ReserveLine => {
    // One unit each time: no limit is ever reached.
    return { key: `guard/user-${index}`, window, limit: 2n ** 53n - 1n, amount: 1n };
  });
  // Neighbours in a request lie far apart in memory, as the keys of a user, a tenant and a day do.
  const stride = Math.max(1, Math.floor(keys / legs));
  const count = stride;
  const requests = Array.from({ length: count }, (_, first) =>
    Array.from({ length: legs }, (_, leg) => lines[(first + leg * stride) % keys] as ReserveLine),
  );
  // A large step through them: nothing lies in the cache because its neighbour was there just before.
  const step = coprimeStep(count);
  return {
    at: (index) => requests[(index * step) % count] ?? lines.slice(0, legs),
    visitAll(visit) {
      requests.forEach(visit);
      visit(lines.slice(-legs), count);
    },
  };
}

function coprimeStep(count: number): number {
  let step = Math.max(1, Math.floor(count * 0.618));
  while (gcd(step, count) !== 1) step++;
  return step;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
