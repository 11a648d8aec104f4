import { LedgerError } from '@synapsekit/core';
import { Checkpointer } from './checkpointer.ts';
import type { LedgerFile } from './ledger-file.ts';
import { LockTurns } from './lock-turns.ts';
import { lockedTooLong, retryDelayMs, sleepForLock } from './lock-wait.ts';
import { sweep } from './operations.ts';
import type { Records } from './records.ts';
import { isLocked, toLedgerError } from './sqlite-error.ts';
import type { CheckedOptions } from './sqlite-ledger-options.ts';
import type { Tidier } from './tidy.ts';

/** An operation says this when it has to wait for holds to be swept that are over. */
export const again: unique symbol = Symbol('again');

/** What is done within a transaction. */
type Work<T> = (records: Records, hasMoreDue: boolean) => T | typeof again;

/** The answer where what is known from before says that nothing has to be done: undefined where it does not. */
type Peek<T> = (records: Records) => T | undefined;

interface Operation {
  readonly work: Work<unknown>;
  readonly peek: Peek<unknown> | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly giveUpAtMs: number;
}

/** What came of an operation; told to its caller once the transaction is as durable as it has to be. */
type Outcome = () => void;

/** A transaction takes up as many operations as go in about so many milliseconds: then everything else has its turn. */
const groupMs = 2;
const smallestGroup = 16;
/** A transaction with fewer operations tells little about what one takes. */
const fewOperations = 4;
const largestGroup = 512;
const sweepAtOnce = 64;
/** After so many operations that wrote, the log is emptied. */
const checkpointEvery = 4_000;
/** So long, in milliseconds, writing may be held back for a checkpoint. */
const longestHoldBackMs = 200;

/**
 * Carries out operations in order, in as few transactions as possible: all that are waiting share one. Each of them
 * stands or fails by itself; when the transaction fails, all of them have not happened.
 *
 * Nothing here waits on a lock. Where another process has it, everybody goes on waiting in the queue, and it is asked for
 * again a little later.
 */
export class GroupWriter {
  readonly #file: LedgerFile;
  readonly #records: Records;
  readonly #tidier: Tidier;
  readonly #options: CheckedOptions;
  readonly #checkpointer: Checkpointer;
  readonly #turns: LockTurns;
  #queue: Operation[] = [];
  /** A run is due, or waits for the lock. */
  #isScheduled = false;
  #attempts = 0;
  #operationMs = groupMs / 64;
  #pauseEndsAtMs = 0;
  #heldBack: (() => void) | undefined;
  #writtenSinceCheckpoint = 0;
  /** Since the last transaction the checkpointer has written, which looks as if another process had. */
  #hasCheckpointed = false;
  /** Counts what was seen committed, and how far that was synced. */
  #seen = 0;
  #synced = 0;
  #unsynced: Outcome[] = [];
  #failUnsynced: ((error: unknown) => void)[] = [];
  #isSyncing = false;
  /** Why nothing goes any more. */
  #broken: LedgerError | undefined;
  /** Why nothing new is taken up any more. */
  #closing: LedgerError | undefined;
  #idle: (() => void)[] = [];

  constructor(file: LedgerFile, records: Records, tidier: Tidier, options: CheckedOptions) {
    this.#file = file;
    this.#records = records;
    this.#tidier = tidier;
    this.#options = options;
    this.#checkpointer = new Checkpointer(file);
    this.#turns = new LockTurns(options.random);
  }

