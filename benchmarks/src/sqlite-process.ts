/** One of the processes of `raceOnSqlite`. */
import { once } from 'node:events';
import { SqliteLedger } from '@synapsekit/store-sqlite';
import { requestsOver } from './ledger-requests.ts';
import type { Race, Ran } from './sqlite-race.ts';

const { path, durability, atOnce, forMs } = JSON.parse(process.argv[2] ?? '{}') as Race;
const requests = requestsOver(1_000);
const warmUpPairs = 3_000;

let pairs = 0;
let longestMs = 0;

async function timed(work: Promise<unknown>): Promise<void> {
  const startMs = performance.now();
  await work;
  longestMs = Math.max(longestMs, performance.now() - startMs);
}

/** Pairs, so many in flight, until `isOver`. */
async function spend(ledger: SqliteLedger, isOver: () => boolean): Promise<void> {
  await Promise.all(
    Array.from({ length: atOnce }, async (_, worker) => {
      for (let i = 0; !isOver(); i++) {
        const lines = requests.at(i * atOnce + worker);
        const holdId = `${process.pid}-${worker}-${i}`;
        await timed(ledger.reserve({ holdId, lines, leaseMs: 60_000, onExpiry: 'book' }));
        await timed(ledger.post({ attemptId: holdId, holdId, lines, kind: 'actual', close: true }));
        pairs++;
      }
    }),
  );
}

// A process that just began computes several times slower until V8 has compiled it: a file of its own to begin with.
const own = await SqliteLedger.open({ path: `${path}-${process.pid}`, durability: 'normal' });
await spend(own, () => pairs >= warmUpPairs);
await own.dispose();

const ledger = await SqliteLedger.open({ path, durability, lockTimeoutMs: 20_000 });
process.send?.('ready');
await once(process, 'message');
pairs = 0;
longestMs = 0;
const endMs = performance.now() + forMs;
await spend(ledger, () => performance.now() >= endMs);
const ran: Ran = { pairs, longestMs };
process.send?.(ran);
await ledger.dispose();
process.disconnect();
