import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { LedgerKey } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteLedger } from './sqlite-ledger.ts';
import type { SqliteLedgerOptions } from './sqlite-ledger-options.ts';

const startMs = Date.UTC(2026, 10, 23);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const today: LedgerKey = { key: 'daily', window: { id: '2026-11-23@UTC', endsAtMs: startMs + dayMs } };
const total: LedgerKey = { key: 'total', window: { id: 'total' } };
let folder = '';
let path = '';
let clock = new ManualClock();
let opened: SqliteLedger[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  path = join(folder, 'budget.db');
  clock = new ManualClock({ wallMs: startMs });
  opened = [];
});
afterEach(async () => {
  for (const ledger of opened) await ledger.dispose();
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<SqliteLedgerOptions> = {}): Promise<SqliteLedger> {
  const ledger = await SqliteLedger.open({ path, durability: 'normal', clock, ...options });
  opened.push(ledger);
  return ledger;
}

const post = (ledger: SqliteLedger, attemptId: string, key: LedgerKey, amount = 5n) =>
  ledger.post({ attemptId, lines: [{ ...key, amount }], kind: 'actual' });
const reserve = (ledger: SqliteLedger, holdId: string, key: LedgerKey, limit: bigint, leaseMs = hourMs) =>
  ledger.reserve({ holdId, lines: [{ ...key, limit, amount: 10n }], leaseMs, onExpiry: 'release' });

/** How many rows a table has. */
function rows(table: string): number {
  const db = new DatabaseSync(path);
  const { count } = db.prepare(`SELECT count(*) AS count FROM ${table}`).get() ?? {};
  db.close();
  return Number(count);
}

describe('windows', () => {
  test('are forgotten some time after their end, and only then; one with a live hold is not', async () => {
    const ledger = await open({ graceMs: hourMs });
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => post(ledger, `x${i}`, { ...today, key: `user-${i}` })),
    );
    await reserve(ledger, 'h', { ...today, key: 'held' }, 10n, 30 * dayMs);
    await post(ledger, 'y', total);
    await clock.advance(dayMs + 60_000);
    await ledger.close('none');
    await clock.advance(hourMs - 1_000);
    await ledger.close('none');
    expect(rows('counter')).toBe(302);
    await clock.advance(2_000);
    for (let i = 0; i < 4; i++) await ledger.close('none');
    expect(rows('counter')).toBe(2);
    expect(await ledger.status([total, today])).toMatchObject([{ committed: 5n }, { committed: 0n }]);
    await ledger.close('h');
    await clock.advance(2_000);
    for (let i = 0; i < 2; i++) {
      await ledger.close('none');
      await clock.advance(2_000);
    }
    expect([rows('counter'), rows('calendar')]).toEqual([1, 0]);
  });

  test('a wall clock that jumps ahead and back wipes no spend, also when the ledger is opened meanwhile', async () => {
    const ledger = await open({ graceMs: hourMs });
    await post(ledger, 'x', today);
    clock.setWall(startMs + 30 * dayMs);
    await ledger.close('none');
    const other = await open({ graceMs: hourMs });
    await clock.advance(hourMs / 2);
    for (const each of [ledger, other]) await each.close('none');
    clock.setWall(startMs + 2 * hourMs);
    await clock.advance(2 * hourMs);
    for (const each of [ledger, other]) {
      await each.close('none');
      expect(await each.status([today])).toMatchObject([{ committed: 5n }]);
    }
  });

  test('rolling ones go when nothing is in them any more, and nothing can come back', async () => {
    const ledger = await open({ rememberMs: 100_000 });
    const window = { id: 'rolling-60s', lengthMs: 60_000, slots: 6 };
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => post(ledger, `x${i}`, { key: `user-${i}`, window })),
    );
    await reserve(ledger, 'h', { key: 'held', window }, 10n, dayMs);
    for (let i = 0; i < 3; i++) {
      await clock.advance(2_000);
      await ledger.close('none');
    }
    expect([rows('counter'), rows('part')]).toEqual([101, 100]);
    await clock.advance(80_000);
    await ledger.reset({ key: 'user-0', window });
    const late = [{ key: 'user-1', window, amount: 9n }];
    await ledger.post({
      attemptId: 'late',
      lines: late.map((line) => ({ ...line, amount: 0n })),
      kind: 'estimated',
    });
    for (let i = 0; i < 4; i++) {
      await ledger.close('none');
      await clock.advance(2_000);
    }
    expect(rows('counter')).toBe(101);
    await ledger.post({ attemptId: 'late', lines: late, kind: 'actual' });
    expect(await ledger.status(late)).toMatchObject([{ committed: 9n }]);
    for (let i = 0; i < 30; i++) {
      await clock.advance(20_000);
      await ledger.close('none');
    }
    expect([rows('counter'), rows('part')]).toEqual([1, 0]);
  });
});

