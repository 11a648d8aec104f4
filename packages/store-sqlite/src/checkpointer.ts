import { Worker } from 'node:worker_threads';

/** How many pages the log may have before everybody is made to wait for it to be emptied: 64 MB. */
const mostPages = 65_536;

/** What the thread runs. In one string, since it has to be found however the package is bundled. */
const thread = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(workerData.path);
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 20');
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const restart = db.prepare('PRAGMA wal_checkpoint(RESTART)');
  parentPort.on('message', (what) => {
    if (what === 'close') {
      db.close();
      parentPort.close();
      return;
    }
    let left;
    try {
      const { busy, log, checkpointed } = (what === 'restart' ? restart : passive).get();
      left = busy === 1 ? -1 : log - checkpointed;
    } catch {
      left = -1;
    }
    parentPort.postMessage(left);
  });
`;

/**
 * Moves what is in the write-ahead log into the database, in a thread of its own: it has to wait for the disk.
 *
 * The log starts over when all of it was moved and nobody wrote meanwhile. So the bulk is moved first, beside the
 * writing, and then the rest, for which this process holds back for a moment.
 */
export class Checkpointer {
  readonly #path: string;
  #worker: Worker | undefined;
  #answer: ((left: number) => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
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
    const left = await this.#ask('passive');
    if (left === 0 || left < 0) return;
    const goOn = holdBack();
    try {
      await this.#ask(left > mostPages ? 'restart' : 'passive');
    } finally {
      goOn();
    }
  }

  /** How many pages are left, or a negative number when it could not be done: then the next one does it. */
  #ask(what: 'passive' | 'restart'): Promise<number> {
    return new Promise((resolve) => {
      this.#worker ??= this.#spawn();
      this.#answer = resolve;
      this.#worker.postMessage(what);
    });
  }

  #spawn(): Worker {
    const worker = new Worker(thread, {
      eval: true,
      workerData: { path: this.#path },
      // The process was warned of node:sqlite when it loaded it.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const gone = (): void => {
      this.#worker = undefined;
      this.#answer?.(-1);
    };
    worker.on('message', (left: number) => this.#answer?.(left));
    worker.on('error', gone);
    worker.on('exit', gone);
    worker.unref(); // only now: listening for messages keeps the process alive
    return worker;
  }
}
