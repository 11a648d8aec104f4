import type { DatabaseSync } from 'node:sqlite';

/** Marks the file as a ledger of SynapseKit: "SKLG". @see https://sqlite.org/pragma.html#pragma_application_id */
export const applicationId = 0x534b4c47;

/**
 * Amounts are `ANY`: an INTEGER of 64 bits where it fits, decimal digits where it does not. `STRICT` keeps SQLite from
 * making a floating-point number of either.
 */
const firstSchema = `
  CREATE TABLE ledger (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    time_ms INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    generation_since_ms INTEGER NOT NULL,
    remember_ms INTEGER NOT NULL
  ) STRICT;
  INSERT INTO ledger VALUES (1, 0, 1, 0, 0);

  CREATE TABLE counter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    window TEXT NOT NULL,
    ends_at_ms ANY,
    length_ms ANY,
    slots INTEGER,
    committed ANY NOT NULL,
    held ANY NOT NULL,
    holds INTEGER NOT NULL,
    bound ANY,
    told TEXT,
    idle_since INTEGER, -- the generation in which nothing was left in a rolling window
    UNIQUE (key, window)
  ) STRICT;
  CREATE INDEX counter_by_window ON counter (window) WHERE ends_at_ms IS NOT NULL;
  CREATE INDEX counter_rolling ON counter (id) WHERE length_ms IS NOT NULL;

  CREATE TABLE part (
    counter INTEGER NOT NULL,
    number INTEGER NOT NULL,
    amount ANY NOT NULL,
    PRIMARY KEY (counter, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE calendar (
    window TEXT PRIMARY KEY,
    ends_at_ms ANY NOT NULL,
    past_since_ms INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE hold (
    id TEXT PRIMARY KEY,
    ends_at_ms INTEGER NOT NULL,
    admitted_at_ms INTEGER NOT NULL,
    books INTEGER NOT NULL,
    lines TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hold_by_end ON hold (ends_at_ms);

  CREATE TABLE past_hold (
    generation INTEGER NOT NULL,
    id TEXT NOT NULL,
    admitted_at_ms INTEGER,
    lines TEXT,
    PRIMARY KEY (generation, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE booking (
    generation INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (generation, attempt)
  ) STRICT, WITHOUT ROWID;
`;

/** What takes a file of version `index` to the next. Never changed once released, only added to. */
const migrations: readonly string[] = [firstSchema];

/** The version that this code reads and writes. */
export const schemaVersion: number = migrations.length;

/** Brings a file up to date. Has to run inside a transaction. */
export function migrate(db: DatabaseSync, fromVersion: number, steps: readonly string[] = migrations): void {
  for (const step of steps.slice(fromVersion)) db.exec(step);
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`);
}
