import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type BudgetMessage, channelNames, type InspectableLedger, parseUsd } from '@synapsekit/core';
import { SimulatedProvider, seededRandom } from '@synapsekit/testing';
import { Books } from './books.ts';
import { orderFaults } from './faults.ts';
import { type HeapSample, heapTrend } from './heap-trend.ts';
import { ProcessWatch } from './process-watch.ts';
import type { SoakReport } from './report.ts';
import { Stack } from './stack.ts';
import { Traffic } from './traffic.ts';
import { Violations } from './violations.ts';
import { WatchedClock } from './watched-clock.ts';

/** How long, how much, on what. */
export interface SoakPlan {
  readonly seconds: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly ledger: InspectableLedger;
  readonly store: string;
  /** Collects garbage, all of it. */
  readonly gc: () => void;
  /** Told after each round. */
  readonly onRound: (report: SoakReport) => void;
}

/**
 * Runs callers in rounds. Between two rounds nothing is on its way, so that everything can be compared exactly: each
 * attempt in all four books, every total, what is open, and the heap.
 */
export async function soak(plan: SoakPlan): Promise<SoakReport> {
  const { seconds, concurrency, seed, ledger, store, gc, onRound } = plan;
  const violations = new Violations();
  const books = new Books(violations);
  const random = seededRandom(seed);
  const clock = new WatchedClock();
  await using simulated = await SimulatedProvider.start({
    random: seededRandom(seed + 1),
    latencyMs: () => random() * 10,
    chunkDelayMs: () => (random() < 0.1 ? 1 : 0),
    maxRecords: 500,
    onRequest: (request) => books.request(request),
  });
  const guardName = `soak-${seed}-${Date.now().toString(36)}`;
  const stack = new Stack({ simulated, ledger, clock, random, guardName, violations });
  stack.tracker.onRecord((record) => books.record(record));
  const onBudget = (message: unknown): void => {
    const { type, guard } = message as BudgetMessage;
    if (type === 'booking' && guard === guardName) books.booking(message as BudgetMessage);
  };
  subscribe(channelNames.budget, onBudget);
  using watch = new ProcessWatch(violations, 6 * concurrency);
  const traffic = new Traffic(stack, books, random, violations);
  const lasting = Array.from({ length: concurrency }, () => new AbortController().signal);

  // SDKs and tokenizers are loaded before anything is timed.
  await Promise.all(stack.models.map((llm) => traffic.warmUp(llm)));
  orderFaults(simulated);

  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  const roundMs = Math.min(10_000, (seconds * 1_000) / 6);
  const heap: HeapSample[] = [];
  const reportNow = (): SoakReport => ({
    seed,
    store,
    concurrency,
    seconds: (performance.now() - startMs) / 1_000,
    rounds: heap.length,
    calls: traffic.calls,
    ends: Object.fromEntries(traffic.ends),
    outcomes: Object.fromEntries(books.outcomes),
    totals: books.totals,
    heapBytes: heap.at(-1)?.bytes ?? 0,
    trend: heapTrend(heap),
    violations: violations.list(),
  });

  while (performance.now() < endMs) {
    const roundEndsMs = Math.min(endMs, performance.now() + roundMs);
    await Promise.all([
      ...lasting.map((signal) => traffic.caller(roundEndsMs, signal)),
      heap.length % 3 === 1 ? closePort(simulated, random() * roundMs * 0.8, 20 + random() * 60) : undefined,
    ]);
    await simulated.idle();
    await stack.guard.flush();
    books.settle();
    await checkTotals(stack, traffic, books, simulated, violations);
    await checkNothingOpen({ stack, ledger, guardName, clock, violations });
    checkSignals([...traffic.usedSignals.splice(0), ...lasting], violations);
    watch.check();
    heap.push({ calls: traffic.calls, bytes: await settledHeap(gc) });
    onRound(reportNow());
  }
  unsubscribe(channelNames.budget, onBudget);
  const trend = heapTrend(heap);
  if (trend?.leaks === true) {
    violations.add('the heap grows', `${trend.grownBytes} bytes over ${trend.calls} calls`);
  }
  await stack.guard.dispose();
  return reportNow();
}

/** For a moment nobody gets through. */
async function closePort(simulated: SimulatedProvider, afterMs: number, forMs: number): Promise<void> {
  await delay(afterMs);
  await using _closed = simulated.refuseConnections();
  await delay(forMs);
}

/** Every total that anybody keeps is the sum of the attempts that were compared one by one. */
async function checkTotals(
  { tracker, guard }: Stack,
  { scopes }: Traffic,
  { totals, byUser }: Books,
  simulated: SimulatedProvider,
  violations: Violations,
): Promise<void> {
  const same = (kind: string, actual: bigint, expected: bigint): void =>
    violations.expect(actual === expected, `total: ${kind}`, `${actual} instead of ${expected}`);
  same('the bill', simulated.bill.totalPico, totals.billedPico);
  same('the tracker', parseUsd(tracker.totalUsdExact), totals.trackerPico);
  for (const [user, { trackerPico }] of byUser) {
    same('the scope of a user', parseUsd(scopes.get(user)?.costUsdExact ?? '0'), trackerPico);
  }
  for (const [user, { guardPico }] of byUser) {
    const { limits } = await guard.status({ attributes: { userId: user } });
    for (const { limit, attribute, window, committedUsdExact } of limits) {
      if (limit !== 'total' && limit !== 'daily') continue;
      if (window !== undefined && window !== firstDay) continue; // the run went past midnight
      same(
        attribute === undefined ? `the guard, ${limit}` : `the guard, ${limit} of a user`,
        parseUsd(committedUsdExact),
        attribute === undefined ? totals.guardPico : guardPico,
      );
    }
  }
}

const firstDay = new Date().toISOString().slice(0, 10);

interface Open {
  readonly stack: Stack;
  readonly ledger: InspectableLedger;
  readonly guardName: string;
  readonly clock: WatchedClock;
  readonly violations: Violations;
}

/** Nobody calls: nothing is held, queued, pending or waited for. */
async function checkNothingOpen({ stack, ledger, guardName, clock, violations }: Open): Promise<void> {
  const { guard, places } = stack;
  const status = await guard.status({ attributes: { userId: 'user-0' } });
  const { holds, queued, pendingPosts, failedPosts, unpriced, unattributed, limits } = status;
  const counts = { holds, queued, pendingPosts, failedPosts, unpriced, unattributed };
  for (const [name, count] of Object.entries(counts))
    violations.expect(count === 0, `guard: ${name}`, `${count}`);
  for (const { limit, heldUsdExact } of limits) {
    violations.expect(heldUsdExact === '0', `held under ${limit}`, heldUsdExact);
  }
  const left = (await ledger.holds()).filter(({ lines }) => lines.some(({ key }) => key.includes(guardName)));
  violations.expect(left.length === 0, 'ledger: open holds', `${left.length}`);
  violations.expect(places.running === 0 && places.queued === 0, 'bulkhead: places taken');
  violations.expect(clock.pending === 0, 'timers pending', `${clock.pending}`);
}

function checkSignals(signals: readonly AbortSignal[], violations: Violations): void {
  for (const signal of signals) {
    const count = getEventListeners(signal, 'abort').length;
    violations.expect(count === 0, 'listeners on a signal', `${count}`);
  }
}

/** Finalizers and what they free need a turn in between. */
async function settledHeap(gc: () => void): Promise<number> {
  for (let round = 0; round < 3; round++) {
    gc();
    await delay(10);
  }
  return process.memoryUsage().heapUsed;
}
