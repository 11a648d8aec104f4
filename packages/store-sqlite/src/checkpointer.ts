import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { LedgerFile } from './ledger-file.ts';
import { applicationId } from './schema.ts';

/**
 * What the thread runs. In one string, since it has to be found however the package is bundled.
 *
 * It opens the file long after the ledger did. In the meantime there may be none, or another one, so it makes none, and
 * neither reads nor writes one before it is sure to have what the ledger has. The ledger keeps its files open, so nothing
 * else gets their numbers.
 */
const thread = `
  const { statSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const { url, files } = workerData;
  let db;

  const areInPlace = () =>
    files.every(({ path, dev, ino }) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found !== undefined && found.dev === dev && found.ino === ino;
    });
  const isLedger = (db) => db.prepare('PRAGMA application_id').get().application_id === ${applicationId};

  function open() {
    const opened = new DatabaseSync(new URL(url));
    try {
      if (areInPlace()) {
        opened.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 20');
        if (isLedger(opened) && areInPlace()) return opened; // once more, since the log was opened only now
      }
    } catch {
      // The next one does it.
    }
    opened.close();
  }

  const isAllMoved = (mode) => db.prepare('PRAGMA wal_checkpoint(' + mode + ')').get().busy === 0;

  // The first to write into a log that starts over has to wait for the disk. Writes what is there already.
  function write() {
    db.exec('BEGIN IMMEDIATE');
    try {
      if (!isLedger(db) || !areInPlace()) return false;
      db.exec('PRAGMA application_id = ${applicationId}; COMMIT');
      return true;
    } finally {
      if (db.isTransaction) db.exec('ROLLBACK');
    }
  }

  function checkpoint(what) {
    if (!areInPlace()) return false;
    db ??= open();
    if (db === undefined) return false;
    return what === 'restart' ? isAllMoved('RESTART') && write() : isAllMoved('PASSIVE');
  }

  parentPort.on('message', (what) => {
    if (what === 'close') {
      db?.close();
      parentPort.close();
      return;
    }
    let isDone = false;
    try {
      isDone = checkpoint(what);
    } catch {
      // The next one does it.
    }
    parentPort.postMessage(isDone);
  });
`;

/**
 * Moves what is in the write-ahead log into the database, in a thread of its own: it has to wait for the disk.
 *
 * The log starts over only when all of it was moved and nobody wrote meanwhile; until then it grows, which makes every
 * sync of it dearer, and every page harder to find in it. So the bulk is moved first, beside the writing, and then what
 * was written since, for which everybody is kept from writing for a moment.
 */
export class Checkpointer {
  readonly #file: Pick<LedgerFile, 'path' | 'files'>;
  #worker: Worker | undefined;
  #answer: ((isDone: boolean) => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(file: Pick<LedgerFile, 'path' | 'files'>) {
    this.#file = file;
  }

  /**
   * Begins, unless it runs already. `holdBack` is called when the writer has to pause, and answers with the function that
   * ends the pause.
   */
  start(holdBack: () => () => void): void {
    this.#running ??= this.#run(holdBack).finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    this.#worker?.ref(); // who waits for the end must not be left by the process before it
    await this.#running;
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage('close');
    await ended;
  }

  async #run(holdBack: () => () => void): Promise<void> {
    if (!(await this.#ask('passive'))) return;
    const goOn = holdBack();
    try {
      await this.#ask('restart');
    } finally {
      goOn();
    }
  }

  /** Whether it could be done: if not, the next one does it. */
  #ask(what: 'passive' | 'restart'): Promise<boolean> {
    return new Promise((resolve) => {
      this.#worker ??= this.#spawn();
      this.#answer = resolve;
      this.#worker.postMessage(what);
    });
  }

  #spawn(): Worker {
    const { path, files } = this.#file;
    const url = pathToFileURL(path);
    url.search = 'mode=rw'; // opens what is there, and makes nothing
    const worker = new Worker(thread, {
      eval: true,
      workerData: { url: url.href, files },
      // The process was warned of node:sqlite when it loaded it.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const gone = (): void => {
      this.#worker = undefined;
      this.#answer?.(false);
    };
    worker.on('message', (isDone: boolean) => this.#answer?.(isDone));
    worker.on('error', gone);
    worker.on('exit', gone);
    worker.unref(); // only now: listening for messages keeps the process alive
    return worker;
  }
}
