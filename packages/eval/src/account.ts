import type { Attempt } from '@synapsekit/core';
import type { CallReport } from './call-report.ts';
import { type Charge, prevailing, type Reprice } from './charge.ts';
import { type AttemptNote, listCalls } from './list-calls.ts';
import { type MeasuredCost, sumCharges } from './measured-cost.ts';
import type { BoundaryCharge } from './merge-charges.ts';

/** Most accounts never see a call: their books are made when there is something to note. */
const nothing: ReadonlyMap<string, never> = new Map<string, never>();

const none: readonly never[] = Object.freeze([]);

/** The books of a meter: what was started and charged in it, and in the accounts under it. */
export class Account {
  readonly parent: Account | undefined;
  /** How records are priced anew, if they are. */
  readonly reprice: Reprice | undefined;
  /** False once its meter was closed. */
  open = true;
  #charges: Map<string, Charge> | undefined;
  /** Charged right here, not in an account under it. */
  #own: Map<string, Charge> | undefined;
  /** What the HTTP boundary saw, by call. */
  #seen: Map<string, BoundaryCharge> | undefined;
  #ownSeen: Map<string, BoundaryCharge> | undefined;
  /** `undefined`: still running. */
  #attempts: Map<string, Attempt | undefined> | undefined;
  #notes: Map<string, AttemptNote> | undefined;
  readonly #originMs: number = performance.now();
  #running = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(parent: Account | undefined, reprice?: Reprice) {
    this.parent = parent;
    this.reprice = reprice ?? parent?.reprice;
  }

  get cost(): MeasuredCost {
    return sumCharges(this.#charges ?? nothing, this.#attempts ?? nothing, this.#seen ?? nothing);
  }

  get ownCost(): MeasuredCost {
    return sumCharges(this.#own ?? nothing, nothing, this.#ownSeen ?? nothing);
  }

  get attempts(): readonly Attempt[] {
    if (this.#attempts === undefined) return none;
    return [...this.#attempts.values()].filter((attempt) => attempt !== undefined);
  }

  /** Every call once, with its figures. */
  get calls(): readonly CallReport[] {
    return listCalls({
      attempts: this.#attempts ?? nothing,
      notes: this.#notes ?? nothing,
      recorded: this.#charges ?? nothing,
      seen: this.#seen ?? nothing,
      originMs: this.#originMs,
    });
  }

  get attemptIds(): Iterable<string> {
    return this.#attempts?.keys() ?? none;
  }

  /** True when this is `other`, or an account under it. */
  isWithin(other: Account): boolean {
    return this === other || this.parent?.isWithin(other) === true;
  }

  begin(attemptId: string, note: AttemptNote = { startedMs: performance.now() }): void {
    this.#attempts ??= new Map();
    this.#attempts.set(attemptId, undefined);
    this.#notes ??= new Map();
    this.#notes.set(attemptId, note);
    this.#running++;
    this.parent?.begin(attemptId, note);
  }

  /** Notes the code of the error that an attempt ends with. */
  noteError(attemptId: string, errorCode: string | undefined): void {
    const note = this.#notes?.get(attemptId); // the accounts around this one have the same
    if (note !== undefined && errorCode !== undefined) note.errorCode = errorCode;
  }

  end(attempt: Attempt): void {
    this.#attempts ??= new Map();
    if (this.#attempts.get(attempt.attemptId) === undefined) this.#running--;
    this.#attempts.set(attempt.attemptId, attempt);
    this.#settle();
    this.parent?.end(attempt);
  }

  /** A request is out of which it is not known yet what it costs. */
  beginCall(): void {
    this.#running++;
    this.parent?.beginCall();
  }

  endCall(charge: BoundaryCharge | undefined): void {
    if (charge !== undefined) {
      this.#ownSeen ??= new Map();
      this.#ownSeen.set(charge.callId, charge);
    }
    for (let account: Account | undefined = this; account !== undefined; account = account.parent) {
      if (charge !== undefined) {
        account.#seen ??= new Map();
        account.#seen.set(charge.callId, charge);
      }
      account.#running--;
      account.#settle();
    }
  }

  charge(charge: Charge): void {
    this.#own ??= new Map();
    this.#own.set(charge.attemptId, prevailing(this.#own.get(charge.attemptId), charge));
    for (let account: Account | undefined = this; account !== undefined; account = account.parent) {
      account.#charges ??= new Map();
      account.#charges.set(charge.attemptId, prevailing(account.#charges.get(charge.attemptId), charge));
    }
  }

  /** True while an attempt or a request is running. */
  get busy(): boolean {
    return this.#running > 0;
  }

  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  #settle(): void {
    if (this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
