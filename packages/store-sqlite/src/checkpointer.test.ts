import { hash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock, systemRandom } from '@synapsekit/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Checkpointer } from './checkpointer.ts';
import { LedgerFile } from './ledger-file.ts';
import { SqliteLedger } from './sqlite-ledger.ts';

const key = { key: 'daily', window: { id: '2026-11-23@UTC' } };
/** So many operations bring a checkpoint about. */
const enough = 4_000;
const patience = { clock: systemClock, random: systemRandom, lockTimeoutMs: 1_000 };
let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  path = join(folder, 'what?#%20 a.db'); // a name that a URL has to escape
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const open = () => SqliteLedger.open({ path, durability: 'normal' });

async function post(ledger: SqliteLedger, from: number, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      ledger.post({ attemptId: `x${from + i}`, lines: [{ ...key, amount: 1n }], kind: 'actual' }),
    ),
  );
}

/** What happens to the files is done in the moment before the checkpoint, when the ledger has not looked again. */
async function checkpointAfter(happen: () => void, before = 0): Promise<void> {
  const ledger = await open();
  await post(ledger, 0, before + enough - 50);
  vi.spyOn(LedgerFile.prototype, 'checkInPlace').mockImplementation(() => {});
  happen();
  await post(ledger, before + enough - 50, 100);
  await ledger.dispose(); // waits for the checkpoint
}

function removeAll(): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

function contents(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, hash('sha256', readFileSync(join(folder, name)))]),
  );
}

describe('the thread that empties the log', () => {
  test('does so: the log starts over, and what it held is in the database', async () => {
    const ledger = await open();
    await post(ledger, 0, enough);
    const grown = statSync(`${path}-wal`).size;
    let next = enough;
    const logHeader = () => readFileSync(`${path}-wal`).subarray(0, 32).toString('hex');
    const before = logHeader();
    while (logHeader() === before && next < 3 * enough) await post(ledger, next++, 1);
    expect(logHeader()).not.toBe(before);
    expect(statSync(path).size).toBeGreaterThan(grown / 20);
    expect(await ledger.status([key])).toMatchObject([{ committed: BigInt(next) }]);
    await ledger.dispose();
  });

  // The first checkpoint opens the file; a later one has it open.
  test.each([0, enough])(
    'makes no file where it was deleted (checkpoint after %s operations)',
    async (before) => {
      await checkpointAfter(removeAll, before);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test.each(['delete', 'wal'])('leaves a database of somebody else alone (journal mode %s)', async (mode) => {
    let foreign: DatabaseSync | undefined;
    let before = {};
    await checkpointAfter(() => {
      removeAll();
      foreign = new DatabaseSync(path);
      foreign.exec(`PRAGMA application_id = 77; PRAGMA journal_mode = ${mode}; CREATE TABLE mine (a)`);
      before = contents();
    });
    expect(contents()).toEqual(before);
    foreign?.close();
  });

  test('leaves another ledger alone, such as a copy that was put back', async () => {
    let before = {};
    await checkpointAfter(() => {
      copyFileSync(path, `${path}.copy`);
      removeAll();
      renameSync(`${path}.copy`, path);
      before = contents();
    });
    expect(contents()).toEqual(before);
  });

  test('makes no log where it was deleted', async () => {
    let isMade = true;
    await checkpointAfter(() => {
      rmSync(`${path}-wal`);
      const close = LedgerFile.prototype.close;
      vi.spyOn(LedgerFile.prototype, 'close').mockImplementationOnce(function (this: LedgerFile) {
        isMade = existsSync(`${path}-wal`); // closing may make and remove one
        close.call(this);
      });
    });
    expect(isMade).toBe(false);
  });

  test('begins the new log itself, so that nobody else waits for the disk', async () => {
    const file = await LedgerFile.open({ path, ...patience });
    const headerOfLog = () => readFileSync(`${path}-wal`).subarray(0, 32).toString('hex');
    const before = headerOfLog();
    const checkpointer = new Checkpointer(file);
    checkpointer.start(() => () => {});
    await checkpointer.close();
    expect(headerOfLog()).not.toBe(before);
    file.close();
  });

  test.each(['before the first checkpoint', 'in the middle of one'])(
    'does not mark as a ledger what has become something else: %s',
    async (when) => {
      const file = await LedgerFile.open({ path, ...patience });
      const other = new DatabaseSync(path);
      const turnInto = () => other.exec('PRAGMA application_id = 77');
      if (when.startsWith('before')) turnInto();
      const checkpointer = new Checkpointer(file);
      let isPaused = false;
      checkpointer.start(() => {
        isPaused = true;
        turnInto();
        return () => {};
      });
      await checkpointer.close();
      expect(other.prepare('PRAGMA application_id').get()).toEqual({ application_id: 77 });
      expect(isPaused).toBe(when === 'in the middle of one'); // else nothing was moved before
      other.close();
      file.close();
    },
  );
});
