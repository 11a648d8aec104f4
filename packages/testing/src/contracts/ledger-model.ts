import {
  type Clock,
  type CrossedMark,
  LedgerError,
  type LedgerKey,
  type LedgerStatus,
  type LedgerStore,
  type PostRequest,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';

interface ModelLine {
  readonly key: string;
  readonly windowId: string;
  granted: bigint;
  drawn: bigint;
}

interface ModelHold {
  readonly lines: ModelLine[];
  readonly onExpiry: ReserveRequest['onExpiry'];
  endsAtMs: number;
  state: 'held' | 'closed' | 'released' | 'booked';
}

interface ModelBooking {
  readonly windowId: string;
  amount: bigint;
  kind: PostRequest['kind'];
}

/**
 * The ledger as its documentation says it, as plainly as it can be written: nothing is counted ahead, every figure is
 * added up from scratch each time. Too slow for use; stores are compared with it.
 */
export class ModelLedger implements LedgerStore {
  readonly unitPico = 1n;
  readonly #clock: Clock;
  readonly #holds: Map<string, ModelHold> = new Map();
  /** By key and attempt. */
  readonly #bookings: Map<string, ModelBooking> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  reserve({ holdId, lines, leaseMs, onExpiry }: ReserveRequest): ReserveResult {
    refuseRepeatedKeys(lines);
    this.#expire();
    const hold = this.#holds.get(holdId);
    if (hold !== undefined) {
      const same =
        hold.lines.length === lines.length &&
        hold.lines.every(({ key, windowId }, i) => lines[i]?.key === key && lines[i]?.window.id === windowId);
      if (!same || hold.state !== 'held')
        throw new LedgerError('The hold is closed or on other keys.', conflict);
    }
    for (const [i, line] of lines.entries()) {
      const { committed, held } = this.#statusOf(line);
      const more = line.amount - (hold?.lines[i]?.granted ?? 0n);
      if (more > 0n && committed + held + more > line.limit) {
        return { admitted: false, refused: { ...line, committed, held } };
      }
    }
    if (hold === undefined) {
      const held = lines.map(({ key, window, amount }) => ({
        key,
        windowId: window.id,
        granted: amount,
        drawn: 0n,
      }));
      const endsAtMs = this.#clock.monotonic() + leaseMs;
      this.#holds.set(holdId, { lines: held, onExpiry, endsAtMs, state: 'held' });
    } else {
      for (const [i, held] of hold.lines.entries()) {
        const amount = lines[i]?.amount ?? 0n;
        if (amount > held.granted) held.granted = amount;
      }
    }
    return { admitted: true };
  }

  post({ attemptId, holdId, lines, kind, close = false }: PostRequest): readonly CrossedMark[] {
    refuseRepeatedKeys(lines);
    this.#expire();
    for (const { key, window, amount } of lines) {
      const id = JSON.stringify([key, attemptId]);
      const known = this.#bookings.get(id);
      if (known?.kind === 'actual') continue;
      if (known !== undefined && kind === 'estimated' && amount <= known.amount) continue;
      const more = amount - (known?.amount ?? 0n);
      const windowId = known?.windowId ?? window.id;
      this.#bookings.set(id, { windowId, amount, kind });
      const held = this.#holds.get(holdId ?? '')?.lines.find((l) => l.key === key && l.windowId === windowId);
      if (held !== undefined && more > 0n) held.drawn += more < left(held) ? more : left(held);
    }
    if (close && holdId !== undefined) this.close(holdId);
    return [];
  }

  close(holdId: string): void {
    this.#expire();
    const hold = this.#holds.get(holdId);
    if (hold === undefined)
      this.#holds.set(holdId, { lines: [], onExpiry: 'release', endsAtMs: 0, state: 'closed' });
    else hold.state = 'closed';
  }

  renew(holdId: string, leaseMs: number): boolean {
    this.#expire();
    const hold = this.#holds.get(holdId);
    if (hold?.state !== 'held') return false;
    hold.endsAtMs = Math.max(hold.endsAtMs, this.#clock.monotonic() + leaseMs);
    return true;
  }

  status(keys: readonly LedgerKey[]): readonly LedgerStatus[] {
    this.#expire();
    return keys.map((key) => this.#statusOf(key));
  }

  flush(): void {}

  dispose(): void {}

  #statusOf({ key, window }: LedgerKey): LedgerStatus {
    let committed = 0n;
    let held = 0n;
    for (const [id, booking] of this.#bookings) {
      if (JSON.parse(id)[0] === key && booking.windowId === window.id) committed += booking.amount;
    }
    for (const { lines, state } of this.#holds.values()) {
      for (const line of lines) {
        if (line.key !== key || line.windowId !== window.id) continue;
        if (state === 'held') held += left(line);
        if (state === 'booked') committed += left(line);
      }
    }
    return { key, window, committed, held };
  }

  #expire(): void {
    const nowMs = this.#clock.monotonic();
    for (const hold of this.#holds.values()) {
      if (hold.state === 'held' && nowMs >= hold.endsAtMs) {
        hold.state = hold.onExpiry === 'book' ? 'booked' : 'released';
      }
    }
  }
}

const conflict = { transient: false } as const;

function left({ granted, drawn }: ModelLine): bigint {
  return granted - drawn;
}

function refuseRepeatedKeys(lines: readonly LedgerKey[]): void {
  if (new Set(lines.map(({ key }) => key)).size < lines.length) {
    throw new LedgerError('A key stands in two lines.', conflict);
  }
}
