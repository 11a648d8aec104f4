import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerError } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LedgerFile } from './ledger-file.ts';
import { SqliteLedger } from './sqlite-ledger.ts';
import type { SqliteLedgerOptions } from './sqlite-ledger-options.ts';

const key = { key: 'daily', window: { id: '2026-11-23@UTC' } };
const turn = () => new Promise((resolve) => setImmediate(resolve));
let folder = '';
let path = '';
let opened: SqliteLedger[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  path = join(folder, 'budget.db');
  opened = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const ledger of opened) await ledger.dispose();
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<SqliteLedgerOptions> = {}): Promise<SqliteLedger> {
  const ledger = await SqliteLedger.open({ path, durability: 'normal', ...options });
  opened.push(ledger);
  return ledger;
}

/** Opens a ledger, and tells which connection it has. */
async function openSpied(): Promise<{ ledger: SqliteLedger; db: DatabaseSync }> {
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  const ledger = await open();
  const db = prepare.mock.contexts.at(-1) as DatabaseSync;
  prepare.mockRestore();
  return { ledger, db };
}

const post = (ledger: SqliteLedger, attemptId: string, amount = 5n) =>
  ledger.post({ attemptId, lines: [{ ...key, amount }], kind: 'actual' });
const reserve = (ledger: SqliteLedger, holdId: string, limit = 1_000n, amount = 10n) =>
  ledger.reserve({ holdId, lines: [{ ...key, limit, amount }], leaseMs: 60_000, onExpiry: 'release' });

async function failure(work: Promise<unknown>): Promise<LedgerError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LedgerError);
  return error as LedgerError;
}

describe('a transaction that fails', () => {
  test('a disk that is full: nothing of it is booked, and it goes on when there is room', async () => {
    const { ledger, db } = await openSpied();
    await post(ledger, 'before');
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() ?? {};
    db.exec(`PRAGMA max_page_count = ${Number(pages)}`);
    let full: LedgerError | undefined;
    let booked = 1;
    for (let i = 0; full === undefined; i++) {
      const result = await post(ledger, `x${i}-${'long'.repeat(50)}`).catch((error: LedgerError) => error);
      if (result instanceof LedgerError) full = result;
      else booked += 1;
    }
    expect(full.message).toMatch(/disk is full/);
    expect(full.transient).toBe(true);
    expect(await ledger.status([key])).toMatchObject([{ committed: BigInt(5 * booked) }]);
    db.exec('PRAGMA max_page_count = 100000');
    await post(ledger, 'after');
    expect(await ledger.status([key])).toMatchObject([{ committed: BigInt(5 * booked + 5) }]);
  });

  test('a file that has become read-only', async () => {
    const { ledger, db } = await openSpied();
    await post(ledger, 'before');
    db.exec('PRAGMA query_only = ON');
    const error = await failure(post(ledger, 'x'));
    expect(error.message).toMatch(/read-only/);
    expect(error.transient).toBe(true);
    db.exec('PRAGMA query_only = OFF');
    await post(ledger, 'x');
    expect(await ledger.status([key])).toMatchObject([{ committed: 10n }]);
  });

  test.each([false, true])(
    'rejects the whole group; repeating it counts once (committed all the same: %s)',
    async (commits) => {
      const ledger = await open();
      const commit = LedgerFile.prototype.commit;
      vi.spyOn(LedgerFile.prototype, 'commit').mockImplementationOnce(function (this: LedgerFile) {
        if (commits) commit.call(this);
        throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
      });
      const group = () => [
        reserve(ledger, 'a'),
        post(ledger, 'x'),
        reserve(ledger, 'b'),
        ledger.close('c'),
        ledger.post({ attemptId: 'y', holdId: 'a', lines: [{ ...key, amount: 3n }], kind: 'actual' }),
      ];
      for (const one of await Promise.allSettled(group())) {
        expect(one).toMatchObject({ status: 'rejected', reason: { code: 'ledger', transient: true } });
      }
      const happened = commits ? { committed: 8n, held: 17n } : { committed: 0n, held: 0n };
      expect(await ledger.status([key])).toMatchObject([happened]);
      await Promise.all(group());
      expect(await ledger.status([key])).toMatchObject([{ committed: 8n, held: 17n }]);
      expect((await failure(reserve(ledger, 'c'))).transient).toBe(false);
    },
  );

  test('an operation that is refused in a group takes nobody with it', async () => {
    const ledger = await open();
    await ledger.close('closed');
    const results = await Promise.allSettled([
      reserve(ledger, 'a', 10n),
      reserve(ledger, 'closed'),
      reserve(ledger, 'b', 10n),
      post(ledger, 'x'),
    ]);
    expect(results).toMatchObject([
      { value: { admitted: true } },
      { reason: { transient: false } },
      { value: { admitted: false } },
      { status: 'fulfilled' },
    ]);
    expect(await ledger.status([key])).toMatchObject([{ committed: 5n, held: 10n }]);
  });

  test('a sync that fails: what waits for it is refused, and everything after it', async () => {
    const ledger = await open({ durability: 'full' });
    await post(ledger, 'before');
    vi.spyOn(LedgerFile.prototype, 'sync').mockRejectedValueOnce(new Error('EIO'));
    const error = await failure(post(ledger, 'x'));
    expect(error.message).toMatch(/EIO/);
    expect(error.transient).toBe(false);
    expect(await failure(post(ledger, 'y'))).toBe(error);
    expect(() => ledger.status([key])).toThrow(error);
    const again = await open();
    await post(again, 'x');
    expect(await again.status([key])).toMatchObject([{ committed: 10n }]);
  });

  test('at "full" nothing is answered before it is synced, and one sync does for many', async () => {
    const ledger = await open({ durability: 'full' });
    const syncs: (() => void)[] = [];
    const spy = vi
      .spyOn(LedgerFile.prototype, 'sync')
      .mockImplementation(() => new Promise((resolve) => syncs.push(resolve)));
    let answered = 0;
    const first = post(ledger, 'x0').then(() => answered++);
    while (syncs.length < 1) await turn();
    const rest = Array.from({ length: 100 }, (_, i) => post(ledger, `x${i}`).then(() => answered++));
    const isCommitted = async () => (await ledger.status([key]))[0]?.committed === 500n;
    while (!(await isCommitted())) await turn();
    for (let i = 0; i < 10; i++) await turn();
    expect([answered, spy.mock.calls.length]).toEqual([0, 1]);
    syncs[0]?.();
    await first;
    while (syncs.length < 2) await turn();
    expect(answered).toBe(1);
    syncs[1]?.();
    await Promise.all(rest);
    expect(spy).toHaveBeenCalledTimes(2);
    await post(ledger, 'x0'); // changes nothing, so there is nothing to sync
    expect(spy).toHaveBeenCalledTimes(2);
  });
});

