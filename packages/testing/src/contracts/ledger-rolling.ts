import assert from 'node:assert/strict';
import { alignTime, keyOf, type LedgerCheck, ledgerCheck, recentOf } from './ledger-check.ts';

const partMs = 10_000;
/** The last minute, in six parts. */
const recent = recentOf('recent');

/** Windows that move with the time. */
export const rollingChecks: readonly LedgerCheck[] = [
  ledgerCheck(
    'what was spent counts for the length of the window, and one part more at most',
    async (world) => {
      await world.post('x', 40n, { key: recent });
      await world.backend.advance(58_000);
      await world.expect(40n, 0n, recent);
      assert.equal((await world.reserve('a', 61n, { key: recent, limit: 100n })).admitted, false);
      await world.backend.advance(14_000);
      await world.expect(0n, 0n, recent);
      await world.hold('a', 100n, { key: recent, limit: 100n });
    },
  ),
  ledgerCheck('it goes part by part, as it came', async (world) => {
    await alignTime(world.backend, partMs);
    let spent = 0n;
    for (let i = 0n; i < 7n; i++) {
      await world.post(`x${i}`, 2n ** i, { key: recent });
      spent += 2n ** i;
      await world.expect(spent, 0n, recent);
      await world.backend.advance(partMs);
    }
    for (let i = 0n; i < 7n; i++) {
      spent -= 2n ** i;
      await world.expect(spent, 0n, recent);
      await world.backend.advance(partMs);
    }
  }),
  ledgerCheck('a part that comes round again begins empty, however long nobody looked', async (world) => {
    await alignTime(world.backend, partMs);
    const waits = [6, 7, 8, 12, 13, 14, 70, 71];
    let before = 0n;
    for (const [i, parts] of waits.entries()) {
      await world.post(`x${i}`, 100n, { key: recent });
      await world.expect(before + 100n, 0n, recent);
      await world.backend.advance(parts * partMs);
      before = parts <= 6 ? before + 100n : 0n;
      await world.expect(before, 0n, recent);
    }
  }),
  ledgerCheck('a refusal does not stop the time', async (world) => {
    await alignTime(world.backend, partMs);
    await world.post('x', 60n, { key: recent });
    await world.backend.advance(3 * partMs);
    await world.post('y', 40n, { key: recent });
    const reserve = (amount: bigint) => world.reserve('a', amount, { key: recent, limit: 100n });
    for (let i = 0; i < 3; i++) {
      assert.equal((await reserve(1n)).admitted, false);
      await world.backend.advance(partMs);
    }
    const refused = await reserve(101n);
    assert.ok(!refused.admitted && refused.refused.committed === 100n);
    await world.backend.advance(partMs);
    const less = await reserve(61n);
    assert.ok(!less.admitted && less.refused.committed === 40n);
    assert.ok((await reserve(60n)).admitted);
  }),
  ledgerCheck('what is held counts for as long as it is held', async (world) => {
    await world.hold('a', 80n, { key: recent, limit: 100n });
    await world.backend.advance(300_000);
    await world.expect(0n, 80n, recent);
    assert.equal((await world.reserve('b', 21n, { key: recent, limit: 100n })).admitted, false);
    await world.ledger.close('a');
    await world.expect(0n, 0n, recent);
  }),
  ledgerCheck('what is booked under a hold counts from when the hold was admitted', async (world) => {
    await alignTime(world.backend, partMs);
    await world.hold('a', 100n, { key: recent });
    await world.backend.advance(3 * partMs);
    await world.hold('a', 150n, { key: recent }); // raised: admitted at first, as before
    await world.post('under', 40n, { key: recent, holdId: 'a', ledger: world.other });
    await world.post('without', 1n, { key: recent });
    await world.expect(41n, 110n, recent);
    await world.backend.advance(3 * partMs);
    await world.expect(41n, 110n, recent);
    await world.backend.advance(partMs);
    await world.expect(1n, 110n, recent);
    await world.post('late', 50n, { key: recent, holdId: 'a', close: true });
    await world.expect(1n, 0n, recent); // too long ago to count
    await world.backend.advance(3 * partMs);
    await world.expect(0n, 0n, recent);
  }),
  ledgerCheck('also when the hold is closed by then, or lacks the line', async (world) => {
    await alignTime(world.backend, partMs);
    const other = recentOf('other');
    await world.hold('a', 100n, { key: recent });
    for (const holdId of ['a', 'never-placed']) await world.ledger.close(holdId);
    await world.backend.advance(3 * partMs);
    await world.post('late', 40n, { key: recent, holdId: 'a' });
    await world.post('elsewhere', 20n, { key: other, holdId: 'a' });
    await world.post('unknown', 1n, { key: recent, holdId: 'never-seen' });
    await world.post('never', 2n, { key: recent, holdId: 'never-placed' });
    await world.backend.advance(3 * partMs);
    await world.expect(43n, 0n, recent);
    await world.expect(20n, 0n, other);
    await world.backend.advance(partMs);
    await world.expect(3n, 0n, recent);
    await world.expect(0n, 0n, other);
    await world.backend.advance(3 * partMs);
    await world.expect(0n, 0n, recent);
  }),
  ledgerCheck('what replaces an estimate counts from where the estimate was', async (world) => {
    await alignTime(world.backend, partMs);
    for (const id of ['down', 'up', 'late']) await world.post(id, 50n, { key: recent, kind: 'estimated' });
    await world.backend.advance(3 * partMs);
    await world.post('down', 30n, { key: recent });
    await world.post('up', 70n, { key: recent });
    await world.expect(150n, 0n, recent);
    await world.backend.advance(4 * partMs);
    await world.expect(0n, 0n, recent);
    await world.post('late', 30n, { key: recent });
    await world.expect(0n, 0n, recent);
    await world.post('fresh', 5n, { key: recent });
    await world.expect(5n, 0n, recent);
  }),
  ledgerCheck('an estimate of nothing is replaced as well, also after a reset', async (world) => {
    await world.post('x', 0n, { key: recent, kind: 'estimated' });
    await world.post('y', 10n, { key: recent, kind: 'estimated' });
    await world.ledger.reset(recent);
    await world.backend.advance(5_000);
    await world.expect(0n, 0n, recent);
    await world.post('x', 7n, { key: recent });
    await world.post('y', 15n, { key: recent });
    await world.expect(12n, 0n, recent);
  }),
  ledgerCheck('what an expiry books counts from when its hold was admitted', async (world) => {
    await alignTime(world.backend, partMs);
    for (const holdId of ['a', 'b', 'c']) {
      await world.hold(holdId, 100n, { key: recent, leaseMs: 2 * partMs, onExpiry: 'book' });
    }
    await world.backend.advance(3 * partMs);
    await world.expect(300n, 0n, recent);
    await world.ledger.close('a');
    await world.post('x', 70n, { key: recent, holdId: 'b', close: true });
    await world.expect(170n, 0n, recent);
    await world.post('y', 120n, { key: recent, holdId: 'c' });
    await world.expect(190n, 0n, recent);
    await world.backend.advance(4 * partMs);
    await world.expect(0n, 0n, recent);
    await world.ledger.close('c');
    await world.expect(0n, 0n, recent);
  }),
  ledgerCheck('windows of one part and of 360 parts', async (world) => {
    for (const [lengthMs, slots] of [
      [60_000, 1],
      [360_000, 360],
    ] as const) {
      const key = recentOf(`in ${slots}`, lengthMs, slots);
      const part = lengthMs / slots;
      await world.post(`x-${slots}`, 7n, { key });
      await world.backend.advance(lengthMs - part / 2);
      await world.post(`y-${slots}`, 8n, { key });
      await world.expect(15n, 0n, key);
      await world.backend.advance(2 * part + 1_000);
      if (slots > 1) await world.expect(8n, 0n, key);
      await world.backend.advance(lengthMs);
      await world.expect(0n, 0n, key);
    }
  }),
  ledgerCheck('the same key in windows of several lengths, and of the calendar', async (world) => {
    const windows = [keyOf('spend'), recentOf('spend'), recentOf('spend', 600_000, 10)];
    for (const [i, key] of windows.entries()) await world.post(`x${i}`, 10n, { key });
    await world.backend.advance(75_000);
    for (const [i, key] of windows.entries()) await world.expect(i === 1 ? 0n : 10n, 0n, key);
    await world.backend.advance(600_000);
    for (const [i, key] of windows.entries()) await world.expect(i === 0 ? 10n : 0n, 0n, key);
  }),
  ledgerCheck('a wall clock that steps back wipes nothing and gives nothing twice', async (world) => {
    const { backend } = world;
    if (backend.stepWall === undefined) return;
    await world.post('x', 40n, { key: recent });
    await world.post('y', 40n);
    await world.hold('a', 50n, { key: recent, limit: 100n });
    for (const ms of [-20_000, -86_400_000, 86_420_000]) {
      await backend.stepWall(ms);
      await world.expect(40n, 50n, recent);
      await world.expect(40n, 0n);
      assert.equal((await world.reserve(`b${ms}`, 11n, { key: recent, limit: 100n })).admitted, false);
      await world.hold(`b${ms}`, 10n, { key: recent, limit: 100n });
      await world.ledger.close(`b${ms}`);
    }
  }),
];
