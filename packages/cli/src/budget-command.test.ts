import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BudgetGuard } from '@synapsekit/budget';
import { SqliteLedger } from '@synapsekit/store-sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryIo } from '../test/memory-io.ts';
import { runCli } from './run-cli.ts';

let folder: string;
let ledger: SqliteLedger;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'synapsekit-budget-'));
  ledger = await SqliteLedger.open({ path: join(folder, 'budget.db') });
});
afterEach(async () => {
  await ledger.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function budget(...argv: string[]) {
  const io = memoryIo({ cwd: folder });
  const code = await runCli(['budget', ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

const store = ['--store', 'sqlite:budget.db'];

/** A guard that others use: $0.25 spent by alice, $0.10 held for bob. */
async function inUse(): Promise<BudgetGuard> {
  const guard = new BudgetGuard(
    { total: 1, tokens: { total: 5_000 }, by: { userId: { total: '0.5' } } },
    { name: 'app', ledger },
  );
  const attributes = { userId: 'alice' };
  await (await guard.reserve({ usd: 0.3, tokens: 1_000 }, { attributes })).settle({
    usd: 0.25,
    tokens: 1_200,
  });
  await guard.reserve({ usd: 0.1, tokens: 300 }, { attributes: { userId: 'bob' } });
  await guard.flush();
  return guard;
}

describe('synapsekit budget', () => {
  test('status shows what is spent, held and left, of money and of tokens', async () => {
    await inUse();
    const { code, out } = await budget('status', ...store);
    expect(code).toBe(0);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['key', 'window', 'limit', 'spent', 'held', 'left', 'used'],
      ['app/tokens.total', 'total', '5,000 tok', '1,200 tok', '300 tok', '3,500 tok', '24 %'],
      ['app/total', 'total', '$1.00', '$0.25', '$0.10', '$0.65', '25 %'],
      ['app/userId=alice/total', 'total', '$0.50', '$0.25', '$0.25', '50 %'],
      ['app/userId=bob/total', 'total', '$0.50', '$0.00', '$0.10', '$0.40', '0 %'],
    ]);
    const narrowed = await budget('status', 'app/userId=', ...store, '--json');
    expect(JSON.parse(narrowed.out)).toMatchObject({
      version: 1,
      store: 'sqlite:budget.db',
      counters: [
        {
          key: 'app/userId=alice/total',
          window: 'total',
          unit: 'usd',
          limit: '0.5',
          committed: '0.25',
          held: '0',
          left: '0.25',
        },
        { key: 'app/userId=bob/total', held: '0.1' },
      ],
    });
  });

  test('holds shows who holds what', async () => {
    await inUse();
    const { code, out } = await budget('holds', ...store);
    expect(code).toBe(0);
    expect(out).toMatch(/app\/total +total +\$0\.10 +\d+ s +counted as spent\n/);
    const asJson = JSON.parse((await budget('holds', ...store, '--json')).out);
    expect(asJson.holds).toHaveLength(1);
    expect(asJson.holds[0].lines).toContainEqual({ key: 'app/tokens.total', window: 'total', held: '300' });
  });

  test('reset shows what it would do, and does it with --yes; what is held stays', async () => {
    const guard = await inUse();
    const shown = await budget('reset', 'app/total', ...store);
    expect(shown).toMatchObject({ code: 1, out: 'app/total (total): $0.25 spent, would be reset\n' });
    expect(shown.err).toContain('--yes');
    expect(await guard.status()).toMatchObject({ limits: [{ committedUsd: 0.25 }] });
    const done = await budget('reset', 'app/total', '--yes', ...store);
    expect(done).toEqual({ code: 0, out: 'app/total (total): $0.25 spent, reset\n', err: '' });
    expect(await guard.status()).toMatchObject({ limits: [{ committedUsd: 0, heldUsd: 0.1 }] });
    expect(await budget('reset', 'app/tot', '--yes', ...store)).toMatchObject({ code: 1, out: '' });
    expect((await budget('reset', 'app/total', '--window', 'no', '--yes', ...store)).err).toContain(
      'window no',
    );
  });

  test('a key does not steer the terminal, and is the same in JSON', async () => {
    const guard = new BudgetGuard({ total: 1 }, { name: 'a\u001b[2J\nb', ledger });
    await guard.reserve(0.1);
    for (const action of ['status', 'holds']) {
      const { out } = await budget(action, ...store);
      expect(out.trimEnd().split('\n')).toHaveLength(2);
      expect(out).toContain('a\\u001b[2J\\nb/total');
    }
    const { out } = await budget('reset', 'a\u001b[2J\nb/total', '--yes', ...store);
    expect(out).toBe('a\\u001b[2J\\nb/total (total): $0.00 spent, reset\n');
    const [counter] = JSON.parse((await budget('status', ...store, '--json')).out).counters;
    expect(counter.key).toBe('a\u001b[2J\nb/total');
  });

  test('an empty ledger says so', async () => {
    expect((await budget('status', ...store)).out).toContain('nothing was spent');
    expect((await budget('holds', ...store)).out).toContain('nothing is held');
  });

  test.each([
    [[], 'needs one of status, holds, reset'],
    [['stat', ...store], 'needs one of'],
    [['status'], 'Which store?'],
    [['status', '--store', 'memory'], 'its own process'],
    [['status', '--store', 'postgres://x'], 'memory, sqlite:FILE or redis://'],
    [['status', '--store', 'sqlite:'], 'needs a file'],
    [['status', '--store', 'sqlite:no-such.db'], 'There is no file'],
    [['status', 'a', 'b', ...store], 'takes one key'],
    [['reset', ...store], 'Which key'],
    [['status', '--yes', ...store], 'go with reset'],
    [['status', '--max', '0', ...store], '--max'],
    [['status', '--store', 'redis://:secret@127.0.0.1:1'], 'cannot be reached'],
  ])('%j ends with 2', async (argv, message) => {
    const { code, out, err } = await budget(...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).not.toContain('secret');
  });

  test('a file that is something else is left alone', async () => {
    writeFileSync(join(folder, 'letter.txt'), 'Dear Sir or Madam');
    const { code, err } = await budget('status', '--store', 'sqlite:letter.txt');
    expect(code).toBe(2);
    expect(err).toContain('letter.txt');
  });
});
