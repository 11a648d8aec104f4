import assert from 'node:assert/strict';
import type { LedgerStore } from '@synapsekit/core';
import { expectConflict, keyOf, type LedgerCheck, ledgerCheck, most, recentOf } from './ledger-check.ts';

const line = (key: string, amount: bigint, limit: bigint) => ({ ...keyOf(key), amount, limit });

/** Who is let in. */
export const admissionChecks: readonly LedgerCheck[] = [
  ledgerCheck('1,000 at once on a new key, over two ledgers, admit exactly what fits', async (world) => {
    const results = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        world.reserve(`hold-${i}`, 100n, { limit: 5_000n, ledger: i % 2 === 0 ? world.ledger : world.other }),
      ),
    );
    assert.equal(results.filter(({ admitted }) => admitted).length, 50);
    await world.expect(0n, 5_000n);
  }),
  ledgerCheck('exactly the limit may be held and spent', async (world) => {
    for (const id of ['a', 'b', 'c']) await world.hold(id, 100n, { limit: 300n });
    assert.equal((await world.reserve('d', 1n, { limit: 300n })).admitted, false);
    for (const id of ['a', 'b', 'c']) await world.post(id, 100n, { holdId: id, close: true });
    await world.expect(300n, 0n);
  }),
  ledgerCheck('a refusal tells the line that did not fit, with its figures', async (world) => {
    await world.post('earlier', 40n);
    await world.hold('running', 50n, { limit: 100n });
    const result = await world.reserve('late', 20n, { limit: 100n });
    assert.ok(!result.admitted);
    const { key, window, committed, held, limit, amount } = result.refused;
    assert.deepEqual(
      { key, window: window.id, committed, held, limit, amount },
      { key: 'daily', window: '2026-11-23@UTC', committed: 40n, held: 50n, limit: 100n, amount: 20n },
    );
  }),
  ledgerCheck('a refusal at one line leaves no trace at the others', async (world) => {
    await world.post('earlier', 95n, { key: 'hourly' });
    const lines = [line('daily', 10n, 1_000n), line('hourly', 10n, 100n), line('monthly', 10n, 1_000n)];
    const result = await world.reserve('a', lines);
    assert.ok(!result.admitted && result.refused.key === 'hourly');
    for (const key of ['daily', 'monthly']) await world.expect(0n, 0n, key);
    await world.expect(95n, 0n, 'hourly');
    // The id is not used up: a refusal is nothing that has to be ended.
    await world.hold('a', [line('daily', 10n, 1_000n), line('hourly', 5n, 100n)]);
  }),
  ledgerCheck('lines of every kind stand in one request, each with its own amount', async (world) => {
    const tokens = keyOf('tokens');
    const recent = recentOf('recent');
    const lines = [
      line('daily', 1_000_000n, 2_000_000n),
      { ...tokens, amount: 700n, limit: 1_000n },
      { ...recent, amount: 1_000_000n, limit: 1_500_000n },
      { key: 'total', window: { id: 'total' }, amount: 1_000_000n, limit: most },
    ];
    await world.hold('a', lines);
    const refused = await world.reserve(
      'b',
      lines.map((each) => ({ ...each, amount: 400n })),
    );
    assert.ok(!refused.admitted && refused.refused.key === 'tokens');
    const cost = [400_000n, 250n, 400_000n, 400_000n];
    await world.post('x', 0n, {
      lines: lines.map(({ key, window }, i) => ({ key, window, amount: cost[i] ?? 0n })),
      holdId: 'a',
    });
    const held = [600_000n, 450n, 600_000n, 600_000n];
    for (const [i, each] of lines.entries()) await world.expect(cost[i] ?? 0n, held[i] ?? 0n, each);
    await world.other.close('a');
    for (const [i, each] of lines.entries()) await world.expect(cost[i] ?? 0n, 0n, each);
  }),
  ledgerCheck('many lines in opposite orders at once neither block nor overbook', async (world) => {
    const keys = ['a', 'b', 'c', 'd'];
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, i) => {
        const lines = keys.map((key) => line(key, 10n, 500n));
        return world.reserve(`hold-${i}`, i % 2 === 0 ? lines : lines.reverse());
      }),
    );
    assert.equal(results.filter(({ admitted }) => admitted).length, 50);
    for (const key of keys) await world.expect(0n, 500n, key);
  }),
  ledgerCheck('nothing is always admitted, also when nothing is left', async (world) => {
    await world.post('all', 1_500n);
    await world.hold('free', 0n);
    assert.equal((await world.reserve('paid', 1n)).admitted, false);
  }),
  ledgerCheck('one that is too large is refused alone', async (world) => {
    assert.equal((await world.reserve('giant', 1_001n)).admitted, false);
    await world.hold('small', 1_000n);
  }),
  ledgerCheck('asking again with the same id changes nothing', async (world) => {
    await world.hold('a', 600n);
    await world.hold('a', 600n);
    await world.hold('a', 500n, { ledger: world.other });
    await world.expect(0n, 600n);
  }),
  ledgerCheck('asking again for more raises the hold, or leaves it as it was', async (world) => {
    await world.hold('a', 100n);
    await world.hold('a', 400n);
    await world.expect(0n, 400n);
    await world.hold('b', 500n);
    const refused = await world.reserve('a', 501n);
    assert.equal(refused.admitted, false);
    await world.expect(0n, 900n);
    await world.post('x', 300n, { holdId: 'a' });
    await world.hold('a', 500n); // raised by 100, of which nothing is spent
    await world.expect(300n, 700n);
  }),
  ledgerCheck('an id cannot be used for other keys, or twice', async (world) => {
    await world.hold('a', 100n);
    await expectConflict(() => world.reserve('a', 100n, { key: 'monthly' }));
    await expectConflict(() =>
      world.reserve('a', [line('daily', 100n, 1_000n), line('monthly', 1n, 1_000n)]),
    );
    await world.expect(0n, 100n);
    await world.ledger.close('a');
    await expectConflict(() => world.reserve('a', 100n));
    await world.expect(0n, 0n);
  }),
  ledgerCheck('a reservation that arrives again after its call has ended is not placed', async (world) => {
    await world.hold('a', 100n);
    await world.post('x', 30n, { holdId: 'a', close: true });
    await expectConflict(() => world.reserve('a', 100n, { ledger: world.other }));
    await world.expect(30n, 0n);
  }),
  {
    name: 'many ledgers that open at once on an empty place share one limit',
    async run(create) {
      const backend = await create();
      const ledgers = await Promise.all(Array.from({ length: 8 }, () => backend.open()));
      try {
        const results = await Promise.all(
          Array.from({ length: 80 }, (_, i) =>
            (ledgers[i % 8] as LedgerStore).reserve({
              holdId: `hold-${i}`,
              lines: [line('daily', 100n, 5_000n)],
              leaseMs: 3_600_000,
              onExpiry: 'release',
            }),
          ),
        );
        assert.equal(results.filter(({ admitted }) => admitted).length, 50);
        for (const ledger of ledgers) {
          const [status] = await ledger.status([keyOf('daily')]);
          assert.deepEqual([status?.committed, status?.held], [0n, 5_000n]);
        }
      } finally {
        for (const ledger of new Set(ledgers)) await ledger.dispose();
        await backend.dispose?.();
      }
    },
  },
  ledgerCheck('a key stands in one line of a request only', async (world) => {
    const twice = [line('daily', 600n, 1_000n), line('daily', 600n, 1_000n)];
    await expectConflict(() => world.reserve('a', twice));
    await world.expect(0n, 0n);
  }),
  ledgerCheck('keys and windows are free text and kept apart', async (world) => {
    const keys = ['a:b', 'a', 'b', '__proto__', 'ключ 🔑', 'line\nbreak', '{tag}', 'x'.repeat(300), '"'];
    for (const [i, key] of keys.entries()) await world.post(`attempt-${i}`, BigInt(i + 1), { key });
    for (const [i, key] of keys.entries()) await world.expect(BigInt(i + 1), 0n, key);
    const tomorrow = keyOf('a', '2026-11-24@UTC');
    await world.expect(0n, 0n, tomorrow);
    await world.hold('t', [{ ...tomorrow, limit: 10n, amount: 10n }]);
    await world.expect(0n, 10n, tomorrow);
    await world.expect(2n, 0n, 'a');
  }),
];
