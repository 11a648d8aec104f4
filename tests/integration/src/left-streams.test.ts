import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { isSynapseError, parseUsd, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { SimulatedProvider } from '@synapsekit/testing';
import { expect, test } from 'vitest';

const dailyUsd = 0.02;

/** Reads one event of each stream and leaves, until the budget refuses. The provider sends faster than anybody reads. */
async function leaveStreams(onCutStream: 'received' | 'hold') {
  await using provider = await SimulatedProvider.start();
  const tracker = new CostTracker();
  const guard = new BudgetGuard({ daily: dailyUsd }, { tracker, onCutStream });
  const model = new OpenAILLM({
    model: 'gpt-4o',
    baseURL: provider.openaiBaseURL,
    apiKey: 'k',
    config: { maxTokens: 64, trackTokens: true },
  });
  const llm = wrap(model, enforceBudget(guard), trackCost(tracker));
  let admitted = 0;
  for (;;) {
    try {
      for await (const _ of llm.stream('Tell me about tea.')) break;
      admitted += 1;
    } catch (error) {
      if (isSynapseError(error, 'budget-exceeded')) break;
      throw error;
    }
  }
  await provider.idle();
  await guard.flush();
  const { limits, holds } = await guard.status();
  const committed = parseUsd(limits[0]?.committedUsdExact ?? '');
  return {
    admitted,
    committed,
    holds,
    tracked: parseUsd(tracker.totalUsdExact),
    bill: provider.bill.totalPico,
  };
}

test('booked at their holds, streams that are left never cost more than a limit, whatever was under way', async () => {
  const { admitted, committed, holds, bill } = await leaveStreams('hold');
  expect(admitted).toBeGreaterThan(10);
  expect(bill).toBeLessThanOrEqual(committed);
  expect(committed).toBeLessThanOrEqual(parseUsd(dailyUsd));
  expect(holds).toBe(0);
});

test('booked at what was received, the ledger has what the tracker has', async () => {
  const { committed, holds, tracked } = await leaveStreams('received');
  expect(committed).toBe(tracked);
  expect(holds).toBe(0);
});
