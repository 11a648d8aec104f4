import type { LedgerKey, ReserveLine } from '@synapsekit/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LeaseLane, LeaseLanes } from './lease-lanes.ts';

const window: LedgerKey['window'] = { id: 'now', endsAtMs: 4_102_444_800_000 };
const line = (key: string, limit = 100n, windowId = 'now'): ReserveLine => ({
  key,
  window: { ...window, id: windowId },
  amount: 1n,
  limit,
});

const lines = fc.array(
  fc
    .tuple(
      fc.constantFrom('monthly', 'daily', 'user'),
      fc.constantFrom(100n, 200n),
      fc.constantFrom('now', 'later'),
    )
    .map(([key, limit, windowId]) => line(key, limit, windowId)),
  { maxLength: 3 },
);
const nameOf = (some: readonly ReserveLine[]) =>
  some.map(({ key, limit, window: { id } }) => `${key} ${id} ${limit}`).join();

test('requests share a lane exactly when they are over the same counters with the same limits', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(lines, fc.boolean()), { maxLength: 80 }), (steps) => {
      const lanes = new LeaseLanes();
      const known = new Map<string, LeaseLane>();
      for (const [asked, isDropped] of steps) {
        const lane = lanes.of(asked);
        const name = nameOf(asked);
        if (known.has(name)) expect(lane).toBe(known.get(name));
        else expect([...known.values()]).not.toContain(lane);
        known.set(name, lane);
        if (isDropped) {
          lanes.drop(lane);
          known.delete(name);
        }
        expect(lanes.all()).toEqual([...known.values()]);
      }
    }),
  );
});

test('a lane is found without a look at those of other users', () => {
  let looks = 0;
  const watched = (at: ReserveLine): ReserveLine =>
    new Proxy(at, {
      get(target, name) {
        looks += 1;
        return Reflect.get(target, name);
      },
    });
  const lanes = new LeaseLanes();
  const of = (user: number) => [line('monthly'), line(`${user}/daily`)];
  const all = Array.from({ length: 1_000 }, (_, user) => lanes.of(of(user).map(watched)));
  looks = 0;
  expect(lanes.of(of(999))).toBe(all[999]);
  expect(looks).toBeLessThan(20);
  looks = 0;
  lanes.drop(all[500] as LeaseLane);
  expect(looks).toBeLessThan(20);
  expect(lanes.all()).toHaveLength(999);
});