  /** Carries out an operation in one of the next transactions. */
  write<T>(work: Work<T>, peek?: Peek<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const refusal = this.#broken ?? this.#closing;
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const { clock, lockTimeoutMs } = this.#options;
      const giveUpAtMs = clock.monotonic() + lockTimeoutMs;
      this.#queue.push({ work, peek, resolve: resolve as (value: unknown) => void, reject, giveUpAtMs });
      this.#schedule();
    });
  }

  /** Resolves when everything that was asked for has been answered. */
  async idle(): Promise<void> {
    if (this.#queue.length === 0 && !this.#isScheduled && !this.#isSyncing) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  get broken(): LedgerError | undefined {
    return this.#broken;
  }

  /** From here on everything is refused with this error. */
  break(error: LedgerError): void {
    this.#broken ??= error;
    this.#refuseAll(this.#broken);
  }

  /** Takes up nothing new, answers what was asked for, and ends. */
  async close(error: LedgerError): Promise<void> {
    this.#closing ??= error;
    await this.idle();
    this.break(error);
    await this.#checkpointer.close();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#queue.length === 0) return;
    this.#isScheduled = true;
    const restMs = this.#pauseEndsAtMs === 0 ? 0 : this.#pauseEndsAtMs - performance.now();
    if (restMs > 0.5) this.#runIn(restMs);
    else setImmediate(this.#run);
  }

  #runIn(ms: number): void {
    sleepForLock(ms).then(this.#run, this.#run);
  }

  readonly #run = (): void => {
    if (this.#heldBack !== undefined) {
      this.#heldBack = this.#run;
      return;
    }
    this.#isScheduled = false;
    if (this.#queue.length === 0) {
      this.#settle();
      return;
    }
    const startMs = performance.now();
    try {
      this.#file.checkInPlace();
      if (this.#answerKnown()) {
        this.#settle();
        return;
      }
      this.#file.begin();
    } catch (error) {
      if (isLocked(error)) this.#waitForLock(error);
      else this.#fail(error, []);
      this.#settle();
      return;
    }
    this.#attempts = 0;
    this.#transact(startMs);
    this.#schedule();
    this.#settle();
  };

  /** Answers without a transaction what only repeats what was done, as long as nobody else has written. */
  #answerKnown(): boolean {
    const answers: unknown[] = [];
    for (const { peek } of this.#queue) {
      const answer = peek?.(this.#records);
      if (answer === undefined) return false;
      answers.push(answer);
    }
    if (!this.#records.isCurrent()) return false;
    const taken = this.#queue.splice(0);
    this.#acknowledge(
      taken.map(
        ({ resolve }, index) =>
          () =>
            resolve(answers[index]),
      ),
      taken,
    );
    return true;
  }

  #waitForLock(error: unknown): void {
    const { clock, random, lockTimeoutMs } = this.#options;
    this.#turns.metOthers();
    const nowMs = clock.monotonic();
    const late = this.#queue.filter(({ giveUpAtMs }) => giveUpAtMs <= nowMs);
    if (late.length > 0) {
      this.#queue = this.#queue.filter(({ giveUpAtMs }) => giveUpAtMs > nowMs);
      const tooLong = lockedTooLong(this.#file.path, lockTimeoutMs, error);
      for (const { reject } of late) reject(tooLong);
    }
    if (this.#queue.length === 0) return;
    this.#isScheduled = true;
    this.#runIn(retryDelayMs(this.#attempts++, random));
  }

  #transact(startMs: number): void {
    const records = this.#records;
    const taken: Operation[] = [];
    const outcomes: Outcome[] = [];
    const later: Operation[] = [];
    let hasWritten = false;
    try {
      const others = records.begin();
      if (others) {
        if (!this.#hasCheckpointed) this.#turns.metOthers();
        this.#seen += 1;
      }
      this.#hasCheckpointed = false;
      this.#tidier.run(records, this.#queue.length);
      const hasMoreDue = sweep(records, sweepAtOnce);
      const size = Math.max(smallestGroup, Math.min(largestGroup, groupMs / this.#operationMs));
      for (const operation of this.#queue) {
        if (taken.length >= size) break;
        taken.push(operation);
        this.#carryOut(operation, hasMoreDue, outcomes, later);
      }
      hasWritten = records.save();
      this.#file.commit();
      records.committed();
    } catch (error) {
      this.#fail(error, taken);
      return;
    }
    this.#queue.splice(0, taken.length, ...later);
    if (hasWritten) {
      this.#seen += 1;
      this.#writtenSinceCheckpoint += taken.length;
      if (this.#writtenSinceCheckpoint >= checkpointEvery) this.#startCheckpoint();
    }
    const endMs = performance.now();
    const tookMs = endMs - startMs;
    // What an operation takes changes with the machine, the file and the requests. Where few share a transaction, most of
    // it is the transaction itself.
    if (taken.length >= fewOperations) this.#operationMs += (tookMs / taken.length - this.#operationMs) / 8;
    const restMs = this.#turns.restAfter(taken.length, startMs, endMs);
    this.#pauseEndsAtMs = restMs === 0 ? 0 : endMs + restMs;
    this.#acknowledge(outcomes, taken);
  }

  #carryOut(operation: Operation, hasMoreDue: boolean, outcomes: Outcome[], later: Operation[]): void {
    const { work, resolve, reject } = operation;
    try {
      const value = work(this.#records, hasMoreDue);
      if (value === again) later.push(operation);
      else outcomes.push(() => resolve(value));
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      outcomes.push(() => reject(error)); // it has changed nothing, so the others can stand
    }
  }

  /** The transaction, or getting one, failed: none of its operations has happened. */
  #fail(error: unknown, taken: readonly Operation[]): void {
    this.#file.rollback();
    this.#records.drop();
    const failure = toLedgerError(error, this.#file.path);
    if (!failure.transient) {
      this.break(failure);
      return;
    }
    const failed = taken.length > 0 ? this.#queue.splice(0, taken.length) : this.#queue.splice(0);
    for (const { reject } of failed) reject(failure);
  }

  #refuseAll(error: LedgerError): void {
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }

  #acknowledge(outcomes: readonly Outcome[], taken: readonly Operation[]): void {
    if (this.#options.durability === 'normal' || this.#seen === this.#synced) {
      for (const tell of outcomes) tell();
      return;
    }
    this.#unsynced.push(...outcomes);
    this.#failUnsynced.push(...taken.map(({ reject }) => reject));
    if (!this.#isSyncing) void this.#sync();
  }

  /** One sync at a time; whatever was committed meanwhile shares the next one. */
  async #sync(): Promise<void> {
    this.#isSyncing = true;
    while (this.#unsynced.length > 0) {
      const outcomes = this.#unsynced;
      const fail = this.#failUnsynced;
      const seen = this.#seen;
      this.#unsynced = [];
      this.#failUnsynced = [];
      try {
        await this.#file.sync();
        this.#synced = seen;
        for (const tell of outcomes) tell();
      } catch (error) {
        this.#breakUnsynced(error, [...fail, ...this.#failUnsynced.splice(0)]);
      }
    }
    this.#isSyncing = false;
    this.#settle();
  }

  /** After a failed sync nobody knows what is on the disk, and a second one would say that all is well. */
  #breakUnsynced(error: unknown, fail: readonly ((error: unknown) => void)[]): void {
    this.#unsynced = [];
    const because = error instanceof Error ? error.message : String(error);
    const broken = new LedgerError(
      `The ledger ${this.#file.path} could not be written to its disk (${because}). What was booked last may be lost. Check the disk, then open it anew.`,
      { transient: false, cause: error },
    );
    for (const reject of fail) reject(broken);
    this.break(broken);
  }

  #startCheckpoint(): void {
    this.#writtenSinceCheckpoint = 0;
    this.#checkpointer.start(() => {
      this.#heldBack ??= () => {};
      const goOn = (): void => {
        clearTimeout(timer);
        this.#hasCheckpointed = true;
        const run = this.#heldBack;
        this.#heldBack = undefined;
        run?.();
      };
      const timer = setTimeout(goOn, longestHoldBackMs);
      return goOn;
    });
  }

  #settle(): void {
    if (this.#queue.length > 0 || this.#isScheduled || this.#isSyncing) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
