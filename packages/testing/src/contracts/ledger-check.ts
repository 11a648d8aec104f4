import assert from 'node:assert/strict';
import {
  type CrossedMark,
  type InspectableLedger,
  isSynapseError,
  type LedgerKey,
  type LedgerStore,
  type PostRequest,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';

/** One empty place where ledgers keep their figures. */
export interface LedgerBackend {
  /** Opens a ledger on it, as another process would: all of them share the figures. */
  open(): InspectableLedger | Promise<InspectableLedger>;
  /**
   * Lets so many milliseconds pass for leases and rolling windows, by moving the clock that the ledgers go by. The
   * checks move it by up to half an hour at once, so it cannot be done by waiting.
   */
  advance(ms: number): void | Promise<void>;
  /**
   * The time that rolling windows go by, in milliseconds. Needed where it passes by itself, so that the checks can stay
   * away from the edges of a window's parts. @default a multiple of an hour, at the beginning
   */
  nowMs?(): number | Promise<number>;
  /**
   * Steps the wall clock that the ledgers see by so many milliseconds, back (below 0) or ahead, while no time passes:
   * as an operator does. @default the ledgers see no wall clock that could step
   */
  stepWall?(ms: number): void | Promise<void>;
  /** The ledgers answer in real time, over a network: what moves a clock by hand waits for them now and then. */
  readonly isRemote?: boolean;
  /** Takes the place away. */
  dispose?(): void | Promise<void>;
}

/** Makes an empty place. Called for each check, often more than once. */
export type CreateLedgerBackend = () => LedgerBackend | Promise<LedgerBackend>;

/** One rule that every ledger keeps. */
export interface LedgerCheck {
  /** A sentence about behaviour. */
  readonly name: string;
  /** Rejects when the rule is broken. */
  run(create: CreateLedgerBackend): Promise<void>;
}

/** The largest amount and limit, in units. */
export const most: bigint = 2n ** 62n;

/** A key in a window, for the checks: `"daily"` is the key `"daily"` in the window `"2026-11-23@UTC"`. */
export function keyOf(key: string, windowId = '2026-11-23@UTC'): LedgerKey {
  return { key, window: { id: windowId, endsAtMs: 4_102_444_800_000 } };
}

/** A key in a window of the last minute, in parts of ten seconds. */
export function recentOf(key: string, lengthMs = 60_000, slots = 6): LedgerKey {
  return { key, window: { id: `rolling-${lengthMs}ms-${slots}`, lengthMs, slots } };
}

/**
 * Moves the time to `offsetMs` after a multiple of `periodMs`: to a place that is well within a part of a window, so
 * that the time which passes by itself changes nothing.
 */
export async function alignTime(
  backend: LedgerBackend,
  periodMs: number,
  offsetMs: number = periodMs / 2,
): Promise<void> {
  const nowMs = (await backend.nowMs?.()) ?? 0;
  await backend.advance(periodMs + offsetMs - (nowMs % periodMs));
}

/** Long enough that no lease ends by itself while a check runs. */
const noEndMs = 3_600_000;

/** Ledgers on one backend, with short ways to say what the checks want to say. */
export class LedgerWorld {
  readonly backend: LedgerBackend;
  readonly ledger: InspectableLedger;
  /** A second ledger on the same backend. */
  readonly other: InspectableLedger;

  constructor(backend: LedgerBackend, ledger: InspectableLedger, other: InspectableLedger) {
    this.backend = backend;
    this.ledger = ledger;
    this.other = other;
  }

  /** Asks for a hold of `amount` units against `limit` on one key, or on the lines given. */
  async reserve(
    holdId: string,
    amount: bigint | readonly ReserveLine[],
    options: Partial<ReserveRequest> & {
      readonly limit?: bigint;
      readonly key?: string | LedgerKey;
      readonly ledger?: LedgerStore;
    } = {},
  ): Promise<ReserveResult> {
    const {
      limit = 1_000n,
      key = 'daily',
      ledger = this.ledger,
      leaseMs = noEndMs,
      onExpiry = 'release',
    } = options;
    const lines = typeof amount === 'bigint' ? [{ ...asKey(key), limit, amount }] : amount;
    return ledger.reserve({ holdId, lines, leaseMs, onExpiry });
  }

  /** The same, and it has to be admitted. */
  async hold(...request: Parameters<LedgerWorld['reserve']>): Promise<void> {
    const result = await this.reserve(...request);
    assert.ok(result.admitted, `Hold ${request[0]} was to be admitted.`);
  }

  /** Books `amount` units for an attempt on one key. Answers with the marks that were crossed. */
  async post(
    attemptId: string,
    amount: bigint,
    options: Partial<PostRequest> & {
      readonly key?: string | LedgerKey;
      readonly marks?: readonly bigint[];
      readonly ledger?: LedgerStore;
    } = {},
  ): Promise<readonly CrossedMark[]> {
    const { key = 'daily', marks, ledger = this.ledger, kind = 'actual', ...rest } = options;
    const { lines = [{ ...asKey(key), amount, marks }] } = options;
    return ledger.post({ attemptId, kind, ...rest, lines });
  }

  /** Checks what is committed and held on a key, through both ledgers. */
  async expect(committed: bigint, held: bigint, key: string | LedgerKey = 'daily'): Promise<void> {
    const asked = asKey(key);
    for (const ledger of [this.ledger, this.other]) {
      const [status] = await ledger.status([asked]);
      assert.deepEqual(
        { key: status?.key, window: status?.window.id, committed: status?.committed, held: status?.held },
        { key: asked.key, window: asked.window.id, committed, held },
      );
    }
  }
}

function asKey(key: string | LedgerKey): LedgerKey {
  return typeof key === 'string' ? keyOf(key) : key;
}

/** A check on an empty backend of its own. */
export function ledgerCheck(name: string, body: (world: LedgerWorld) => Promise<void>): LedgerCheck {
  return { name, run: (create) => withLedgers(create, body) };
}

/** Opens two ledgers on a fresh backend for `body`, and closes them however it ends. */
export async function withLedgers(
  create: CreateLedgerBackend,
  body: (world: LedgerWorld) => Promise<void>,
): Promise<void> {
  const backend = await create();
  const ledgers = [await backend.open(), await backend.open()] as const;
  try {
    await body(new LedgerWorld(backend, ...ledgers));
  } finally {
    for (const ledger of new Set(ledgers)) await ledger.dispose();
    await backend.dispose?.();
  }
}

/** The operation has to fail for good, with a `LedgerError` that no repetition mends. */
export async function expectConflict(operation: () => unknown): Promise<void> {
  try {
    await operation();
  } catch (error) {
    assert.ok(isSynapseError(error, 'ledger'), `A LedgerError was expected, it threw ${String(error)}.`);
    assert.equal(error.transient, false, 'A conflict is not transient.');
    return;
  }
  assert.fail('The ledger was to refuse the request as a conflict.');
}
