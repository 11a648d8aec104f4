import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { ConfigError, LedgerError } from '@synapsekit/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate, schemaVersion } from './schema.ts';
import { SqliteLedger } from './sqlite-ledger.ts';

const key = { key: 'daily', window: { id: '2026-11-23@UTC' } };
let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  path = join(folder, 'budget.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A file with something booked in it, all in one piece. */
async function fill(count = 1): Promise<void> {
  const ledger = await SqliteLedger.open({ path, durability: 'normal' });
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      ledger.post({ attemptId: `x${i}`, lines: [{ ...key, amount: 5n }], kind: 'actual' }),
    ),
  );
  await ledger.dispose();
}

async function expectRefusal(kind: typeof ConfigError | typeof LedgerError, message: RegExp): Promise<void> {
  const before = readFileSync(path);
  const error = await SqliteLedger.open({ path }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).toContain(path);
  if (error instanceof LedgerError) expect(error.transient).toBe(false);
  expect(readFileSync(path).equals(before)).toBe(true);
}

describe('opening', () => {
  test.each([
    [{}, 'path'],
    [{ path: '' }, 'path'],
    [{ path: ':memory:' }, 'MemoryLedger'],
    [{ path: 'a\0b' }, 'path'],
    [{ path: new URL('https://example.com/budget.db') }, 'path'],
    [{ path: 'x', durability: 'some' }, 'durability'],
    [{ path: 'x', rememberMs: 0 }, 'rememberMs'],
    [{ path: 'x', graceMs: Number.NaN }, 'graceMs'],
    [{ path: 'x', lockTimeoutMs: -1 }, 'lockTimeoutMs'],
    [{ path: 'x', ttl: 5 }, 'ttl'],
  ])('refuses %o', async (options, message) => {
    const opening = SqliteLedger.open(options as never);
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.toThrow(message);
  });

  test('keeps what was booked, also under a URL and any file name', async () => {
    path = join(folder, 'büdget?mode=memory #1.db');
    await fill();
    const ledger = await SqliteLedger.open({ path: pathToFileURL(path) });
    expect(await ledger.status([key])).toMatchObject([{ committed: 5n }]);
    await ledger.dispose();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('an empty file becomes a ledger', async () => {
    writeFileSync(path, '');
    await fill();
    expect(readFileSync(path).subarray(0, 15).toString()).toBe('SQLite format 3');
  });

  test('a folder that is not there, and a folder instead of a file', async () => {
    const missing = join(folder, 'no', 'budget.db');
    await expect(SqliteLedger.open({ path: missing })).rejects.toThrow(ConfigError);
    expect(existsSync(join(folder, 'no'))).toBe(false);
    mkdirSync(path);
    await expect(SqliteLedger.open({ path })).rejects.toThrow(/no file/);
  });

  test.each(['x', 'not a database', 'y'.repeat(5_000), 'SQLite format 3\0 or so'])(
    'a file that is no database is left as it is (%#)',
    async (text) => {
      writeFileSync(path, text);
      await expectRefusal(ConfigError, /no SQLite database/);
    },
  );

  test.each([
    ['CREATE TABLE theirs (x)', 'with a table'],
    ['PRAGMA application_id = 7', 'with another application id'],
    ['PRAGMA user_version = 3', 'with a version'],
  ])('a database of something else is left as it is (%s)', async (sql) => {
    const theirs = new DatabaseSync(path);
    theirs.exec(sql);
    theirs.close();
    await expectRefusal(ConfigError, /something else/);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('a file of a newer version is left as it is', async () => {
    await fill();
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA user_version = ${schemaVersion + 1}`);
    newer.close();
    await expectRefusal(ConfigError, /newer version/);
  });

  test('a damaged file is left as it is', async () => {
    await fill(500);
    const whole = readFileSync(path);
    const holes = Buffer.from(whole);
    holes.fill(0xa5, 4 * 1024, whole.length - 1024);
    writeFileSync(path, holes);
    await expectRefusal(LedgerError, /damaged/);
    writeFileSync(path, whole);
    truncateSync(path, Math.floor(whole.length / 2048) * 1024);
    await expectRefusal(LedgerError, /damaged/);
    writeFileSync(path, whole);
    await fill(0);
  });

  test('a file of ours in which a table is missing is left as it is', async () => {
    await fill();
    const theirs = new DatabaseSync(path);
    theirs.exec('DROP TABLE booking');
    theirs.close();
    await expect(SqliteLedger.open({ path })).rejects.toBeInstanceOf(LedgerError);
  });

  test.skipIf(process.platform === 'win32')('a file that cannot be written to is left as it is', async () => {
    await fill();
    const { chmodSync } = await import('node:fs');
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    // An administrator may write to everything, so this is done as nobody.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      await expectRefusal(ConfigError, /cannot be opened for writing/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(folder, 0o755);
    }
  });

  test('an older schema is brought up to date, step by step, once', () => {
    const db = new DatabaseSync(path);
    const steps = ['CREATE TABLE first (x)', 'ALTER TABLE first ADD COLUMN y', 'CREATE TABLE third (z)'];
    migrate(db, 0, steps.slice(0, 1));
    migrate(db, 1, steps);
    expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 3 });
    expect(db.prepare('SELECT count(y) AS y FROM first').get()).toMatchObject({ y: 0 });
    expect(db.prepare('SELECT name FROM sqlite_schema').all()).toHaveLength(2);
    db.close();
  });
});