describe('a file that is gone', () => {
  test.each(['deleted', 'replaced', 'log deleted'])('is noticed: %s', async (what) => {
    const ledger = await open();
    await post(ledger, 'before');
    if (what === 'replaced') {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    } else rmSync(what === 'deleted' ? path : `${path}-wal`);
    let error: unknown;
    for (let i = 0; error === undefined; i++) {
      error = await post(ledger, `x${i}`).then(
        () => turn().then(() => undefined),
        (reason: unknown) => reason,
      );
    }
    expect(error).toMatchObject({ code: 'ledger', transient: false });
    expect((error as Error).message).toMatch(/deleted or replaced/);
    expect(await failure(reserve(ledger, 'a'))).toBe(error);
  });
});

describe('a lock that another process has', () => {
  test('is waited for, in turns of the event loop, and the order stays', async () => {
    const ledger = await open({ lockTimeoutMs: 25_000 });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const answers: string[] = [];
    const asked = ['a', 'b', 'c'].map((id) =>
      reserve(ledger, id, 20n).then((r) => answers.push(`${id} ${r.admitted}`)),
    );
    for (let i = 0; i < 1_000; i++) await turn();
    expect(answers).toEqual([]);
    expect(await ledger.status([key])).toMatchObject([{ held: 0n }]); // looking needs no lock
    other.exec('COMMIT');
    other.close();
    await Promise.all(asked);
    expect(answers).toEqual(['a true', 'b true', 'c false']);
  });

  test('is given up after lockTimeoutMs; nothing is booked, then or later', async () => {
    const clock = new ManualClock();
    const ledger = await open({ clock, lockTimeoutMs: 500 });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const early = failure(post(ledger, 'early'));
    await clock.advance(300);
    let isLateAnswered = false;
    const late = post(ledger, 'late', 7n).then(() => {
      isLateAnswered = true;
    });
    await clock.advance(300);
    const error = await early;
    expect(error.message).toMatch(/locked by other processes for 500 ms/);
    expect(error.transient).toBe(true);
    expect(isLateAnswered).toBe(false);
    other.exec('COMMIT');
    other.close();
    await late;
    expect(await ledger.status([key])).toMatchObject([{ committed: 7n }]);
  });

  test('also at opening', async () => {
    await (await open()).dispose();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(SqliteLedger.open({ path, lockTimeoutMs: 0 })).rejects.toMatchObject({
      code: 'ledger',
      transient: true,
    });
    other.exec('COMMIT');
    other.close();
  });
});

describe('disposing', () => {
  test('answers what was asked for, then refuses everything', async () => {
    const ledger = await open({ durability: 'full' });
    const asked = [post(ledger, 'x'), reserve(ledger, 'a')];
    await Promise.all([ledger.dispose(), ledger.dispose()]);
    await Promise.all(asked);
    expect((await failure(post(ledger, 'y'))).message).toMatch(/disposed of/);
    expect(() => ledger.status([key])).toThrow(LedgerError);
    await expect(ledger.flush()).rejects.toThrow(LedgerError);
    const again = await open();
    expect(await again.status([key])).toMatchObject([{ committed: 5n, held: 10n }]);
  });
});
