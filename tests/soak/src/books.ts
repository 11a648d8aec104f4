import { type Attempt, type BudgetMessage, type CostRecord, parseUsd } from '@synapsekit/core';
import type { SimulatedRequest } from '@synapsekit/testing';
import type { Violations } from './violations.ts';

/** One attempt, as everybody who keeps books has seen it. */
interface Entry {
  attempt?: Attempt;
  user?: string;
  record?: CostRecord;
  guardPico?: bigint;
  request?: SimulatedRequest;
}

/** Sums of all attempts that were compared. */
export interface BookTotals {
  billedPico: bigint;
  trackerPico: bigint;
  guardPico: bigint;
  /** Billed for what was on the line when a caller left or a connection broke: nobody here has seen it. */
  unseenPico: bigint;
  /** Booked by the guard beyond the bill, for answers that may or may not have been made. */
  cautionPico: bigint;
  attempts: number;
}

/**
 * Compares, attempt by attempt, what the client says, what the tracker records, what the guard books and what the
 * provider bills.
 *
 * - Served: all three amounts are the same. Refused or never sent: all are nothing.
 * - Cut short: tracker and guard book the input and what was received; the provider bills the input and what it sent,
 *   which is the same or more. Where it was about to send an error in place of the first word, and the caller left
 *   without waiting for it, it bills nothing, and nobody here can know.
 * - Unanswered: whether an answer was made no client can know. The tracker books the input, the guard all that was held,
 *   which is never less than the bill.
 */
export class Books {
  readonly totals: BookTotals = {
    billedPico: 0n,
    trackerPico: 0n,
    guardPico: 0n,
    unseenPico: 0n,
    cautionPico: 0n,
    attempts: 0,
  };
  /** What tracker and guard have booked for each user. */
  readonly byUser: Map<string, { trackerPico: bigint; guardPico: bigint }> = new Map();
  readonly outcomes: Map<string, number> = new Map();
  readonly #violations: Violations;
  readonly #entries: Map<string, Entry> = new Map();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /** The client says that an attempt has ended. */
  attempt(attempt: Attempt, user: string): void {
    const entry = this.#entry(attempt.attemptId);
    this.#violations.expect(entry.attempt === undefined, 'an attempt was reported twice', attempt.outcome);
    entry.attempt = attempt;
    entry.user = user;
  }

  /** The tracker has recorded an attempt. */
  record(record: CostRecord): void {
    const entry = this.#entry(record.attemptId);
    this.#violations.expect(entry.record === undefined, 'the tracker recorded an attempt twice');
    entry.record = record;
  }

  /** The guard has booked an attempt. An estimate may be booked again: the larger one counts. */
  booking({ attemptId, amountUsd = '0' }: BudgetMessage): void {
    const entry = this.#entry(attemptId ?? '');
    const pico = parseUsd(amountUsd);
    if (pico > (entry.guardPico ?? -1n)) entry.guardPico = pico;
  }

  /** The provider is done with a request. */
  request(request: SimulatedRequest): void {
    const entry = this.#entry(request.attemptId ?? '');
    this.#violations.expect(entry.request === undefined, 'an attempt was sent twice');
    entry.request = request;
  }

  /** Compares everything that came since the last time. Call it when nothing is on its way. */
  settle(): void {
    for (const entry of this.#entries.values()) this.#compare(entry);
    this.#entries.clear();
  }

  #entry(attemptId: string): Entry {
    const entry = this.#entries.get(attemptId) ?? {};
    this.#entries.set(attemptId, entry);
    return entry;
  }

  #compare(entry: Entry): void {
    const { attempt, record, request, user = 'nobody' } = entry;
    const tracker = record === undefined ? 0n : parseUsd(record.costUsdExact);
    const guard = entry.guardPico ?? 0n;
    const billed = request?.billed?.amountPico ?? 0n;
    const what = attempt?.outcome ?? 'unreported';
    const example = `${attempt?.id ?? request?.model ?? '?'}, ${request?.fault ?? 'no fault'}, request ${request?.outcome ?? 'unseen'}: billed ${billed}, tracker ${tracker}, guard ${guard}`;
    const expect = (ok: boolean, kind: string): void =>
      this.#violations.expect(ok, `${what}: ${kind}`, example);
    switch (attempt?.outcome) {
      case 'served':
        expect(tracker === billed, 'the tracker did not record what was billed');
        expect(guard === billed, 'the guard did not book what was billed');
        break;
      case 'refused':
      case 'unsent':
        expect(billed === 0n, 'it was billed');
        expect(tracker === 0n && guard === 0n, 'it was booked');
        break;
      case 'partial':
        expect(tracker > 0n && tracker === guard, 'tracker and guard booked different amounts');
        if (request?.billed === undefined) {
          expect(record?.usage.outputTokens === 0, 'output was booked, and nothing billed');
        } else {
          expect(tracker <= billed, 'more was booked than billed');
          expect(
            record?.usage.inputTokens === request.billed.inputTokens,
            'the input was not booked in full',
          );
        }
        break;
      case 'unanswered':
        expect(tracker > 0n, 'nothing was recorded');
        expect(guard >= billed, 'the guard booked less than was billed');
        expect(guard >= tracker, 'the guard booked less than the tracker recorded');
        expect(billed === 0n || tracker <= billed, 'more was recorded than billed');
        break;
      default:
        expect(false, 'nobody was told of this attempt');
    }
    this.#add({ billed, tracker, guard }, user);
    this.outcomes.set(what, (this.outcomes.get(what) ?? 0) + 1);
  }

  #add(
    pico: { readonly billed: bigint; readonly tracker: bigint; readonly guard: bigint },
    user: string,
  ): void {
    const { billed, tracker, guard } = pico;
    const { totals } = this;
    totals.attempts += 1;
    totals.billedPico += billed;
    totals.trackerPico += tracker;
    totals.guardPico += guard;
    if (guard < billed) totals.unseenPico += billed - guard;
    else totals.cautionPico += guard - billed;
    const own = this.byUser.get(user) ?? { trackerPico: 0n, guardPico: 0n };
    own.trackerPico += tracker;
    own.guardPico += guard;
    this.byUser.set(user, own);
  }
}
