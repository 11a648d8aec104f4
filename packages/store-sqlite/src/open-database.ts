import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError, LedgerError } from '@synapsekit/core';
import { type LockPatience, untilUnlocked } from './lock-wait.ts';
import { applicationId, migrate, schemaVersion } from './schema.ts';
import { isCorrupt, isNotADatabase, isReadOnly, isUnopenable, toLedgerError } from './sqlite-error.ts';

/** Files up to this size are looked through when they are opened. Beyond, damage is found when it is met. */
const checkUpToBytes = 8 * 2 ** 20;

/**
 * Small pages: an operation touches a few rows here and there, and a page is what is written for each.
 */
const pageBytes = 1024;

/** No database is smaller. */
const leastBytes = 512;

const settings = `
  PRAGMA synchronous = NORMAL; -- of commits; what has to survive a loss of power is synced by LedgerFile
  PRAGMA wal_autocheckpoint = 65536; -- the last resort only: see Checkpointer
  PRAGMA cache_size = -16384;
  PRAGMA temp_store = MEMORY;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
`;

/**
 * Opens the file of a ledger, or makes it. What is there is looked at before anything is written.
 *
 * @throws ConfigError when the file is something else, or cannot be written; LedgerError when it is damaged, or locked
 *   for too long.
 */
export async function openDatabase(patience: LockPatience): Promise<DatabaseSync> {
  const { path } = patience;
  await checkPlace(path);
  let db: DatabaseSync | undefined;
  try {
    // The constructor opens the file, and takes no lock.
    const opened = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    db = opened;
    await untilUnlocked(() => inTransaction(opened, 'BEGIN', () => identify(opened, path)), patience);
    await untilUnlocked(() => switchToWal(opened, path), patience);
    opened.exec(settings);
    await untilUnlocked(() => bringUpToDate(opened, path), patience);
    return opened;
  } catch (error) {
    db?.close();
    throw explained(error, path);
  }
}

/** Only asks for the file's name: to open it here would take away the locks that this process holds on it. */
async function checkPlace(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile()) throw refused(path, 'is no file. Name a file');
  // SQLite takes a file of one byte for an empty one.
  if (found !== undefined && found.size > 0 && found.size < leastBytes) throw notADatabase(path);
  if (found !== undefined) return;
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (folder?.isDirectory() !== true) {
    throw refused(path, `cannot be made: there is no folder ${dirname(path)}. Make it first`);
  }
}

/** Reads only, and has to stand in a transaction. */
function identify(db: DatabaseSync, path: string): number {
  const id = Number(pragma(db, 'application_id'));
  const version = Number(pragma(db, 'user_version'));
  if (id === applicationId) {
    if (version > schemaVersion) {
      throw refused(
        path,
        `was written by a newer version of SynapseKit (its schema is ${version}, known here is ${schemaVersion}). Update @synapsekit/store-sqlite`,
      );
    }
    if (version < 1) throw damaged(path, `schema version ${version}`);
    if (Number(pragma(db, 'page_count')) * Number(pragma(db, 'page_size')) <= checkUpToBytes) {
      const [result] = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {});
      if (result !== 'ok') throw damaged(path, String(result));
    }
    return version;
  }
  const { count } = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get() ?? {};
  if (id === 0 && version === 0 && count === 0) return 0;
  throw refused(path, 'is a SQLite database of something else. Nothing was written to it. Name another file');
}

function switchToWal(db: DatabaseSync, path: string): void {
  if (pragma(db, 'journal_mode') === 'wal') return;
  db.exec(`PRAGMA page_size = ${pageBytes}`); // heeded while the file is empty
  const mode = pragma(db, 'journal_mode = WAL');
  if (mode === 'wal') return;
  throw refused(
    path,
    `cannot be written ahead (journal mode ${String(mode)}): it has to lie on a local disk. Name another file`,
  );
}

/** Also shows that the file can be written to. */
function bringUpToDate(db: DatabaseSync, path: string): void {
  inTransaction(db, 'BEGIN IMMEDIATE', () => {
    const version = identify(db, path); // others may have been here since
    if (version < schemaVersion) migrate(db, version);
    db.exec('UPDATE ledger SET time_ms = time_ms');
  });
}

/** All of it at one moment: another process may be making the file. */
function inTransaction(db: DatabaseSync, begin: string, work: () => void): void {
  db.exec(begin);
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function pragma(db: DatabaseSync, name: string): unknown {
  const [value] = Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {});
  return value;
}

function explained(error: unknown, path: string): unknown {
  if (isReadOnly(error) || isUnopenable(error)) {
    return refused(path, 'cannot be opened for writing. Check permissions of the file and its folder', error);
  }
  if (isNotADatabase(error)) return notADatabase(path, error);
  if (isCorrupt(error)) return damaged(path, error instanceof Error ? error.message : String(error), error);
  return error instanceof ConfigError || error instanceof LedgerError ? error : toLedgerError(error, path);
}

function refused(path: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`The ledger ${path} ${why}.`, { option: 'path', cause });
}

function notADatabase(path: string, cause?: unknown): ConfigError {
  return refused(path, 'is no SQLite database. Nothing was written to it. Name another file', cause);
}

function damaged(path: string, what: string, cause?: unknown): LedgerError {
  return new LedgerError(
    `The ledger ${path} is damaged (${what}). Nothing was written to it. Restore it from a copy, or move it away.`,
    { transient: false, cause },
  );
}
