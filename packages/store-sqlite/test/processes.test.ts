import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteLedger } from '../src/sqlite-ledger.ts';

const key = { key: 'daily', window: { id: '2026-11-23@UTC' } };
let folder = '';
let path = '';
let children: Child[] = [];

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Interface;
  readonly said: string[];
  readonly ended: Promise<unknown>;
}

function start(what: string, durability: string, count = 0, name = ''): Child {
  const script = join(import.meta.dirname, 'child.ts');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, what, path, durability, String(count), name],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout });
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  const started = { process: child, lines, said, ended: once(child, 'close') };
  children.push(started);
  return started;
}

/** Resolves once a child has said so many lines. */
async function heard(child: Child, count: number): Promise<void> {
  let isOver = false;
  const ended = child.ended.then(() => {
    isOver = true;
  });
  while (child.said.length < count) {
    if (isOver) throw new Error('The process ended early.');
    await Promise.race([once(child.lines, 'line'), ended]);
  }
}

async function startAll(count: number, what: string, durability: string, calls: number): Promise<Child[]> {
  const started = Array.from({ length: count }, (_, i) => start(what, durability, calls, `p${i}`));
  await Promise.all(started.map((child) => heard(child, 1)));
  for (const child of started) child.process.stdin.write('go\n');
  return started;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  path = join(folder, 'budget.db');
  children = [];
});

afterEach(async () => {
  for (const child of children) child.process.kill('SIGKILL');
  await Promise.all(children.map(({ ended }) => ended));
  rmSync(folder, { recursive: true });
});

// Up to eight processes start and fight for a file: where many others do the same, that takes its time.
describe('processes on one file', { timeout: 180_000 }, () => {
  test.each(['normal', 'full'])(
    '8 of them, 1,000 calls against one limit: exactly 50 in all (%s)',
    async (durability) => {
      const started = await startAll(8, 'admit', durability, 125);
      await Promise.all(started.map(({ ended }) => ended));
      const admitted = started.map(({ said }) => Number(said.at(-1)?.replace('admitted ', '')));
      expect(admitted.reduce((sum, count) => sum + count, 0)).toBe(50);
      const ledger = await SqliteLedger.open({ path, durability: 'normal' });
      expect(await ledger.status([key])).toMatchObject([{ committed: 0n, held: 5_000n }]);
      await ledger.dispose();
    },
  );

  test.each(['normal', 'full'])(
    'SIGKILL loses nothing that was acknowledged, and leaks nothing (%s)',
    async (durability) => {
      for (let round = 0; round < 3; round++) {
        const doomed = [
          start('spend', durability, 0, `a${round}`),
          start('spend', durability, 0, `b${round}`),
        ];
        await Promise.all(doomed.map((child, i) => heard(child, 60 + 40 * round + 25 * i)));
        for (const { process: one } of doomed) one.kill('SIGKILL');
        await Promise.all(doomed.map(({ ended }) => ended));
      }
      const said = children.flatMap((child) => child.said);
      const spent = said.filter((line) => line.startsWith('spent ')).length;
      const asked = said.filter((line) => line.startsWith('asked ')).length;
      expect(spent).toBeGreaterThan(0);

      const ledger = await SqliteLedger.open({ path });
      const [status] = await ledger.status([key]);
      const holds = await ledger.holds({ maxCount: 100_000 });
      // What was asked and not acknowledged may have happened or not: 8 calls of each process at most.
      expect(Number(status?.committed)).toBeGreaterThanOrEqual(spent * 7);
      expect(Number(status?.committed)).toBeLessThanOrEqual(asked * 7);
      expect(holds.length).toBeLessThanOrEqual(8 * children.length);
      expect(status?.held).toBe(BigInt(holds.length) * 100n);
      for (const { holdId } of holds) await ledger.close(holdId);
      expect(await ledger.status([key])).toMatchObject([{ committed: status?.committed, held: 0n }]);
      // Every attempt that was acknowledged is remembered: repeating it books nothing.
      for (const line of said.filter((one) => one.startsWith('spent ')).slice(-20)) {
        const attemptId = line.replace('spent ', '');
        await ledger.post({ attemptId, lines: [{ ...key, amount: 7n }], kind: 'actual' });
      }
      expect(await ledger.status([key])).toMatchObject([{ committed: status?.committed }]);
      await ledger.dispose();
    },
  );

  test.each(['normal', 'full'])(
    'nobody starves: when the first is done, all have come a good way (%s)',
    async (durability) => {
      const steps = 200;
      const started = await startAll(4, 'race', durability, steps);
      await Promise.race(started.map((child) => heard(child, 1 + steps)));
      const done = started.map(({ said }) => said.length - 1);
      expect(Math.min(...done)).toBeGreaterThan(steps / 10);
      await Promise.all(started.map(({ ended }) => ended));
      expect(started.map(({ process: one }) => one.exitCode)).toEqual([0, 0, 0, 0]);
      const ledger = await SqliteLedger.open({ path });
      expect(await ledger.status([key])).toMatchObject([{ committed: BigInt(4 * steps * 7), held: 0n }]);
      await ledger.dispose();
    },
  );

  test('a process that waits for its ledger to close sees it closed, also while its log is emptied', async () => {
    const child = start('close', 'normal', 2_000);
    await child.ended;
    expect([child.process.exitCode, child.said]).toEqual([0, ['closed']]);
  });

  test('an open ledger keeps no process alive, also while its log is emptied', async () => {
    const child = start('leave', 'normal', 2_500);
    await child.ended;
    expect([child.process.exitCode, child.said]).toEqual([0, ['done']]);
    const ledger = await SqliteLedger.open({ path });
    expect(await ledger.status([key])).toMatchObject([{ committed: 17_500n, held: 0n }]);
    await ledger.dispose();
  });
});
