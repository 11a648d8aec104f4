import assert from 'node:assert/strict';
import type { CrossedMark } from '@synapsekit/core';
import { alignTime, keyOf, type LedgerCheck, ledgerCheck, recentOf } from './ledger-check.ts';

const marks = [50n, 80n, 100n];

/** Compares what was told with what should have been: mark and what was committed. */
function told(crossed: readonly CrossedMark[], expected: readonly (readonly [bigint, bigint])[]): void {
  assert.deepEqual(
    crossed.map(({ mark, committed }) => [mark, committed]),
    expected,
  );
}

/** Amounts whose crossing somebody wants to be told of. */
export const markChecks: readonly LedgerCheck[] = [
  ledgerCheck('a mark is told to the post that reaches it, and to no other', async (world) => {
    const { ledger, other } = world;
    told(await world.post('a', 49n, { marks }), []);
    told(await world.post('b', 1n, { marks, ledger: other }), [[50n, 50n]]);
    told(await world.post('c', 29n, { marks }), []);
    told(await world.post('d', 2n, { marks, ledger }), [[80n, 81n]]);
    told(await world.post('e', 119n, { marks, ledger: other }), [[100n, 200n]]);
    for (const each of [ledger, other]) {
      told(await world.post(`f-${each === ledger}`, 500n, { marks, ledger: each }), []);
    }
  }),
  ledgerCheck('one post can cross several, on several lines', async (world) => {
    await world.post('before', 45n);
    const lines = [
      { ...keyOf('daily'), amount: 60n, marks },
      { ...keyOf('tokens'), amount: 7_000n, marks: [1_000n, 7_000n, 7_001n] },
      { ...keyOf('monthly'), amount: 60n },
      { ...recentOf('recent'), amount: 60n, marks },
    ];
    const crossed = await world.post('x', 0n, { lines });
    assert.deepEqual(
      crossed.map(({ key, window, mark, committed }) => [key, window.id, mark, committed]),
      [
        ['daily', '2026-11-23@UTC', 50n, 105n],
        ['daily', '2026-11-23@UTC', 80n, 105n],
        ['daily', '2026-11-23@UTC', 100n, 105n],
        ['tokens', '2026-11-23@UTC', 1_000n, 7_000n],
        ['tokens', '2026-11-23@UTC', 7_000n, 7_000n],
        ['recent', recentOf('recent').window.id, 50n, 60n],
      ],
    );
  }),
  ...[keyOf('daily'), recentOf('recent')].map((key) =>
    ledgerCheck(`1,000 posts at once are told each mark once (${key.key})`, async (world) => {
      const wanted = [1n, 2_500n, 5_000n, 9_999n, 10_000n, 10_001n];
      const answers = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) =>
          world.post(`x${i}`, 10n, {
            key,
            marks: wanted,
            ledger: i % 2 === 0 ? world.ledger : world.other,
          }),
        ),
      );
      const crossed = answers.flat();
      assert.deepEqual(
        crossed.map(({ mark }) => mark).sort((a, b) => Number(a - b)),
        [1n, 2_500n, 5_000n, 9_999n, 10_000n],
      );
      for (const { mark, committed } of crossed) {
        // At once, or later where the reply was lost and the post repeated.
        assert.ok(committed >= mark, `${mark} was told at ${committed}`);
      }
    }),
  ),
  ledgerCheck('a post that is repeated is told again, whatever came between', async (world) => {
    await world.hold('h', 100n);
    const once = { marks, holdId: 'h', close: true };
    told(await world.post('x', 60n, once), [[50n, 60n]]);
    told(await world.post('y', 30n, { marks }), [[80n, 90n]]);
    for (const ledger of [world.other, world.ledger, world.other]) {
      told(await world.post('x', 60n, { ...once, ledger }), [[50n, 90n]]);
      told(await world.post('y', 30n, { marks, ledger }), [[80n, 90n]]);
    }
    told(await world.post('z', 1n, { marks }), []);
    await world.expect(91n, 0n);
  }),
  ledgerCheck('the actual cost is no repetition of its estimate', async (world) => {
    told(await world.post('x', 60n, { marks, kind: 'estimated' }), [[50n, 60n]]);
    told(await world.post('x', 60n, { marks, kind: 'estimated', ledger: world.other }), [[50n, 60n]]);
    told(await world.post('x', 90n, { marks }), [[80n, 90n]]);
    told(await world.post('x', 90n, { marks, ledger: world.other }), [[80n, 90n]]);
  }),
  ledgerCheck('what the end of a lease booked is told to the next post', async (world) => {
    await world.hold('a', 85n, { leaseMs: 1_000, onExpiry: 'book' });
    await world.backend.advance(1_100);
    told(await world.post('x', 0n, { marks, ledger: world.other }), [
      [50n, 85n],
      [80n, 85n],
    ]);
    told(await world.post('late', 85n, { marks, holdId: 'a' }), []);
    await world.expect(85n, 0n);
  }),
  ledgerCheck('what an owner takes back in the same step was not crossed', async (world) => {
    await world.hold('a', 85n, { leaseMs: 1_000, onExpiry: 'book' });
    await world.backend.advance(1_100);
    told(await world.post('x', 60n, { marks, holdId: 'a', close: true }), [[50n, 60n]]);
  }),
  ledgerCheck('a mark that nobody had asked for is told to the first that asks', async (world) => {
    told(await world.post('x', 90n), []);
    told(await world.post('y', 1n, { marks: [80n] }), [[80n, 91n]]);
    told(await world.post('z', 1n, { marks: [70n, 80n, 93n] }), [[70n, 92n]]);
    told(await world.post('w', 1n, { marks: [] }), []);
  }),
  ledgerCheck('marks are told for each key and window by itself', async (world) => {
    for (const key of [keyOf('a'), keyOf('a', '2026-11-24@UTC'), keyOf('b'), recentOf('a')]) {
      const id = `${key.key} ${key.window.id}`;
      told(await world.post(`x ${id}`, 60n, { key, marks }), [[50n, 60n]]);
      told(await world.post(`y ${id}`, 1n, { key, marks }), []);
    }
  }),
  ledgerCheck(
    'in a window of the calendar a mark is told once, also when less is spent later',
    async (world) => {
      told(await world.post('x', 60n, { marks, kind: 'estimated' }), [[50n, 60n]]);
      told(await world.post('x', 10n, { marks }), []);
      told(await world.post('y', 50n, { marks }), []);
      await world.expect(60n, 0n);
    },
  ),
  ledgerCheck('in a rolling window it is told again once less was spent', async (world) => {
    const key = recentOf('recent');
    await alignTime(world.backend, 10_000);
    told(await world.post('a', 60n, { key, marks }), [[50n, 60n]]);
    await world.backend.advance(30_000);
    told(await world.post('b', 30n, { key, marks }), [[80n, 90n]]);
    await world.backend.advance(40_000); // the 60 are gone
    told(await world.post('a', 60n, { key, marks }), []);
    told(await world.post('c', 20n, { key, marks, ledger: world.other }), [[50n, 50n]]);
    told(await world.post('d', 30n, { key, marks }), [[80n, 80n]]);
    told(await world.post('e', 1n, { key, marks }), []);
    await world.backend.advance(300_000);
    told(await world.post('f', 200n, { key, marks }), [
      [50n, 200n],
      [80n, 200n],
      [100n, 200n],
    ]);
  }),
  ledgerCheck('also when an actual cost was less than its estimate', async (world) => {
    const key = recentOf('recent');
    told(await world.post('x', 60n, { key, marks, kind: 'estimated' }), [[50n, 60n]]);
    told(await world.post('x', 40n, { key }), []);
    told(await world.post('y', 10n, { key, marks, ledger: world.other }), [[50n, 50n]]);
  }),
];
