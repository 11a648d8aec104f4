import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { budgetChannel, channelNames, defineLLM, type LLM, wrap } from '@synapsekit/core';
import { expect, test } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestTracker, track } from '../test/test-tracker.ts';
import { BudgetGuard, type PlannedUsage } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';

/** Says words of one token (four bytes) for as long as anybody listens, whatever `maxTokens` says. */
function endless(words = 10_000) {
  let said = 0;
  const llm = defineLLM({
    provider: 'test',
    model: 'dime',
    generate: () => 'word'.repeat(words),
    async *stream() {
      for (let i = 0; i < words; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        said += 1;
        yield 'word';
      }
      return { usage: { inputTokens: 1, outputTokens: words } };
    },
  });
  return { llm, said: () => said };
}

const cutting = { prices, cutStreams: true, tokenCounter: false } as const;

test('a stream that costs what was held for it is cut; what came is handed out and booked', async () => {
  const tracker = new TestTracker();
  const guard = new BudgetGuard({ total: 10 }, { ...cutting, tracker });
  const model = endless();
  const llm = wrap(model.llm, enforceBudget(guard), track(tracker));
  const stream = llm.stream('Hi', { maxTokens: 100 });
  const events = [];
  for await (const event of stream) events.push(event);
  const { text, finishReason, attempts, usage } = await stream.result;
  expect(finishReason).toBe('budget_cut');
  expect(events.at(-1)).toEqual({ type: 'finish', finishReason: 'budget_cut' });
  expect(text).toBe('word'.repeat(100));
  expect(events.filter(({ type }) => type === 'text')).toHaveLength(100);
  expect(model.said()).toBeLessThanOrEqual(101);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['partial']);
  expect(usage).toMatchObject({ outputTokens: 100, source: 'estimated' });
  expect(await guard.status()).toMatchObject({
    holds: 0,
    limits: [{ committedUsdExact: '0.1', heldUsdExact: '0' }],
  });
  expect(tracker.totalPico).toBe(100_000_000_000n);
});

test('without cutStreams it runs on, and all of it is booked', async () => {
  const guard = new BudgetGuard({ total: 10 }, { prices });
  const { finishReason } = await wrap(endless(300).llm, enforceBudget(guard)).stream('Hi', { maxTokens: 100 })
    .result;
  expect(finishReason).toBe('stop');
  expect(await guard.status()).toMatchObject({ limits: [{ committedUsdExact: '0.3' }] });
});

test('one that keeps to its maxTokens is not cut', async () => {
  const guard = new BudgetGuard({ total: 10 }, cutting);
  const { finishReason, text } = await wrap(endless(99).llm, enforceBudget(guard)).stream('Hi', {
    maxTokens: 100,
  }).result;
  expect([finishReason, text.length]).toEqual(['stop', 99 * 4]);
});

test('limits of tokens cut too, models without a price among them', async () => {
  const guard = new BudgetGuard({ tokens: { total: 1_000 } }, { cutStreams: true, tokenCounter: false });
  const llm = wrap(endless().llm, enforceBudget(guard));
  const { finishReason, text } = await llm.stream('Hi', { maxTokens: 50 }).result;
  expect(finishReason).toBe('budget_cut');
  expect(text.length / 4).toBeLessThanOrEqual(62); // 50 and the bound of the prompt
});

test('whoever leaves first still has left', async () => {
  const guard = new BudgetGuard({ total: 10 }, cutting);
  const stream = wrap(endless().llm, enforceBudget(guard)).stream('Hi', { maxTokens: 100 });
  let words = 0;
  for await (const _ of stream.textStream) {
    words += 1;
    if (words === 10) break;
  }
  expect((await stream.result).finishReason).toBe('aborted');
  expect(await guard.status()).toMatchObject({ holds: 0, limits: [{ heldUsd: 0 }] });
});

test('the channel is told', async () => {
  const messages: unknown[] = [];
  const listen = (message: unknown) => messages.push(message);
  subscribe(channelNames.budget, listen);
  try {
    const guard = new BudgetGuard({ total: 10 }, { ...cutting, name: 'cutter' });
    await wrap(endless().llm, enforceBudget(guard)).stream('Hi', { maxTokens: 10 }).result;
  } finally {
    unsubscribe(channelNames.budget, listen);
  }
  expect(budgetChannel.hasSubscribers).toBe(false);
  expect(messages).toContainEqual(
    expect.objectContaining({
      type: 'cut',
      guard: 'cutter',
      attemptId: expect.any(String),
      amountUsd: '0.01',
    }),
  );
});

test('a hundred streams at once are each cut at their own hold', async () => {
  const guard = new BudgetGuard({ total: 10 }, cutting);
  const llm: LLM = wrap(endless().llm, enforceBudget(guard));
  const streams = Array.from({ length: 100 }, (_, i) => llm.stream('Hi', { maxTokens: 1 + (i % 20) }).result);
  const lengths = (await Promise.all(streams)).map(({ text }) => text.length / 4);
  expect(lengths).toEqual(lengths.map((_, i) => 1 + (i % 20)));
  expect(await guard.status()).toMatchObject({
    holds: 0,
    limits: [{ committedUsdExact: '1.05', heldUsdExact: '0' }],
  });
});

test('PlannedUsage may name a model without a price where only tokens count', async () => {
  const guard = new BudgetGuard({ tokens: { total: 1_000 } });
  const planned: PlannedUsage = { model: 'own', inputTokens: 100 };
  const hold = await guard.reserve(planned);
  expect(hold.maxOutputTokens).toBe(900);
  await hold.release();
});
