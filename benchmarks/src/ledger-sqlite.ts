import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type SqliteDurability, SqliteLedger } from '@synapsekit/store-sqlite';
import type { Bench } from './harness/bench.ts';
import { requestsOver } from './ledger-requests.ts';
import { raceOnSqlite } from './sqlite-race.ts';

const keys = 1_000;
const requests = requestsOver(keys);
// Longer than the bench takes, on any machine: nothing is swept meanwhile.
const leaseMs = 3_600_000;

const fullNote =
  'The targets come from a prototype whose pairs a second were counted, so waiting for the disk is part of both sides. By ' +
  'processor time a pair alone cannot get there: its two syncs run beside the event loop, which stays free, and each ' +
  'costs the two threads about 70 µs to find each other; the trivial transaction blocks in its own.';

const groupsNote =
  'One process alone commits all pairs that are in flight in one transaction, which makes it three times as fast as with a ' +
  'transaction for each (pairs, 16 at once, against a pair alone). Several take turns of some milliseconds, and whoever takes ' +
  'the lock over has to read again what the others have changed. The prototype of the target had no groups: 4,100 to 4,700 pairs a second alone, 3,900 with 4 processes and 3,000 with 8. ' +
  'Against one process without groups the target is met (the next row).';

const flatNote =
  'Ten keys lie in one page that is always at hand; of a million each of the four lies in another one, as does its name ' +
  'in the index, and all of them are read and four are written. The prototype took up to twice as long at 10,000 keys.';

const aloneByProcessor = {
  text: 'full: a pair alone, the same by processor time of all threads',
  ratio: ['a pair alone', 'trivial transaction'],
  limit: 4,
  time: 'cpu',
  binding: true,
} as const;

/** The least that a transaction can be: one row, at the same durability, in a file of the same kind. */
function trivialTransaction(
  path: string,
  durability: SqliteDurability,
): { op(index: number): void; close(): void } {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA page_size = 1024; PRAGMA journal_mode = WAL');
  db.exec(
    `PRAGMA synchronous = ${durability}; CREATE TABLE counter (id INTEGER PRIMARY KEY, used INTEGER) STRICT`,
  );
  const add = db.prepare('INSERT INTO counter VALUES (?, 0)');
  for (let id = 0; id < keys; id++) add.run(id);
  const [begin, update, commit] = [
    'BEGIN IMMEDIATE',
    'UPDATE counter SET used = used + 1 WHERE id = ?',
    'COMMIT',
  ].map((sql) => db.prepare(sql));
  return {
    op(index) {
      begin?.run();
      update?.run(BigInt(index % keys));
      commit?.run();
    },
    close: () => db.close(),
  };
}

async function pair(ledger: SqliteLedger, index: number, over = requests): Promise<void> {
  const lines = over.at(index);
  const holdId = `hold-${index}`;
  const { admitted } = await ledger.reserve({ holdId, lines, leaseMs, onExpiry: 'book' });
  if (!admitted) throw new Error('The ledger refused.');
  await ledger.post({ attemptId: `attempt-${index}`, holdId, lines, kind: 'actual', close: true });
}

/** Puts so many keys into a new file, as the ledger has them, in seconds instead of minutes. */
async function fill(path: string, size: number): Promise<void> {
  await (await SqliteLedger.open({ path, durability: 'normal' })).dispose();
  const db = new DatabaseSync(path);
  db.exec(`INSERT INTO counter (key, window, committed, held, holds, bound)
    WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < ${size - 1})
    SELECT 'guard/user-' || n, 'total', 1, 0, 0, ${2n ** 53n - 1n} FROM number`);
  db.close();
}

/** By how much, in milliseconds, timers of 1 ms were late, 99 of 100 times, while `work` ran. */
async function lateness(work: () => Promise<unknown>): Promise<number> {
  const late: number[] = [];
  let isRunning = true;
  const watch = async (): Promise<void> => {
    while (isRunning) {
      const dueMs = performance.now() + 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
      late.push(Math.max(0, performance.now() - dueMs));
    }
  };
  const watching = watch();
  await work();
  isRunning = false;
  await watching;
  return late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)] ?? Number.NaN;
}

