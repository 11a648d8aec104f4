import { setTimeout as sleep } from 'node:timers/promises';
import { BudgetGuard } from '@synapsekit/budget';
import { isSynapseError, parseUsd, usdDecimal } from '@synapsekit/core';
import { CostTracker } from '@synapsekit/cost';
import { seededRandom } from '@synapsekit/testing';
import { RedisServer } from '../../../packages/store-redis/test/redis-process.ts';
import { ReplyDropper } from '../../../packages/store-redis/test/reply-dropper.ts';
import { claim, type Row, sameAmount } from './claims.ts';
import { dimePrices, dimeProvider, guardedDime } from './dime.ts';
import { openAddress } from './store.ts';

/** What goes wrong with Redis. */
export type Trouble =
  /** The server is killed and started again, with its log synced at every write. */
  | 'killed, appendfsync always'
  /** The same, synced once a second. */
  | 'killed, appendfsync everysec'
  /** It does what it is told, and its answers are lost on the way. */
  | 'replies lost';

export const troubles: readonly Trouble[] = [
  'killed, appendfsync always',
  'killed, appendfsync everysec',
  'replies lost',
];

/** How it is run. */
export interface LostServerOptions {
  readonly trouble: Trouble;
  readonly seed: number;
  /** How often it happens. */
  readonly times: number;
  readonly onProgress?: (done: number) => void;
}

const workers = 32;
const limitUsd = 10_000;
/** How long a call waits for the ledger. */
const ledgerTimeoutMs = 1_000;
/** Most calls wait until the server is back; every third time it stays away for longer than they do. */
const awayMs = (time: number): number => (time % 3 === 2 ? ledgerTimeoutMs * 1.5 : 100);

/**
 * 32 callers spend while the server is killed and restarted, or its replies are dropped. Their process lives on, so that
 * nothing may be lost and nothing may count twice: what is committed in the end is the bill.
 */
export async function lostServer({ trouble, seed, times, onProgress }: LostServerOptions): Promise<Row> {
  const startMs = performance.now();
  const random = seededRandom(seed);
  const aof =
    trouble === 'replies lost'
      ? []
      : ['--appendonly', 'yes', '--appendfsync', trouble.split(' ').at(-1) ?? ''];
  const server = await RedisServer.start(...aof);
  const dropper = await ReplyDropper.start(server.port);
  const address = `${dropper.url}#proof`;
  const { ledger, close } = await openAddress(address);
  await using provider = await dimeProvider(() => 1 + Math.floor(random() * 10), 10);
  const tracker = new CostTracker({ prices: dimePrices });
  // Short waits: calls are refused while the server is away, and what was spent is sent again until it is back.
  const guard = new BudgetGuard(
    { total: limitUsd },
    { tracker, ledger, ledgerTimeoutMs, onWarning: () => {} },
  );
  const llm = guardedDime(provider.openaiBaseURL, guard, tracker);

  let running = true;
  let calls = 0;
  let away = 0;
  const odd: string[] = [];
  const worker = async (): Promise<void> => {
    while (running) {
      calls += 1;
      try {
        await llm.generate('A dime, please.');
      } catch (error) {
        if (isSynapseError(error, 'ledger') && error.transient) away += 1;
        else odd.push(String(error));
        await sleep(20);
      }
    }
  };
  const spending = Array.from({ length: workers }, worker);
  for (let i = 0; i < times; i++) {
    await sleep(200 + random() * 100);
    if (trouble === 'replies lost') {
      dropper.dropNext = 1;
    } else {
      await server.kill();
      await sleep(awayMs(i));
      await server.start();
    }
    onProgress?.(i + 1);
  }
  await sleep(200);
  running = false;
  await Promise.all(spending);
  await provider.idle();
  await guard.flush();
  const leakedHolds = (await ledger.holds()).length;
  const counters = await ledger.counters();
  const status = await guard.status();
  await guard.dispose();
  await close();
  await dropper.dispose();
  await server.dispose();

  const committed = counters.reduce((sum, counter) => sum + counter.committed, 0n);
  const bill = provider.bill.totalPico;
  const happened = trouble === 'replies lost' ? dropper.dropped : times;
  return {
    scenario:
      trouble === 'replies lost'
        ? 'replies of Redis lost on the way'
        : 'Redis killed and restarted under load',
    subject: `redis, ${trouble}`,
    calls,
    admitted: provider.bill.entries.length,
    refused: away,
    overshootPico: bill > parseUsd(limitUsd) ? bill - parseUsd(limitUsd) : 0n,
    falseRefusals: undefined,
    utilisation: undefined,
    leakedHolds,
    seconds: (performance.now() - startMs) / 1000,
    note: `${happened} times; refused are calls made while it was away`,
    claims: [
      claim(
        'it happened under load',
        happened > 0 && provider.bill.entries.length > happened,
        `${happened} times, ${calls} calls`,
      ),
      sameAmount('what is committed is what the provider bills', committed, bill),
      claim('committed is never less than the bill', committed >= bill, `$${usdDecimal(committed)}`),
      claim('no hold is left', leakedHolds === 0 && status.holds === 0, leakedHolds),
      claim(
        'every booking arrived',
        status.pendingPosts === 0 && status.failedPosts === 0,
        status.pendingPosts,
      ),
      claim(
        'calls that waited too long meanwhile fail with a transient LedgerError and nothing else',
        odd.length === 0 && (trouble === 'replies lost' || away > 0),
        `${away} did; ${odd[0] ?? 'none else'}`,
      ),
    ],
  };
}
