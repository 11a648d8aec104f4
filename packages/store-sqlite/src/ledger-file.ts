import { close, closeSync, fdatasync, fstatSync, fsync, open, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { LedgerError } from '@synapsekit/core';
import type { LockPatience } from './lock-wait.ts';
import { openDatabase } from './open-database.ts';

/** How often, in milliseconds, it is looked whether the files are still where they were. */
const lookEveryMs = 20;

/** A file as it was when it was opened: a device and a number on it are one file's as long as somebody has it open. */
export interface OpenedFile {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
}

/**
 * The open file of a ledger: transactions, and making them survive a loss of power.
 *
 * Commits do not sync. Once committed, a transaction stands in the write-ahead log, and syncing that log, off the event
 * loop, makes it durable: SQLite's own `synchronous = FULL` does the same while it holds the lock. One sync covers every
 * transaction before it, of any process.
 */
export class LedgerFile {
  readonly path: string;
  readonly db: DatabaseSync;
  /** The database and its log. */
  readonly files: readonly OpenedFile[];
  readonly #log: number;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  #lookedAtMs = 0;

  private constructor(path: string, db: DatabaseSync) {
    this.path = path;
    this.db = db;
    // SQLite locks the other two files, never the log: opening it here takes no lock away.
    const logPath = `${path}-wal`;
    this.#log = openSync(logPath, 'r+');
    this.files = [openedFile(path, statSync(path)), openedFile(logPath, fstatSync(this.#log))];
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** @throws ConfigError, LedgerError as `openDatabase` does. */
  static async open(patience: LockPatience): Promise<LedgerFile> {
    const { path } = patience;
    const db = await openDatabase(patience);
    try {
      const file = new LedgerFile(path, db);
      await syncFolder(dirname(path));
      await file.sync();
      return file;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Takes the one lock for writing, or throws at once when another process has it. */
  begin(): void {
    this.#begin.run();
  }

  commit(): void {
    this.#commit.run();
  }

  /** Ends a transaction that went wrong. Never throws: the error that counts came before. */
  rollback(): void {
    if (!this.db.isTransaction) return;
    try {
      this.#rollback.run();
    } catch {
      // SQLite rolls back what is open when the file is closed, or opened next.
    }
  }

  /** Resolves when everything that is committed by now survives a loss of power. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#log, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /**
   * A file that was deleted or replaced while it was open can still be written to, and nobody would ever read it.
   *
   * @throws LedgerError when that happened.
   */
  checkInPlace(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    if (this.files.every(isInPlace)) return;
    throw new LedgerError(
      `The ledger ${this.path} was deleted or replaced while it was open. What it counted since may be lost. Open it anew.`,
      { transient: false },
    );
  }

  close(): void {
    closeSync(this.#log);
    this.db.close();
  }
}

function openedFile(path: string, { dev, ino }: Stats): OpenedFile {
  return { path, dev, ino };
}

function isInPlace({ path, dev, ino }: OpenedFile): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.dev === dev && found.ino === ino;
}

/** A new file survives a loss of power once its folder says that it is there. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there, and need not be
  const handle = await promisify(open)(folder, 'r');
  try {
    await promisify(fsync)(handle);
  } finally {
    await promisify(close)(handle);
  }
}
