import { Worker } from 'node:worker_threads';
import { applicationId } from './schema.ts';

/** What the thread runs. In one string, since it has to be found however the package is bundled. */
const thread = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(workerData.path);
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 20');
  const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const restart = db.prepare('PRAGMA wal_checkpoint(RESTART)');
  // The first to write into a log that starts over has to wait for the disk. Writes what is there already.
  const write = db.prepare('PRAGMA application_id = ${applicationId}');
  parentPort.on('message', (what) => {
    if (what === 'close') {
      db.close();
      parentPort.close();
      return;
    }
    let isDone = false;
    try {
      isDone = (what === 'restart' ? restart : passive).get().busy === 0;
      if (isDone && what === 'restart') write.run();
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
  readonly #path: string;
  #worker: Worker | undefined;
  #answer: ((isDone: boolean) => void) | undefined;
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
    const worker = new Worker(thread, {
      eval: true,
      workerData: { path: this.#path },
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
