import type { LedgerTime } from './ledger-time.ts';
import { counterOf, type Records, readParts } from './records.ts';
import { type Row, toAmount } from './rows.ts';
import type { Statements } from './statements.ts';

/** How often, in milliseconds, it is looked whether anything can be forgotten. */
const tidyEveryMs = 1000;
/** How many rows of a kind go in one transaction, beside two for each operation in it. */
const rowsAtOnce = 32;
/** How many rolling windows are looked at in one go. */
const lookAtOnce = 64;

/** Forgets what is past, a little in each transaction that writes anyway. */
export class Tidier {
  readonly #sql: Statements;
  readonly #time: LedgerTime;
  readonly #rememberMs: number;
  readonly #graceMs: number;
  #nextAtMs = 0;
  /** There may be ids left to forget, of this process or one before it. */
  #hasMoreIds = true;
  /** The last rolling window that was looked at. */
  #lookedAt = 0n;

  constructor(sql: Statements, time: LedgerTime, rememberMs: number, graceMs: number) {
    this.#sql = sql;
    this.#time = time;
    this.#rememberMs = rememberMs;
    this.#graceMs = graceMs;
  }

  /**
   * Has to be called at the beginning of a transaction, before anything has changed.
   *
   * @param operationCount how many operations the transaction is for: forgetting keeps up with remembering.
   */
  run(records: Records, operationCount: number): void {
    const { nowMs } = records;
    if (this.#hasMoreIds) this.#forgetIds(records, rowsAtOnce + 2 * operationCount);
    if (nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + tidyEveryMs;
    this.#turnGeneration(records);
    this.#forgetWindows(records);
    this.#forgetRolling(records);
  }

  /** Ids of a generation are remembered until the next one is full as well, and a generation lasts `rememberMs`. */
  #turnGeneration(records: Records): void {
    const { nowMs, ledger } = records;
    const { generation, generationSinceMs, rememberMs } = ledger;
    if (generationSinceMs === 0) {
      records.changeLedger({ generationSinceMs: nowMs, rememberMs: this.#rememberMs });
    } else if (this.#rememberMs > rememberMs) {
      records.changeLedger({ rememberMs: this.#rememberMs });
    } else if (nowMs - generationSinceMs >= rememberMs) {
      records.changeLedger({
        generation: generation + 1n,
        generationSinceMs: nowMs,
        rememberMs: this.#rememberMs,
      });
      this.#hasMoreIds = true;
    }
  }

  #forgetIds({ ledger }: Records, maxCount: number): void {
    const first = ledger.generation - 1n;
    const holds = this.#sql.dropPastHolds.run(first, maxCount).changes;
    const bookings = this.#sql.dropBookings.run(first, maxCount).changes;
    this.#hasMoreIds = Number(holds) === maxCount || Number(bookings) === maxCount;
  }

  /**
   * A window counts as past only after `graceMs` during which the wall clock never said otherwise: one that jumps ahead
   * and comes back takes no spend with it.
   */
  #forgetWindows(records: Records): void {
    const { nowMs } = records;
    const wallMs = this.#time.wall();
    for (const [window, endsAtMs, sinceMs] of this.#sql.calendar.all() as unknown as Row[]) {
      const id = String(window);
      if (wallMs < Number(endsAtMs)) {
        if (sinceMs !== null) this.#sql.setPastSince.run(null, id);
      } else if (sinceMs === null) {
        this.#sql.setPastSince.run(nowMs, id);
      } else if (nowMs - Number(sinceMs) >= this.#graceMs) {
        this.#forgetWindow(records, id);
      }
    }
  }

  #forgetWindow(records: Records, id: string): void {
    const counters = this.#sql.forgettable.all(id, 4 * rowsAtOnce) as unknown as Row[];
    for (const [counter] of counters) {
      this.#sql.dropCounter.run(counter as bigint);
      records.forgetCounter(counter as bigint);
    }
    if (counters.length > 0)
      this.#nextAtMs = 0; // there may be more
    else if (this.#sql.anyOfWindow.get(id) === undefined) this.#sql.dropFromCalendar.run(id);
  }

  /**
   * Rolling windows in which nothing is any more, nor can come back: what an estimate or the end of a lease has booked can
   * be corrected for as long as ids are remembered.
   */
  #forgetRolling(records: Records): void {
    const rows = this.#sql.rollingAfter.all(this.#lookedAt, lookAtOnce) as unknown as Row[];
    for (const row of rows) {
      const counter = counterOf(row);
      if (counter.id === undefined || counter.holds > 0) continue;
      readParts(this.#sql, counter);
      counter.age(records.nowMs);
      if ((counter.parts?.size ?? 0) > 0) continue;
      const { generation } = records.ledger;
      const idleSince = row[11] ?? null;
      if (idleSince === null) this.#sql.setIdle.run(generation, counter.id);
      if (idleSince === null || generation < toAmount(idleSince) + 2n) continue;
      this.#sql.dropPartsBefore.run(counter.id, Number.MAX_SAFE_INTEGER);
      this.#sql.dropCounter.run(counter.id);
      records.forgetCounter(counter.id);
    }
    const last = rows.length < lookAtOnce ? undefined : rows.at(-1)?.[0];
    this.#lookedAt = (last as bigint | undefined) ?? 0n;
  }
}
