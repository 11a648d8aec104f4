/** A process that spends from a shared budget: what it is to do stands in its first argument, as JSON. */
import { BudgetGuard } from '@synapsekit/budget';
import { isSynapseError } from '@synapsekit/core';
import { CostTracker } from '@synapsekit/cost';
import { dimePrices, guardedDime } from './dime.ts';
import { openAddress, patienceMs } from './store.ts';

/** What a child is told. */
export interface ChildOrders {
  readonly name: string;
  /** Of the ledger. */
  readonly address: string;
  readonly baseURL: string;
  readonly limitUsd: number;
  /** So many calls at once, then the end. */
  readonly burst?: number;
  /** Or so many at a time, each told of when it is over, until it is killed. */
  readonly workers?: number;
  readonly leaseMs?: number;
}

/** What it says of each call that it sees the end of, or that was refused, while it spends for ever. */
export interface ChildWord {
  readonly callId: string;
  /** Why it failed, where it was no refusal: it may be billed, and booked later. */
  readonly failure?: string;
  /** Nothing was sent: the limit is met. */
  readonly refused?: true;
}

/** What it says when a burst is over. */
export interface BurstOutcome {
  readonly admitted: number;
  readonly refused: number;
  /** Failures that are no refusals. */
  readonly failures: readonly string[];
}

const orders = JSON.parse(process.argv[2] ?? '') as ChildOrders;
const { name, address, baseURL, limitUsd, burst, workers = 1, leaseMs = 60_000 } = orders;
const tracker = new CostTracker({ prices: dimePrices });
const { ledger, close } = await openAddress(address);
const guard = new BudgetGuard(
  burst === undefined
    ? { total: limitUsd, by: { callId: { total: 0.1 } } } // a counter of its own for each call
    : { total: limitUsd },
  { tracker, ledger, leaseMs, ledgerTimeoutMs: patienceMs },
);
const llm = guardedDime(baseURL, guard, tracker);

const go = new Promise((resolve) => process.once('message', resolve));
process.send?.('ready');
await go;

if (burst === undefined) {
  await Promise.all(Array.from({ length: workers }, (_, worker) => spendForEver(worker)));
} else {
  const results = await Promise.allSettled(
    Array.from({ length: burst }, () => llm.generate('A dime, please.')),
  );
  await guard.flush();
  const errors = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const refused = errors.filter((error) => isSynapseError(error, 'budget-exceeded')).length;
  const failures = errors.filter((error) => !isSynapseError(error, 'budget-exceeded')).map(String);
  process.send?.({ admitted: burst - errors.length, refused, failures } satisfies BurstOutcome);
  await guard.dispose();
  await close();
  process.disconnect();
}

/** Resolves when it is out of this process. */
function say(word: ChildWord): Promise<unknown> {
  return new Promise((told) => process.send?.(word, told));
}

/** One call after the other, each with a name of its own. */
async function spendForEver(worker: number): Promise<void> {
  for (let i = 0; ; i++) {
    const callId = `${name}-${worker}-${i}`;
    try {
      await llm.generate(callId, { attributes: { callId } });
      await guard.flush();
      await say({ callId }); // over, and booked
    } catch (error) {
      if (isSynapseError(error, 'budget-exceeded')) {
        await say({ callId, refused: true });
        await new Promise((next) => setTimeout(next, 20));
      } else await say({ callId, failure: String(error) });
    }
  }
}
