import { setTimeout as sleep } from 'node:timers/promises';
import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { isSynapseError, type LedgerStore, type LLM, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { limitOf } from './booked.ts';
import { Meter } from './meter.ts';
import { connectModels, tutorialModels } from './models.ts';
import { endpointsOf, type SimulatedStage } from './stage.ts';

/** A crowd, and what it may spend in a day. */
export interface BurstOptions {
  readonly queries: number;
  readonly dailyUsd: number;
  /** Where it is counted. @default in the memory of this process, from zero */
  readonly ledger?: LedgerStore | undefined;
}

/** What a burst against a daily limit came to. Amounts are dollars, exact. */
export interface BurstFacts {
  readonly admitted: number;
  readonly refused: number;
  /** How many requests arrived at the provider. */
  readonly requests: number;
  /** By the tracker. */
  readonly spentUsd: string;
  /** What others had spent of the limit before, where it is shared. */
  readonly earlierUsd: string;
  /** By the guard, all that is spent of the limit. */
  readonly bookedUsd: string;
  readonly leftUsd: string;
  /** By the provider. */
  readonly billedUsd: string;
}

/** The way that looks right: ask whether anything is left, call, book. A crowd passes the same check together. */
export function checkThenSpend(stage: SimulatedStage, options: BurstOptions): Promise<BurstFacts> {
  const { signal } = stage;
  return playBurst(stage, options, ({ guard, tracker, model }) => async (query) => {
    await guard.checkBefore(0, { signal });
    const { usage } = await model.generate(query, { maxTokens, signal });
    tracker.record(model.id, usage);
  });
}

/** The way that holds: each call sets its worst case aside before it is sent, and gives back what it did not cost. */
export function reserveThenSpend(stage: SimulatedStage, options: BurstOptions): Promise<BurstFacts> {
  return playBurst(stage, { ...options, ledger: stage.ledger }, ({ guard, tracker, model }) => {
    const llm = wrap(model, enforceBudget(guard), trackCost(tracker));
    return (query) => askPatiently(llm, query, stage.signal);
  });
}

const maxTokens = 300;

/** Asks again while the refusal says that calls in flight hold the rest of the budget, and may give it back. */
async function askPatiently(llm: LLM, query: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await llm.generate(query, { maxTokens, signal });
      return;
    } catch (error) {
      if (!isSynapseError(error, 'budget-exceeded') || error.fits !== 'in-flight') throw error;
      await sleep(25, undefined, { signal });
    }
  }
}

/** Lets all queries go at once. */
async function playBurst(
  { provider }: SimulatedStage,
  { queries, dailyUsd, ledger }: BurstOptions,
  prepare: (parts: {
    readonly guard: BudgetGuard;
    readonly tracker: CostTracker;
    readonly model: LLM;
  }) => (query: string) => Promise<void>,
): Promise<BurstFacts> {
  const tracker = new CostTracker({ onWarning: () => {} });
  const guard = new BudgetGuard(
    { daily: dailyUsd },
    { tracker, ledger, ledgerTimeoutMs: 10_000, name: 'demo-burst' },
  );
  const { committedUsdExact: earlierUsd } = await limitOf(guard, 'daily');
  const model = connectModels(tutorialModels, endpointsOf(provider)).spare;
  const ask = prepare({ guard, tracker, model });
  const meter = new Meter(provider);
  let refused = 0;
  let admitted = 0;
  await Promise.all(
    Array.from({ length: queries }, async (_, user) => {
      try {
        await ask(`Summarise the CAP theorem with examples, for user ${user + 1}.`);
        admitted++;
      } catch (error) {
        if (!isSynapseError(error, 'budget-exceeded')) throw error;
        refused++;
      }
    }),
  );
  const { committedUsdExact: bookedUsd, leftUsdExact: leftUsd } = await limitOf(guard, 'daily');
  const { requests, billedUsd } = meter;
  const spentUsd = tracker.totalUsdExact;
  return { admitted, refused, requests, spentUsd, earlierUsd, bookedUsd, leftUsd, billedUsd };
}
