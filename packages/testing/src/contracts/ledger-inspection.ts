import assert from 'node:assert/strict';
import type { LedgerCounter } from '@synapsekit/core';
import { keyOf, type LedgerCheck, ledgerCheck, most, recentOf } from './ledger-check.ts';

const row = ({ key, window, committed, held, limit }: LedgerCounter): string =>
  `${key} ${window.id}: ${committed}+${held} of ${limit}`;

/** What tools see and do. */
export const inspectionChecks: readonly LedgerCheck[] = [
  ledgerCheck('the counters are listed by key and window, with the last limit', async (world) => {
    const tomorrow = keyOf('b', '2026-11-24@UTC');
    await world.hold('h1', 10n, { key: tomorrow, limit: 100n });
    await world.hold('h2', 20n, { key: 'b', limit: 100n });
    await world.hold('h3', 30n, { key: recentOf('c'), limit: 300n });
    await world.post('x', 5n, { key: 'a' });
    await world.post('y', 7n, { key: 'b', holdId: 'h2' });
    await world.hold('h4', 1n, { key: 'b', limit: 200n, ledger: world.other });
    for (const ledger of [world.ledger, world.other]) {
      const counters = await ledger.counters();
      assert.deepEqual(counters.map(row), [
        'a 2026-11-23@UTC: 5+0 of undefined',
        'b 2026-11-23@UTC: 7+14 of 200',
        'b 2026-11-24@UTC: 0+10 of 100',
        `c ${recentOf('c').window.id}: 0+30 of 300`,
      ]);
      assert.deepEqual(
        counters.map(({ window }) => [window.endsAtMs, window.lengthMs]),
        [
          [keyOf('a').window.endsAtMs, undefined],
          [keyOf('a').window.endsAtMs, undefined],
          [keyOf('a').window.endsAtMs, undefined],
          [undefined, 60_000],
        ],
      );
      assert.deepEqual(
        counters.map(({ window }) => (window.lengthMs === undefined ? 0 : window.slots)),
        [0, 0, 0, 6],
      );
    }
  }),
  ledgerCheck('the limit is that of the last reservation, also of one that was refused', async (world) => {
    await world.hold('a', 60n, { limit: 100n });
    assert.equal((await world.reserve('b', 10n, { limit: 50n })).admitted, false);
    assert.deepEqual((await world.other.counters()).map(row), ['daily 2026-11-23@UTC: 0+60 of 50']);
    await world.hold('c', 1n, { limit: 200n });
    assert.deepEqual((await world.other.counters()).map(row), ['daily 2026-11-23@UTC: 0+61 of 200']);
  }),
  ledgerCheck('a limit of 2^62 is none, and none is remembered', async (world) => {
    await world.hold('a', 60n, { limit: 100n });
    await world.hold('b', 60n, { limit: most });
    assert.deepEqual((await world.other.counters()).map(row), ['daily 2026-11-23@UTC: 0+120 of undefined']);
  }),
  ledgerCheck('a prefix is taken as it is written, and no more are listed than asked for', async (world) => {
    const keys = ['a', 'a%b', 'a_b', 'axb', 'a*b', 'a[b', 'a\\b', 'A', 'é'];
    for (const [i, key] of keys.entries()) {
      await world.post(`x${i}`, 1n, { key });
      await world.hold(`h${i}`, 1n, { key, leaseMs: 100_000 * (i + 1) });
    }
    for (const prefix of [...keys, 'a%', 'a_', 'a*', 'a[', 'a\\', 'b', '%', undefined]) {
      const expected = keys.filter((key) => key.startsWith(prefix ?? '')).sort();
      const counters = await world.ledger.counters({ prefix });
      assert.deepEqual(
        counters.map(({ key }) => key),
        expected,
        `prefix ${prefix}`,
      );
      const holds = await world.ledger.holds({ prefix });
      assert.deepEqual(holds.map(({ lines }) => lines[0]?.key).sort(), expected, `prefix ${prefix}`);
    }
    assert.deepEqual(
      (await world.ledger.counters({ prefix: 'a', maxCount: 2 })).map(({ key }) => key),
      ['a', 'a%b'],
    );
    assert.deepEqual(
      (await world.ledger.holds({ prefix: 'a', maxCount: 2 })).map(({ holdId }) => holdId),
      ['h0', 'h1'],
    );
    assert.equal((await world.ledger.counters({ maxCount: 0 })).length, 0);
  }),
  ledgerCheck('at most 1,000 are listed unless more are asked for', async (world) => {
    for (let from = 0; from < 1_010; from += 101) {
      await Promise.all(
        Array.from({ length: 101 }, (_, i) => world.hold(`h${from + i}`, 1n, { key: `key ${from + i}` })),
      );
    }
    assert.equal((await world.ledger.counters()).length, 1_000);
    assert.equal((await world.ledger.holds()).length, 1_000);
    assert.equal((await world.ledger.counters({ maxCount: 5_000 })).length, 1_010);
    assert.equal((await world.ledger.holds({ maxCount: 5_000 })).length, 1_010);
  }),
  ledgerCheck('the open holds are listed, those that end first at the front', async (world) => {
    const lines = [
      { ...keyOf('daily'), limit: 1_000n, amount: 100n },
      { ...recentOf('recent'), limit: 1_000n, amount: 200n },
    ];
    await world.hold('late', lines, { leaseMs: 1_000_000, onExpiry: 'book' });
    await world.hold('renewed', 1n, { leaseMs: 100_000 });
    await world.hold('soon', 2n, { leaseMs: 300_000 });
    await world.hold('closed', 3n);
    await world.hold('ended', 4n, { leaseMs: 1_000 });
    await world.ledger.close('closed');
    await world.ledger.renew('renewed', 2_000_000);
    await world.post('x', 0n, { lines: [{ ...keyOf('daily'), amount: 30n }], holdId: 'late' });
    await world.backend.advance(20_000);
    for (const ledger of [world.ledger, world.other]) {
      const holds = await ledger.holds();
      assert.deepEqual(
        holds.map(({ holdId, lines, onExpiry }) => [
          holdId,
          onExpiry,
          ...lines.map(({ key, window, left }) => `${key} ${window.id} ${left}`),
        ]),
        [
          ['soon', 'release', 'daily 2026-11-23@UTC 2'],
          ['late', 'book', 'daily 2026-11-23@UTC 70', `recent ${recentOf('recent').window.id} 200`],
          ['renewed', 'release', 'daily 2026-11-23@UTC 1'],
        ],
      );
      for (const [i, leaseMs] of [300_000, 1_000_000, 2_000_000].entries()) {
        const { leaseLeftMs = 0 } = holds[i] ?? {};
        assert.ok(
          leaseLeftMs <= leaseMs - 20_000 && leaseLeftMs > leaseMs - 80_000,
          `${leaseLeftMs} of ${leaseMs}`,
        );
      }
      assert.deepEqual(
        (await ledger.holds({ prefix: 'rec' })).map(({ holdId }) => holdId),
        ['late'],
      );
    }
  }),
  ...[keyOf('daily'), recentOf('recent')].map((key) =>
    ledgerCheck(`a reset sets what is committed to zero, and only that (${key.key})`, async (world) => {
      await world.hold('h', 100n, { key });
      await world.post('x', 60n, { key, holdId: 'h' });
      await world.post('else', 5n, { key: 'monthly' });
      const tomorrow = keyOf(key.key, '2026-11-24@UTC');
      await world.post('later', 6n, { key: tomorrow });
      await world.ledger.reset(key);
      await world.expect(6n, 0n, tomorrow);
      await world.expect(0n, 40n, key);
      await world.expect(5n, 0n, 'monthly');
      await world.post('x', 60n, { key, holdId: 'h' }); // was booked before: not again
      await world.expect(0n, 40n, key);
      assert.equal((await world.reserve('i', 961n, { key })).admitted, false);
      await world.hold('i', 960n, { key });
      await world.post('y', 10n, { key, holdId: 'h', close: true });
      await world.expect(10n, 960n, key);
      await world.other.reset(keyOf('never seen'));
    }),
  ),
  ...[keyOf('daily'), recentOf('recent')].map((key) =>
    ledgerCheck(`nothing that came before a reset brings it below zero (${key.key})`, async (world) => {
      await world.post('down', 50n, { key, kind: 'estimated' });
      await world.post('up', 50n, { key, kind: 'estimated' });
      await world.hold('dead', 100n, { key, leaseMs: 1_000, onExpiry: 'book' });
      await world.backend.advance(1_100);
      await world.expect(200n, 0n, key);
      await world.other.reset(key);
      await world.post('down', 30n, { key });
      await world.expect(0n, 0n, key);
      await world.post('up', 70n, { key });
      await world.expect(20n, 0n, key);
      await world.ledger.close('dead');
      await world.expect(0n, 0n, key);
      assert.equal((await world.reserve('a', 1_001n, { key })).admitted, false);
      await world.hold('a', 1_000n, { key });
      await world.backend.advance(120_000);
      await world.expect(0n, 1_000n, key);
    }),
  ),
  ledgerCheck('a reset forgets which marks were told', async (world) => {
    for (const key of [keyOf('daily'), recentOf('recent')]) {
      const marks = [50n];
      const post = async (id: string, amount: bigint): Promise<number> =>
        (await world.post(`${id} ${key.key}`, amount, { key, marks })).length;
      assert.equal(await post('x', 60n), 1);
      assert.equal(await post('y', 60n), 0);
      await world.other.reset(key);
      assert.equal(await post('z', 49n), 0);
      assert.equal(await post('w', 1n), 1);
      assert.equal(await post('v', 1n), 0);
    }
  }),
];
