import {
  type CrossedMark,
  type InspectableLedger,
  type LedgerCounter,
  LedgerError,
  type LedgerHold,
  type LedgerKey,
  type LedgerQuery,
  type LedgerStatus,
  type PicoUsd,
  type PostRequest,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';
import { checkKey, checkLines, checkReserve, conflict } from './check-request.ts';
import { again, GroupWriter } from './group-writer.ts';
import { Inspection } from './inspection.ts';
import { LedgerFile } from './ledger-file.ts';
import { LedgerTime } from './ledger-time.ts';
import { untilUnlocked } from './lock-wait.ts';
import { admitted, close, isRepeated, post, renew, reserve, reset } from './operations.ts';
import { Records } from './records.ts';
import { isLocked, toLedgerError } from './sqlite-error.ts';
import { type CheckedOptions, checkOptions, type SqliteLedgerOptions } from './sqlite-ledger-options.ts';
import { prepareStatements } from './statements.ts';
import { Tidier } from './tidy.ts';

/**
 * The ledger of one machine: a SQLite file that survives the process and is shared by all processes that open it. Exact
 * (pico-dollars, without an upper bound), and durable as configured once an operation has been answered.
 *
 * Operations that come together share a transaction. Other processes are waited for without blocking the event loop.
 * Leases that ended are swept by the next operation, and by nothing else: no timer runs.
 */
export class SqliteLedger implements InspectableLedger {
  readonly unitPico: PicoUsd = 1n;
  readonly #options: CheckedOptions;
  readonly #file: LedgerFile;
  readonly #time: LedgerTime;
  readonly #writer: GroupWriter;
  readonly #inspection: Inspection;
  #disposed: Promise<void> | undefined;

  private constructor(options: CheckedOptions, file: LedgerFile) {
    const { clock, rememberMs, graceMs } = options;
    const sql = prepareStatements(file.db);
    this.#options = options;
    this.#file = file;
    this.#time = new LedgerTime(clock);
    const records = new Records(sql, this.#time);
    const tidier = new Tidier(sql, this.#time, rememberMs, graceMs);
    this.#writer = new GroupWriter(file, records, tidier, options);
    this.#inspection = new Inspection(sql);
  }

  /**
   * Opens the ledger in a file, or makes it.
   *
   * @throws ConfigError for an unknown option or a value out of range; when the folder is not there; when the file cannot
   *   be written, is something else, or was written by a newer version: it is left as it is.
   * @throws LedgerError when the file is damaged, or locked by others for longer than `lockTimeoutMs` (transient).
   */
  static async open(options: SqliteLedgerOptions): Promise<SqliteLedger> {
    const checked = checkOptions(options);
    const file = await LedgerFile.open(checked);
    try {
      const ledger = new SqliteLedger(checked, file);
      await ledger.#writer.write(() => undefined); // brings the time of the file along
      return ledger;
    } catch (error) {
      file.close();
      throw toLedgerError(error, checked.path);
    }
  }

  async reserve(request: ReserveRequest): Promise<ReserveResult> {
    checkReserve(request);
    return this.#writer.write(
      (records, hasMoreDue) => {
        const result = reserve(records, request);
        // What is over and not swept yet may be what is in the way.
        return !result.admitted && hasMoreDue ? again : result;
      },
      (records) => (isRepeated(records, request) ? admitted : undefined),
    );
  }

  async post(request: PostRequest): Promise<readonly CrossedMark[]> {
    checkLines(request.lines);
    return this.#writer.write((records) => post(records, request));
  }

  async close(holdId: string): Promise<void> {
    await this.#writer.write((records) => close(records, holdId));
  }

  async renew(holdId: string, leaseMs: number): Promise<boolean> {
    if (!(leaseMs > 0)) throw conflict(`leaseMs must be > 0, got ${leaseMs}`);
    return this.#writer.write((records) => renew(records, holdId, leaseMs));
  }

  /** Answers at once, unless holds that are over have to be swept first. */
  status(keys: readonly LedgerKey[]): readonly LedgerStatus[] | Promise<readonly LedgerStatus[]> {
    return this.#look((nowMs) => this.#inspection.status(keys, nowMs));
  }

  async counters(query: LedgerQuery = {}): Promise<readonly LedgerCounter[]> {
    return this.#look((nowMs) => this.#inspection.counters(query, nowMs));
  }

  async holds(query: LedgerQuery = {}): Promise<readonly LedgerHold[]> {
    return this.#look((nowMs) => this.#inspection.holds(query, nowMs));
  }

  async reset(key: LedgerKey): Promise<void> {
    checkKey(key);
    await this.#writer.write((records) => reset(records, key));
  }

  /** Resolves when everything that was asked for is answered: it is as durable then as `durability` says. */
  async flush(): Promise<void> {
    await this.#writer.idle();
    if (this.#writer.broken !== undefined) throw this.#writer.broken;
  }

  /** Answers what was asked for, and closes the file. Afterwards everything is refused. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#close();
    return this.#disposed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #close(): Promise<void> {
    const { path } = this.#file;
    const disposed = `The ledger ${path} was disposed of. Open it anew.`;
    await this.#writer.close(new LedgerError(disposed, { transient: false }));
    this.#file.close();
  }

  #look<T>(look: (nowMs: number) => T): T | Promise<T> {
    const read = (): T | typeof again => {
      const nowMs = this.#time.now();
      return this.#read(() => (this.#inspection.hasDue(nowMs) ? again : look(nowMs)));
    };
    if (this.#writer.broken !== undefined) throw this.#writer.broken;
    try {
      const seen = read();
      if (seen !== again) return seen;
    } catch (error) {
      if (!isLocked(error)) throw toLedgerError(error, this.#file.path);
    }
    return this.#lookLater(read);
  }

  async #lookLater<T>(read: () => T | typeof again): Promise<T> {
    for (;;) {
      await this.#writer.write((_, hasMoreDue) => (hasMoreDue ? again : undefined));
      if (this.#writer.broken !== undefined) throw this.#writer.broken;
      const seen = await untilUnlocked(read, this.#options);
      if (seen !== again) return seen;
    }
  }

  /** In one transaction, so that all figures are of one moment. */
  #read<T>(read: () => T): T {
    const { db } = this.#file;
    db.exec('BEGIN');
    try {
      return read();
    } finally {
      db.exec('COMMIT');
    }
  }
}
