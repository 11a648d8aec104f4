import assert from 'node:assert/strict';
import { expectConflict, keyOf, type LedgerCheck, ledgerCheck, most, recentOf } from './ledger-check.ts';

/** The largest figures, and requests that make no sense. */
export const figureChecks: readonly LedgerCheck[] = [
  ...[2n ** 53n + 1n, most].map((limit) =>
    ledgerCheck(`figures stay exact up to ${limit === most ? '2^62' : '2^53 + 1'} units`, async (world) => {
      for (const key of [keyOf('daily'), recentOf('recent')]) {
        const id = key.key;
        await world.hold(`${id}-most`, limit - 3n, { limit, key });
        await world.hold(`${id}-two`, 2n, { limit, key });
        assert.equal((await world.reserve(`${id}-more`, 2n, { limit, key })).admitted, false);
        await world.hold(`${id}-one`, 1n, { limit, key });
        const refused = await world.reserve(`${id}-more`, 1n, { limit, key });
        assert.ok(!refused.admitted);
        assert.deepEqual([refused.refused.committed, refused.refused.held], [0n, limit]);
        assert.deepEqual([refused.refused.limit, refused.refused.amount], [limit, 1n]);
        await world.expect(0n, limit, key);
        await world.post(`${id}-x`, limit - 4n, { holdId: `${id}-most`, key });
        await world.expect(limit - 4n, 4n, key);
        await world.ledger.close(`${id}-most`);
        await world.expect(limit - 4n, 3n, key);
      }
    }),
  ),
  ledgerCheck(
    'the largest amount against the largest figure is refused, not wrapped around',
    async (world) => {
      await world.hold('a', most, { limit: most });
      assert.equal((await world.reserve('b', most, { limit: most })).admitted, false);
      await world.expect(0n, most);
      await world.post('x', most, { holdId: 'a', close: true });
      assert.equal((await world.reserve('c', most, { limit: most })).admitted, false);
      await world.hold('free', 0n, { limit: most });
      await world.expect(most, 0n);
    },
  ),
  ledgerCheck('more than everything is booked, and counted to the last unit', async (world) => {
    await world.post('x', most);
    await world.post('y', most - 1n);
    await world.expect(2n ** 63n - 1n, 0n);
    assert.equal((await world.reserve('a', 1n, { limit: most })).admitted, false);
  }),
  ledgerCheck('a limit may be below what is used, or below zero: nothing fits then', async (world) => {
    await world.post('x', 50n);
    for (const limit of [49n, 0n, -1n, -most]) {
      assert.equal((await world.reserve('a', 1n, { limit })).admitted, false);
      await world.hold(`free-${limit}`, 0n, { limit });
    }
    await world.expect(50n, 0n);
  }),
  ledgerCheck('amounts below zero and past 2^62 are refused for good, and leave no trace', async (world) => {
    const { ledger } = world;
    for (const amount of [-1n, most + 1n, 2n ** 64n]) {
      await expectConflict(() => world.reserve('a', amount, { limit: most }));
      await expectConflict(() => world.post('x', amount));
      const lines = [
        { ...keyOf('monthly'), amount: 1n },
        { ...keyOf('daily'), amount },
      ];
      await expectConflict(() => ledger.post({ attemptId: 'y', lines, kind: 'actual' }));
    }
    await expectConflict(() => world.reserve('a', 1n, { limit: most + 1n }));
    for (const key of ['daily', 'monthly']) await world.expect(0n, 0n, key);
    await world.hold('a', 1n);
  }),
  ledgerCheck('a rolling window that makes no sense is refused for good', async (world) => {
    for (const [lengthMs, slots] of [
      [60_000, 0],
      [60_000, 361],
      [60_000, 2.5],
      [60_000, 7],
      [0, 6],
      [-60_000, 6],
      [Number.NaN, 6],
      [Number.POSITIVE_INFINITY, 6],
    ] as const) {
      const key = recentOf('recent', lengthMs, slots);
      await expectConflict(() => world.reserve('a', 1n, { key }));
      await expectConflict(() => world.post('x', 1n, { key }));
    }
  }),
  ledgerCheck('marks that are not ascending, or more than 16, are refused for good', async (world) => {
    const many = Array.from({ length: 17 }, (_, i) => BigInt(i + 1));
    for (const marks of [[2n, 1n], [1n, 1n], many]) {
      await expectConflict(() => world.post('x', 20n, { marks }));
    }
    await world.expect(0n, 0n);
    assert.equal((await world.post('x', 20n, { marks: many.slice(0, 16) })).length, 16);
  }),
  ledgerCheck('a lease that makes no sense is refused for good', async (world) => {
    for (const leaseMs of [0, -1, Number.NaN]) {
      await expectConflict(() => world.reserve('a', 1n, { leaseMs }));
    }
    await world.hold('a', 1n);
  }),
];
