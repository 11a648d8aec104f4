/** A process that shares a ledger: `node child.ts <what> <file> <durability> [count] [name]`. Prints what was acknowledged. */
import { writeSync } from 'node:fs';
import { SqliteLedger } from '../src/sqlite-ledger.ts';
import type { SqliteDurability } from '../src/sqlite-ledger-options.ts';

const [, , what = '', path = '', durability = 'normal', count = '0', name = String(process.pid)] =
  process.argv;
const key = { key: 'daily', window: { id: '2026-11-23@UTC' } };
const lockTimeoutMs = 120_000; // a slow machine is no failure
const ledger = await SqliteLedger.open({ path, durability: durability as SqliteDurability, lockTimeoutMs });

/** Says it before anything else happens: what `console` says may be lost when the process is killed. */
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

/** Waits for the others, so that all begin at once. */
const others = async (): Promise<void> => {
  say('ready');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  process.stdin.destroy();
};

const reserve = (holdId: string, limit: bigint) =>
  ledger.reserve({ holdId, lines: [{ ...key, limit, amount: 100n }], leaseMs: 3_600_000, onExpiry: 'book' });

const pair = async (id: string): Promise<void> => {
  await reserve(id, 2n ** 62n);
  await ledger.post({
    attemptId: id,
    holdId: id,
    lines: [{ ...key, amount: 7n }],
    kind: 'actual',
    close: true,
  });
};

switch (what) {
  case 'admit': {
    await others();
    const results = await Promise.all(
      Array.from({ length: Number(count) }, (_, i) => reserve(`${name}-${i}`, 5_000n)),
    );
    say(`admitted ${results.filter(({ admitted }) => admitted).length}`);
    await ledger.dispose();
    break;
  }
  case 'spend':
    // Until it is killed.
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let i = 0; ; i++) {
          const id = `${name}-${worker}-${i}`;
          say(`asked ${id}`);
          await pair(id);
          say(`spent ${id}`);
        }
      }),
    );
    break;
  case 'race': {
    await others();
    await Promise.all(
      Array.from({ length: 4 }, async (_, worker) => {
        for (let i = 0; i < Number(count) / 4; i++) {
          await pair(`${name}-${worker}-${i}`);
          say('step');
        }
      }),
    );
    await ledger.dispose();
    break;
  }
  case 'close':
    // The last of them begins to empty the log. Nothing else is left to do then but to close.
    await Promise.all(Array.from({ length: Number(count) }, (_, i) => pair(`${name}-${i}`)));
    await ledger.dispose();
    say('closed');
    break;
  case 'leave':
    // Enough for the checkpoint's thread to be running. Then it ends without a word.
    await Promise.all(Array.from({ length: Number(count) }, (_, i) => pair(`${name}-${i}`)));
    say('done');
    break;
  default:
    throw new Error(`What is ${what}?`);
}
