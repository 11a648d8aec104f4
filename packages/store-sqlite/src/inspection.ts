import type { LedgerCounter, LedgerHold, LedgerKey, LedgerQuery, LedgerStatus } from '@synapsekit/core';
import { requireNumber } from '@synapsekit/core';
import type { Counter } from './counter.ts';
import { counterOf, readParts } from './records.ts';
import { linesOf, type Row } from './rows.ts';
import type { Statements } from './statements.ts';

/** Looks into the file without the lock for writing. What is read has to stand in one transaction. */
export class Inspection {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Whether there are holds that are over and not swept yet: figures are right only after that. */
  hasDue(nowMs: number): boolean {
    const [first] = this.#sql.firstEnd.get() as unknown as Row;
    return first !== null && Number(first) <= nowMs;
  }

  status(keys: readonly LedgerKey[], nowMs: number): readonly LedgerStatus[] {
    return keys.map(({ key, window }) => {
      const row = this.#sql.counterByKey.get(key, window.id);
      if (row === undefined) return { key, window, committed: 0n, held: 0n };
      const { committed, held } = this.#complete(row, nowMs);
      return { key, window, committed, held };
    });
  }

  counters({ prefix = '', maxCount = 1_000 }: LedgerQuery, nowMs: number): readonly LedgerCounter[] {
    requireNumber(maxCount, 'maxCount', { integer: true, min: 0 });
    const found: LedgerCounter[] = [];
    if (maxCount === 0) return found;
    for (const row of this.#sql.countersFrom.iterate(prefix)) {
      const { key, window, committed, held, limit } = this.#complete(row, nowMs);
      if (!key.startsWith(prefix)) break; // they come in the order of their keys
      found.push({ key, window, committed, held, limit });
      if (found.length === maxCount) break;
    }
    return found;
  }

  holds({ prefix = '', maxCount = 1_000 }: LedgerQuery, nowMs: number): readonly LedgerHold[] {
    requireNumber(maxCount, 'maxCount', { integer: true, min: 0 });
    const found: LedgerHold[] = [];
    if (maxCount === 0) return found;
    for (const row of this.#sql.holdsByEnd.iterate()) {
      const [id, endsAtMs, books, text] = row as unknown as Row;
      const lines = linesOf(String(text)).flatMap(({ counter, left }) => {
        const of = this.#sql.counterById.get(counter);
        if (of === undefined) return [];
        const { key, window } = counterOf(of as unknown as Row);
        return [{ key, window, left }];
      });
      if (prefix !== '' && !lines.some(({ key }) => key.startsWith(prefix))) continue;
      const leaseLeftMs = Number(endsAtMs) - nowMs;
      found.push({ holdId: String(id), lines, leaseLeftMs, onExpiry: books === 0n ? 'release' : 'book' });
      if (found.length === maxCount) break;
    }
    return found;
  }

  #complete(row: unknown, nowMs: number): Counter {
    const counter = counterOf(row as Row);
    readParts(this.#sql, counter);
    counter.age(nowMs);
    return counter;
  }
}
