import { failoverGenerate, isSynapseError, type LLM, wrap } from '@synapsekit/core';
import { expect, test } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { TestTracker, track } from '../test/test-tracker.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';
import { refusalToHttp } from './refusal-to-http.ts';

const daily = async (guard: BudgetGuard) => (await guard.status()).tokenLimits.at(-1);

test('tokens of prompt and answer are held, booked and refused; no price is needed', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard({ tokens: { perRequest: 500, daily: 600 } });
  const llm = wrap(
    provider.model('own', 'unpriced', () => 40),
    enforceBudget(guard),
  );
  await llm.generate('Hi', { maxTokens: 100 });
  expect(await daily(guard)).toMatchObject({
    limit: 'tokens.daily',
    limitTokens: 600,
    committedTokens: 42, // two of the prompt
    heldTokens: 0,
    leftTokens: 558,
    utilisation: 0.07,
  });
  await expect(llm.generate('Hi', { maxTokens: 500 })).rejects.toMatchObject({
    name: 'BudgetExceededError',
    limit: 'tokens.perRequest',
    fits: 'never',
    neededUsd: undefined,
    tokens: { limit: 500, committed: 0, held: 0, needed: 512 },
  });
  await guard.reserve({ tokens: 200 });
  const refused = await llm.generate('Hi', { maxTokens: 400 }).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    limit: 'tokens.daily',
    fits: 'in-flight',
    tokens: { limit: 600, committed: 42, held: 200, needed: 412 },
  });
  expect((refused as Error).message).toContain('may take up to 412 tokens');
  expect(refusalToHttp(refused)?.status).toBe(429);
  expect(provider.arrived).toHaveLength(1);
});

test('beside limits of money, both are kept, all or nothing', async () => {
  const guard = new BudgetGuard({ total: 1, tokens: { total: 150 } }, { prices });
  const llm = wrap(new TestProvider().model('test', 'dime'), enforceBudget(guard));
  await llm.generate('Hi', { maxTokens: 100 });
  await expect(llm.generate('Hi', { maxTokens: 100 })).rejects.toMatchObject({ limit: 'tokens.total' });
  const { limits, tokenLimits, holds } = await guard.status();
  expect(limits).toMatchObject([{ committedUsdExact: '0.1', heldUsdExact: '0' }]);
  expect(tokenLimits).toMatchObject([{ committedTokens: 102, heldTokens: 0 }]);
  expect(holds).toBe(0);
  await expect(guard.reserve({ usd: 2, tokens: 10 })).rejects.toMatchObject({
    limit: 'total',
    limitUsd: '1',
  });
});

test('a free model is bounded by tokens all the same', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard({ total: 0, tokens: { total: 300 } }, { prices, minOutputTokens: 20 });
  const llm = wrap(
    provider.model('local', 'free', (_, { maxTokens = 0 }) => maxTokens),
    enforceBudget(guard),
  );
  await llm.generate('Hi');
  expect(provider.arrived[0]?.maxTokens).toBe(288); // 300 less the bound of the prompt
  await expect(llm.generate('Hi')).rejects.toMatchObject({ limit: 'tokens.total' });
});

test('clamp lowers maxTokens until the tokens fit', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard({ tokens: { total: 112 } }, { onExceeded: 'clamp' });
  await wrap(provider.model('own', 'x'), enforceBudget(guard)).generate('Hi', { maxTokens: 4_000 });
  expect(provider.arrived[0]?.maxTokens).toBe(100);
});

test('by hand: reserve and settle tokens', async () => {
  const guard = new BudgetGuard({ tokens: { total: 100 } });
  const hold = await guard.reserve({ tokens: 80 });
  expect(hold.heldTokens).toBe(80);
  await expect(guard.reserve({ tokens: 21 })).rejects.toMatchObject({ limit: 'tokens.total' });
  await hold.settle({ tokens: 30 });
  expect(await daily(guard)).toMatchObject({ committedTokens: 30, heldTokens: 0 });
  await expect(guard.reserve({ tokens: 1.5 })).rejects.toThrow('amount.tokens');
  await expect(guard.reserve({ token: 1 } as never)).rejects.toThrow('token');
});

test('records count their tokens, once; one without a price too', async () => {
  const tracker = new TestTracker();
  const guard = new BudgetGuard({ total: 1, tokens: { total: 1_000 } }, { tracker, onWarning: () => {} });
  const llm = wrap(new TestProvider().model('test', 'dime'), enforceBudget(guard), track(tracker));
  await llm.generate('Hi', { maxTokens: 100 });
  tracker.record('test', 'dime', { inputTokens: 10, outputTokens: 20 });
  tracker.record('nobody', 'knows', { inputTokens: 10, outputTokens: 20 });
  const { limits, tokenLimits, unpriced } = await guard.status();
  expect(limits).toMatchObject([{ committedUsdExact: '0.12' }]);
  expect(tokenLimits).toMatchObject([{ committedTokens: 102 + 30 + 30 }]);
  expect(unpriced).toBe(1);
});

test('after a refusal by tokens, failover goes only to a model that would hold fewer', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard({ tokens: { total: 200 } });
  const guarded = (model: string, maxTokens: number): LLM =>
    wrap(provider.model('own', model, undefined, { maxTokens }), enforceBudget(guard));
  const { servedBy, failures } = await failoverGenerate(
    [guarded('long', 500), guarded('longer', 600), guarded('short', 100)],
    'Hi',
  );
  expect(servedBy).toBe('own/short');
  expect(failures.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['own/long', 'skipped'],
    ['own/longer', 'skipped'],
  ]);
  expect(failures.every(({ error }) => isSynapseError(error, 'budget-exceeded'))).toBe(true);
});

test.each([
  [{ tokens: { daily: 1.5 } }],
  [{ tokens: { daily: -1 } }],
  [{ tokens: { daily: '5' } }],
  [{ tokens: 5 }],
])('%j is refused', (limits) => {
  expect(() => new BudgetGuard(limits as never)).toThrow('tokens');
});

test('a thousand at once against a limit of tokens: exactly those that fit', async () => {
  const guard = new BudgetGuard({ tokens: { total: 5_100 } });
  const llm = wrap(
    new TestProvider().model('own', 'x', () => 100),
    enforceBudget(guard),
  );
  const results = await Promise.allSettled(
    Array.from({ length: 1_000 }, () => llm.generate('Hi', { maxTokens: 100 })),
  );
  // 112 are held for each while all run; as they settle for 102 nobody asks again.
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(45);
  expect(await daily(guard)).toMatchObject({ committedTokens: 45 * 102, heldTokens: 0 });
});
