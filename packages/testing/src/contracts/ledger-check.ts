import assert from 'node:assert/strict';
import {
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
  open(): LedgerStore | Promise<LedgerStore>;
  /** Lets so many milliseconds pass for leases: by moving the clock that the ledgers were given, or by waiting. */
  advance(ms: number): void | Promise<void>;
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

/** A key in a window, for the checks: `"daily"` is the key `"daily"` in the window `"2026-11-23@UTC"`. */
export function keyOf(key: string, windowId = '2026-11-23@UTC'): LedgerKey {
  return { key, window: { id: windowId, endsAtMs: 4_102_444_800_000 } };
}

/** Long enough that no lease ends by itself while a check runs. */
const noEndMs = 3_600_000;

/** Ledgers on one backend, with short ways to say what the checks want to say. */
export class LedgerWorld {
  readonly backend: LedgerBackend;
  readonly ledger: LedgerStore;
  /** A second ledger on the same backend. */
  readonly other: LedgerStore;

  constructor(backend: LedgerBackend, ledger: LedgerStore, other: LedgerStore) {
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
      readonly key?: string;
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
    const lines = typeof amount === 'bigint' ? [{ ...keyOf(key), limit, amount }] : amount;
    return ledger.reserve({ holdId, lines, leaseMs, onExpiry });
  }

  /** The same, and it has to be admitted. */
  async hold(...request: Parameters<LedgerWorld['reserve']>): Promise<void> {
    const result = await this.reserve(...request);
    assert.ok(result.admitted, `Hold ${request[0]} was to be admitted.`);
  }

  /** Books `amount` units for an attempt on one key. */
  async post(
    attemptId: string,
    amount: bigint,
    options: Partial<PostRequest> & { readonly key?: string } = {},
  ): Promise<void> {
    const { key = 'daily', lines = [{ ...keyOf(key), amount }], kind = 'actual', ...rest } = options;
    await this.ledger.post({ attemptId, lines, kind, ...rest });
  }

  /** Checks what is committed and held on a key, through both ledgers. */
  async expect(committed: bigint, held: bigint, key: string | LedgerKey = 'daily'): Promise<void> {
    const asked = typeof key === 'string' ? keyOf(key) : key;
    for (const ledger of [this.ledger, this.other]) {
      const [status] = await ledger.status([asked]);
      assert.deepEqual(
        { key: status?.key, window: status?.window.id, committed: status?.committed, held: status?.held },
        { key: asked.key, window: asked.window.id, committed, held },
      );
    }
  }
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
