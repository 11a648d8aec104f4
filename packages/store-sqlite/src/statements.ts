import type { DatabaseSync, StatementSync } from 'node:sqlite';

const counter =
  'SELECT id, key, window, ends_at_ms, length_ms, slots, committed, held, holds, bound, told, idle_since FROM counter';

type StatementName =
  | 'dataVersion'
  | 'ledger'
  | 'counterByKey'
  | 'counterById'
  | 'countersFrom'
  | 'parts'
  | 'hold'
  | 'booking'
  | 'firstEnd'
  | 'dueHolds'
  | 'holdsByEnd'
  | 'calendar'
  | 'forgettable'
  | 'anyOfWindow'
  | 'rollingAfter'
  | 'setLedger'
  | 'addCounter'
  | 'setCounter'
  | 'setTold'
  | 'setIdle'
  | 'dropCounter'
  | 'setPart'
  | 'dropPart'
  | 'dropPartsBefore'
  | 'addToCalendar'
  | 'setPastSince'
  | 'dropFromCalendar'
  | 'addHold'
  | 'setHold'
  | 'dropHold'
  | 'addPastHold'
  | 'setPastHold'
  | 'addBooking'
  | 'setBooking'
  | 'dropPastHolds'
  | 'dropBookings';

// Parameters are plain `?`: Node 22 takes `?1` for a name, and does not bind it by position.
const sql: Readonly<Record<StatementName, string>> = {
  dataVersion: 'PRAGMA data_version',
  ledger: 'SELECT time_ms, generation, generation_since_ms, remember_ms FROM ledger',
  counterByKey: `${counter} WHERE key = ? AND window = ?`,
  counterById: `${counter} WHERE id = ?`,
  countersFrom: `${counter} WHERE key >= ? ORDER BY key, window`,
  parts: 'SELECT number, amount FROM part WHERE counter = ?',
  hold: `SELECT NULL, ends_at_ms, admitted_at_ms, books, lines FROM hold WHERE id = ?
    UNION ALL
    SELECT generation, 0, admitted_at_ms, 1, lines FROM past_hold WHERE generation IN (?, ?) AND id = ?`,
  booking: 'SELECT generation, lines FROM booking WHERE generation IN (?, ?) AND attempt = ?',
  firstEnd: 'SELECT min(ends_at_ms) FROM hold',
  dueHolds: 'SELECT id FROM hold WHERE ends_at_ms <= ? ORDER BY ends_at_ms LIMIT ?',
  holdsByEnd: 'SELECT id, ends_at_ms, books, lines FROM hold ORDER BY ends_at_ms',
  calendar: 'SELECT window, ends_at_ms, past_since_ms FROM calendar',
  forgettable: `SELECT id FROM counter WHERE window = ? AND ends_at_ms IS NOT NULL AND holds = 0 LIMIT ?`,
  anyOfWindow: 'SELECT 1 FROM counter WHERE window = ? AND ends_at_ms IS NOT NULL LIMIT 1',
  rollingAfter: `${counter} WHERE length_ms IS NOT NULL AND id > ? ORDER BY id LIMIT ?`,

  setLedger: 'UPDATE ledger SET time_ms = ?, generation = ?, generation_since_ms = ?, remember_ms = ?',
  addCounter: `INSERT INTO counter (key, window, ends_at_ms, length_ms, slots, committed, held, holds, bound)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  setCounter:
    'UPDATE counter SET committed = ?, held = ?, holds = ?, bound = ?, idle_since = NULL WHERE id = ?',
  setTold: 'UPDATE counter SET told = ? WHERE id = ?',
  setIdle: 'UPDATE counter SET idle_since = ? WHERE id = ?',
  dropCounter: 'DELETE FROM counter WHERE id = ?',
  setPart: 'INSERT INTO part VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = excluded.amount',
  dropPart: 'DELETE FROM part WHERE counter = ? AND number = ?',
  dropPartsBefore: 'DELETE FROM part WHERE counter = ? AND number < ?',
  addToCalendar: `INSERT INTO calendar (window, ends_at_ms) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET ends_at_ms = max(ends_at_ms, excluded.ends_at_ms)`,
  setPastSince: 'UPDATE calendar SET past_since_ms = ? WHERE window = ?',
  dropFromCalendar: 'DELETE FROM calendar WHERE window = ?',
  addHold: 'INSERT INTO hold VALUES (?, ?, ?, ?, ?)',
  setHold: 'UPDATE hold SET ends_at_ms = ?, lines = ? WHERE id = ?',
  dropHold: 'DELETE FROM hold WHERE id = ?',
  addPastHold: 'INSERT INTO past_hold VALUES (?, ?, ?, ?)',
  setPastHold: 'UPDATE past_hold SET lines = ? WHERE generation = ? AND id = ?',
  addBooking: 'INSERT INTO booking VALUES (?, ?, ?)',
  setBooking: 'UPDATE booking SET lines = ? WHERE generation = ? AND attempt = ?',
  dropPastHolds: `DELETE FROM past_hold WHERE (generation, id) IN
    (SELECT generation, id FROM past_hold WHERE generation < ? LIMIT ?)`,
  dropBookings: `DELETE FROM booking WHERE (generation, attempt) IN
    (SELECT generation, attempt FROM booking WHERE generation < ? LIMIT ?)`,
};

/** Everything that is ever asked of the file, prepared. Rows are arrays, integers are `bigint`. */
export type Statements = Readonly<Record<StatementName, StatementSync>>;

export function prepareStatements(db: DatabaseSync): Statements {
  const prepared = Object.entries(sql).map(([name, text]) => {
    const statement = db.prepare(text);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return [name, statement] as const;
  });
  return Object.fromEntries(prepared) as Statements;
}