export const bench: Bench = {
  title: 'Ledger in a SQLite file',
  async run({ compare, gauge, pace }) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-sqlite-'));
    const groups = [];
    try {
      for (const durability of ['normal', 'full'] as const) groups.push(...(await alone(durability)));
      groups.push(await flat());
      for (const durability of ['normal', 'full'] as const) groups.push(await shared(durability));
      return groups;
    } finally {
      rmSync(folder, { recursive: true });
    }

    async function alone(durability: SqliteDurability) {
      const trivial = trivialTransaction(join(folder, `trivial-${durability}.db`), durability);
      const ledger = await SqliteLedger.open({ path: join(folder, `${durability}.db`), durability });
      let serial = 0;
      const crowd = (count: number) => ({
        name: `pairs, ${count} at once`,
        units: count,
        op: () => Promise.all(Array.from({ length: count }, () => pair(ledger, serial++))),
      });
      const lines = requests.at(0);
      const reserve = (holdId: string) => ledger.reserve({ holdId, lines, leaseMs, onExpiry: 'book' });
      const isFull = durability === 'full';
      try {
        const pairs = await compare(
          {
            title: `Reserve and post with close, over 4 of ${keys.toLocaleString('en-US')} keys, durability "${durability}"`,
            note: `The trivial operation is a transaction that updates one row, in a file with the same settings.${isFull ? ' By wall time: both wait for the disk.' : ''}`,
            mode: 'async',
            time: isFull ? 'wall' : 'cpu',
            contenders: [
              { name: 'trivial transaction', op: (index) => trivial.op(index) },
              { name: 'a pair alone', op: () => pair(ledger, serial++) },
              crowd(16),
              crowd(64),
              { name: 'a fresh reservation', op: () => reserve(`fresh-${serial++}`) },
              { name: 'the same once more', op: () => reserve('same') },
            ],
            targets: [
              {
                text: `${durability}: a pair alone, against a trivial transaction`,
                ratio: ['a pair alone', 'trivial transaction'],
                limit: isFull ? 4 : 12,
                ...(isFull && { note: fullNote }),
              },
              ...(isFull ? [aloneByProcessor] : []),
              {
                text: `${durability}: a pair, ${isFull ? 16 : 64} at once, against a trivial transaction`,
                ratio: [isFull ? 'pairs, 16 at once' : 'pairs, 64 at once', 'trivial transaction'],
                limit: isFull ? 1 : 6,
                ...(isFull && { comparison: 'below' as const }),
              },
              {
                text: `${durability}: a reservation once more, against a fresh one`,
                ratio: ['the same once more', 'a fresh reservation'],
                limit: 0.3,
                time: 'cpu',
              },
            ],
          },
          pace.quick ? undefined : { rounds: 15, sampleMs: isFull ? 200 : 100 },
        );
        const busy = async (): Promise<void> => {
          const endMs = performance.now() + (pace.quick ? 300 : 2_000);
          await Promise.all(
            Array.from({ length: 256 }, async () => {
              while (performance.now() < endMs) await pair(ledger, serial++);
            }),
          );
        };
        const idle = (): Promise<unknown> =>
          new Promise((resolve) => setTimeout(resolve, pace.quick ? 300 : 2_000));
        const free = await gauge({
          title: `How late a timer of 1 ms is, 99th percentile, durability "${durability}"`,
          unit: 'ms',
          rounds: pace.quick ? 1 : 5,
          gauged: [
            { name: 'nothing to do', read: () => lateness(idle) },
            { name: '256 pairs at once', read: () => lateness(busy) },
          ],
          targets: [
            {
              text: `${durability}: timers beside 256 pairs at once`,
              value: '256 pairs at once',
              limit: 10,
              binding: true,
            },
          ],
        });
        return [pairs, free];
      } finally {
        await ledger.dispose();
        trivial.close();
      }
    }

    /** Files with few keys and with many; of the many only those that are asked for are ever read. */
    async function flat() {
      const many = pace.quick ? 100_000 : 1_000_000;
      const places = [];
      try {
        for (const size of [10, many]) {
          const path = join(folder, `flat-${size}.db`);
          await fill(path, size);
          const ledger = await SqliteLedger.open({ path, durability: 'normal' });
          const its = requestsOver(size);
          let serial = 0;
          const next = () => pair(ledger, serial++, its);
          await next();
          const counters = await ledger.counters({ maxCount: size + 1 });
          if (counters.length !== size) throw new Error(`${counters.length} keys instead of ${size}`);
          places.push({ ledger, name: `${size.toLocaleString('en-US')} live keys`, next });
        }
        const [few, lots] = places.map(({ name }) => name) as [string, string];
        return await compare(
          {
            title: 'A pair alone, by live keys, durability "normal"',
            note: 'Each pair of the many is over 4 keys that were not asked for lately: they are looked up in the file.',
            mode: 'async',
            contenders: places.map(({ name, next }) => ({ name, op: next })),
            targets: [
              { text: `a pair at ${lots}, against ${few}`, ratio: [lots, few], limit: 3, note: flatNote },
            ],
          },
          pace.quick ? undefined : { rounds: 15, sampleMs: 100 },
        );
      } finally {
        for (const { ledger } of places) await ledger.dispose();
      }
    }

    async function shared(durability: SqliteDurability) {
      const forMs = pace.quick ? 500 : 3_000;
      let files = 0;
      const race = (processes: number, atOnce = 16) =>
        raceOnSqlite({
          path: join(folder, `race-${durability}-${files++}.db`),
          durability,
          processes,
          atOnce,
          forMs,
        });
      const gauged = [];
      const targets = [];
      for (const processes of [4, 8]) {
        let outcome = {
          share: Number.NaN,
          ungrouped: Number.NaN,
          fairness: Number.NaN,
          longestMs: Number.NaN,
        };
        const about = `${processes} processes`;
        gauged.push(
          {
            name: `${about}: all pairs, against those of 1`,
            read: async () => {
              const one = await race(1);
              const oneByOne = await race(1, 1);
              const many = await race(processes);
              const { fairness, longestMs } = many;
              outcome = {
                share: many.pairs / one.pairs,
                ungrouped: many.pairs / oneByOne.pairs,
                fairness,
                longestMs,
              };
              return outcome.share;
            },
          },
          { name: `${about}: all pairs, against those of 1, one by one`, read: () => outcome.ungrouped },
          { name: `${about}: slowest against fastest`, read: () => outcome.fairness },
          { name: `${about}: longest wait, ms`, read: () => outcome.longestMs },
        );
        targets.push(
          {
            text: `${durability}, ${about}: all pairs, against those of 1`,
            value: `${about}: all pairs, against those of 1`,
            comparison: 'at least' as const,
            limit: 0.4,
            binding: true,
            ...(durability === 'normal' && { revised: 0.2, note: groupsNote }),
          },
          {
            text: `${durability}, ${about}: all pairs, against those of 1, one by one`,
            value: `${about}: all pairs, against those of 1, one by one`,
            comparison: 'at least' as const,
            limit: 0.4,
            binding: true,
          },
          {
            text: `${durability}, ${about}: slowest against fastest`,
            value: `${about}: slowest against fastest`,
            comparison: 'at least' as const,
            limit: 0.5,
            binding: true,
          },
          {
            text: `${durability}, ${about}: longest wait, ms`,
            value: `${about}: longest wait, ms`,
            limit: 300,
            binding: true,
          },
        );
      }
      return gauge({
        title: `Processes on one file, 16 pairs at once in each, durability "${durability}"`,
        note: 'Each process has made 3,000 pairs in a file of its own before, so that all of them run compiled code.',
        unit: 'count',
        rounds: pace.quick ? 1 : 3,
        gauged,
        targets,
      });
    }
  },
};
