import assert from 'node:assert/strict';
import { expectConflict, keyOf, type LedgerCheck, ledgerCheck } from './ledger-check.ts';

/** What is booked, once, and what becomes of holds. */
export const bookingChecks: readonly LedgerCheck[] = [
  ledgerCheck('a booking draws its hold down, and closing frees the rest', async (world) => {
    await world.hold('a', 100n);
    await world.post('x', 30n, { holdId: 'a' });
    await world.expect(30n, 70n);
    await world.post('y', 20n, { holdId: 'a' });
    await world.expect(50n, 50n);
    await world.ledger.close('a');
    await world.expect(50n, 0n);
  }),
  ledgerCheck('more than was held is booked in full, and then the limit refuses', async (world) => {
    await world.hold('a', 100n);
    await world.post('x', 1_300n, { holdId: 'a', close: true });
    await world.expect(1_300n, 0n);
    assert.equal((await world.reserve('b', 1n)).admitted, false);
  }),
  ledgerCheck('booking and closing can be one step', async (world) => {
    await world.hold('a', 100n);
    await world.post('x', 30n, { holdId: 'a', close: true });
    await world.expect(30n, 0n);
    await expectConflict(() => world.reserve('a', 100n));
  }),
  ledgerCheck('an attempt is booked once, however often and through whomever it is told', async (world) => {
    await world.hold('a', 100n);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        (i % 2 === 0 ? world.ledger : world.other).post({
          attemptId: 'x',
          lines: [{ ...keyOf('daily'), amount: 30n }],
          kind: 'actual',
          ...(i % 3 === 0 && { holdId: 'a' }),
        }),
      ),
    );
    await world.ledger.close('a');
    await world.expect(30n, 0n);
  }),
  ledgerCheck('the first actual cost wins', async (world) => {
    await world.post('x', 30n);
    await world.post('x', 50n);
    await world.post('x', 60n, { kind: 'estimated' });
    await world.expect(30n, 0n);
  }),
  ledgerCheck('an actual cost replaces an estimate, up or down, once', async (world) => {
    await world.post('down', 50n, { kind: 'estimated' });
    await world.post('down', 30n);
    await world.post('down', 40n);
    await world.expect(30n, 0n);
    await world.post('up', 50n, { kind: 'estimated' });
    await world.post('up', 70n);
    await world.expect(100n, 0n);
  }),
  ledgerCheck('a later estimate only raises an earlier one', async (world) => {
    await world.post('x', 50n, { kind: 'estimated' });
    await world.post('x', 40n, { kind: 'estimated' });
    await world.expect(50n, 0n);
    await world.post('x', 60n, { kind: 'estimated' });
    await world.expect(60n, 0n);
  }),
  ledgerCheck('the first booking decides the window', async (world) => {
    await world.post('x', 30n, { kind: 'estimated' });
    const tomorrow = keyOf('daily', '2026-11-24@UTC');
    await world.post('x', 40n, { lines: [{ ...tomorrow, amount: 40n }] });
    await world.expect(40n, 0n);
    await world.expect(0n, 0n, tomorrow);
  }),
  ledgerCheck(
    'money is booked without a hold, and under one that is gone or was never there',
    async (world) => {
      await world.post('none', 1n);
      await world.post('unknown', 2n, { holdId: 'never-seen' });
      await world.hold('a', 100n);
      await world.ledger.close('a');
      await world.post('late', 4n, { holdId: 'a' });
      await world.expect(7n, 0n);
    },
  ),
  ledgerCheck('lines that a booking has and its hold lacks are booked as well', async (world) => {
    await world.hold('a', 100n);
    const lines = [
      { ...keyOf('daily'), amount: 30n },
      { ...keyOf('monthly'), amount: 30n },
    ];
    await world.post('x', 0n, { lines, holdId: 'a' });
    await world.expect(30n, 70n, 'daily');
    await world.expect(30n, 0n, 'monthly');
  }),
  ledgerCheck('whatever is repeated, in order or out of it, happened once', async (world) => {
    const { ledger, other } = world;
    for (const each of [ledger, other, ledger]) await world.hold('a', 100n, { ledger: each });
    for (const each of [ledger, other]) {
      await world.post('x', 50n, { holdId: 'a', kind: 'estimated', ledger: each });
      await world.expect(50n, 50n);
    }
    for (const each of [ledger, other]) {
      await world.post('x', 40n, { holdId: 'a', close: true, ledger: each });
      await world.expect(40n, 0n);
    }
    await world.post('x', 50n, { holdId: 'a', kind: 'estimated', ledger: other });
    for (const each of [other, ledger]) await each.close('a');
    await world.expect(40n, 0n);
  }),
  ledgerCheck('closing is idempotent, also at once, and frees only its own', async (world) => {
    await world.hold('a', 100n);
    await world.hold('b', 200n);
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? world.ledger : world.other).close('a')));
    await world.expect(0n, 200n);
  }),
  ledgerCheck('a hold that was closed before it arrived is not placed', async (world) => {
    await world.ledger.close('late');
    await expectConflict(() => world.reserve('late', 100n));
    await world.expect(0n, 0n);
  }),
];