describe('ids', () => {
  test('are remembered for rememberMs at least, twice that at most, and by the longest of all processes', async () => {
    const short = await open({ rememberMs: 60_000 });
    const ledger = await open({ rememberMs: hourMs });
    await ledger.close('none');
    await clock.advance(1_500);
    await ledger.close('none');
    await post(ledger, 'x', total);
    await clock.advance(hourMs - 10_000);
    await post(short, 'x', total);
    expect(await ledger.status([total])).toMatchObject([{ committed: 5n }]);
    for (let i = 0; i < 3; i++) {
      await clock.advance(hourMs);
      for (const each of [ledger, short, ledger]) await each.close(`id-${i}`);
    }
    expect(rows('booking')).toBe(0);
    expect(rows('past_hold')).toBeLessThanOrEqual(2);
  });

  test('forgetting keeps up with remembering', async () => {
    const ledger = await open({ rememberMs: 60_000 });
    for (let minute = 0; minute < 6; minute++) {
      await Promise.all(Array.from({ length: 400 }, (_, i) => post(ledger, `x${minute}-${i}`, total)));
      await clock.advance(61_000);
      await ledger.close('none');
    }
    expect(rows('booking')).toBeLessThanOrEqual(3 * 400);
    expect(await ledger.status([total])).toMatchObject([{ committed: 6n * 400n * 5n }]);
  });
});

describe('leases', () => {
  test('of a thousand dead holds end in steps, and are never in the way', async () => {
    const ledger = await open();
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => reserve(ledger, `h${i}`, total, 10_000n, 1_000)),
    );
    expect(await reserve(ledger, 'late', total, 10_000n)).toMatchObject({ admitted: false });
    await clock.advance(1_000);
    const asked = Array.from({ length: 1_000 }, (_, i) => reserve(ledger, `again${i}`, total, 10_000n));
    expect((await Promise.all(asked)).every(({ admitted }) => admitted)).toBe(true);
    await clock.advance(hourMs);
    expect(await ledger.holds()).toEqual([]);
    expect(await ledger.status([total])).toMatchObject([{ committed: 0n, held: 0n }]);
    expect(rows('hold')).toBe(0);
  });

  test('go on where the file was, when the wall clock was set back before the next start', async () => {
    const ledger = await open();
    await reserve(ledger, 'h', total, 10n, 60_000);
    await clock.advance(50_000);
    await ledger.renew('h', 60_000);
    await ledger.dispose();
    clock.setWall(startMs - dayMs);
    const again = await open();
    expect(await again.holds()).toMatchObject([{ holdId: 'h', leaseLeftMs: 60_000 }]);
    await clock.advance(60_000);
    expect(await again.holds()).toEqual([]);
  });
});

test('figures beyond 64 bits stay exact', async () => {
  const ledger = await open();
  const amount = 2n ** 62n;
  const rolling = { key: 'recent', window: { id: 'rolling-60s', lengthMs: 60_000, slots: 6 } };
  for (let i = 0; i < 5; i++) {
    for (const key of [total, rolling]) await post(ledger, `${key.key}-${i}`, key, amount);
  }
  const other = await open();
  for (const each of [ledger, other]) {
    expect(await each.status([total, rolling])).toMatchObject([
      { committed: 5n * amount },
      { committed: 5n * amount },
    ]);
  }
  expect(await reserve(other, 'h', total, amount)).toMatchObject({ admitted: false });
});

test('the log is emptied beside the work, and does not grow without end', async () => {
  const ledger = await open();
  for (let round = 0; round < 30; round++) {
    await Promise.all(Array.from({ length: 500 }, (_, i) => post(ledger, `x${round}-${i}`, total)));
  }
  const bytes = statSync(`${path}-wal`).size;
  await ledger.dispose();
  expect(bytes).toBeLessThan(24 * 2 ** 20);
});

test('the log starts over while operations keep coming, too', async () => {
  const ledger = await open();
  // 64 at once without a break: nearly always one of them writes while the log is moved.
  await Promise.all(
    Array.from({ length: 64 }, async (_, worker) => {
      for (let i = 0; i < 500; i++) await post(ledger, `x${worker}-${i}`, total);
    }),
  );
  const bytes = statSync(`${path}-wal`).size;
  expect(await ledger.status([total])).toMatchObject([{ committed: 64n * 500n * 5n }]);
  await ledger.dispose();
  expect(bytes).toBeLessThan(32 * 2 ** 20); // all of it together takes 52 MB
});