/** Holds of owners that died. */
export const leaseChecks: readonly LedgerCheck[] = [
  ledgerCheck('a hold whose lease ends is free again, where that is the policy', async (world) => {
    await world.hold('a', 100n, { leaseMs: 1_000, onExpiry: 'release' });
    await world.post('x', 30n, { holdId: 'a' });
    await world.backend.advance(1_100);
    await world.expect(30n, 0n);
    await expectConflict(() => world.reserve('a', 100n));
    await world.hold('b', 970n);
  }),
  ledgerCheck('or counts as spent, where that is the policy', async (world) => {
    await world.hold('a', 100n, { leaseMs: 1_000, onExpiry: 'book' });
    await world.post('x', 30n, { holdId: 'a' });
    await world.backend.advance(1_100);
    await world.expect(100n, 0n);
    assert.equal((await world.reserve('b', 901n)).admitted, false);
    await world.hold('c', 900n);
  }),
  ledgerCheck('a late booking under a hold that counted as spent does not count twice', async (world) => {
    await world.hold('a', 100n, { leaseMs: 1_000, onExpiry: 'book' });
    await world.backend.advance(1_100);
    await world.post('x', 60n, { holdId: 'a' });
    await world.expect(100n, 0n);
    await world.post('y', 90n, { holdId: 'a' });
    await world.expect(150n, 0n);
  }),
  ledgerCheck('an owner that closes after all takes back what its expiry booked too much', async (world) => {
    await world.hold('a', 100n, { leaseMs: 1_000, onExpiry: 'book' });
    await world.backend.advance(1_100);
    await world.post('x', 60n, { holdId: 'a', close: true });
    await world.expect(60n, 0n);
  }),
  ledgerCheck(
    'what an expiry booked and a reset took away is not booked again by its owner',
    async (world) => {
      await world.hold('a', 100n, { leaseMs: 1_000, onExpiry: 'book' });
      await world.backend.advance(1_100);
      await world.expect(100n, 0n);
      await world.ledger.reset(keyOf('daily'));
      await world.post('x', 60n, { holdId: 'a' });
      await world.expect(0n, 0n);
      await world.post('y', 90n, { holdId: 'a', close: true });
      await world.expect(50n, 0n);
    },
  ),
  ledgerCheck('a late booking under a hold that was released is booked in full', async (world) => {
    await world.hold('a', 100n, { leaseMs: 1_000, onExpiry: 'release' });
    await world.backend.advance(1_100);
    await world.post('x', 60n, { holdId: 'a' });
    await world.expect(60n, 0n);
  }),
  ledgerCheck('what comes after the end of a lease is repeated in vain', async (world) => {
    await world.hold('a', 100n, { leaseMs: 1_000, onExpiry: 'book' });
    await world.backend.advance(1_100);
    await expectConflict(() => world.reserve('a', 100n));
    for (const ledger of [world.ledger, world.other, world.ledger]) {
      await world.post('x', 130n, { holdId: 'a', ledger });
      await world.expect(130n, 0n);
    }
    await world.hold('b', 50n, { leaseMs: 1_000, onExpiry: 'book' });
    await world.backend.advance(1_100);
    for (const ledger of [world.ledger, world.other]) {
      await world.post('y', 20n, { holdId: 'b', close: true, ledger });
      await world.expect(150n, 0n);
    }
  }),
  ledgerCheck('renewing keeps a hold alive, from any ledger', async (world) => {
    await world.hold('a', 100n, { leaseMs: 1_000 });
    for (const ledger of [world.ledger, world.other, world.ledger]) {
      await world.backend.advance(700);
      assert.equal(await ledger.renew('a', 1_000), true);
    }
    await world.expect(0n, 100n);
    await world.backend.advance(1_100);
    assert.equal(await world.ledger.renew('a', 1_000), false);
    await world.expect(0n, 0n);
  }),
  ledgerCheck('renewing what is not there says so', async (world) => {
    assert.equal(await world.ledger.renew('never-seen', 1_000), false);
    await world.hold('a', 100n);
    await world.ledger.close('a');
    assert.equal(await world.ledger.renew('a', 1_000), false);
  }),
];
