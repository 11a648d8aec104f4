import { LedgerError, type LedgerStore, wrap } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { expect, test } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { TestTracker } from '../test/test-tracker.ts';
import { BudgetGuard } from './budget-guard.ts';
import type { BudgetLimit } from './budget-limit.ts';
import { enforceBudget } from './enforce-budget.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';

const maxTokens = 100; // of test/dime: ten cents
const usage = { inputTokens: 1_000, outputTokens: 1_000 }; // of gpt-4o: $0.0125
const quiet = { onWarning: () => {} };

async function spent(guard: BudgetGuard) {
  const { limits, failedPosts } = await guard.status();
  return { failedPosts, committed: limits.map(({ committedUsdExact }) => committedUsdExact) };
}

test('shares that come to the same amount are all told, and nothing is lost over them', async () => {
  const told: string[] = [];
  const guard = new BudgetGuard(
    { total: 4_000_000, daily: 0, tokens: { total: 1 } },
    {
      thresholds: [0.5, 0.8, 0.8000001, 2],
      onThreshold: ({ limit, threshold }) => told.push(`${limit} ${threshold}`),
    },
  );
  const hold = await guard.reserve({ usd: 0 });
  await hold.settle({ usd: 0.5, tokens: 1 });
  expect(await spent(guard)).toEqual({ failedPosts: 0, committed: ['0.5', '0.5'] });
  const shares = [0.5, 0.8, 0.8000001];
  expect(told.toSorted()).toEqual(
    [
      ...[...shares, 2].map((share) => `daily ${share}`),
      ...shares.map((share) => `tokens.total ${share}`),
    ].sort(),
  );
});

test('a booking that the ledger refuses for good ends its hold all the same, and counts once', async () => {
  const ledger = new MemoryLedger();
  const guard = new BudgetGuard({ total: 5 }, { ledger, ...quiet });
  const hold = await guard.reserve(1);
  await hold.settle(5_000_000);
  expect(ledger.holds()).toEqual([]);
  await expect(guard.reserve(1)).rejects.toMatchObject({ committedUsd: '5000000', heldUsd: '0' });
});

test('a limit that the ledger cannot count is refused when it is given', () => {
  const build = (limits: BudgetLimit) => () => new BudgetGuard(limits);
  expect(build({ daily: 5_000_000 })).toThrow(/daily is more than the ledger can count/);
  expect(build({ by: { user: { total: '1e300' } } })).toThrow(/by\.user\.total is more/);
  expect(build({ daily: 4_611_686, perRequest: 5_000_000 })).not.toThrow();
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no such plan');
    },
    'no such plan',
  ],
  ['gives something else', () => 5, 'by.plan must be an object of limits'],
  ['gives a promise', async () => ({ daily: 1 }), 'by.plan must give its limits at once'],
  [
    'gives a promise that rejects',
    async () => {
      throw new Error('no such plan');
    },
    'by.plan must give its limits at once',
  ],
])(
  'a function for limits that %s: calls are refused, what was spent counts elsewhere',
  async (_, of, why) => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', listen);
    const tracker = new TestTracker();
    const codes: string[] = [];
    const limits = { total: 5, by: { plan: of } } as unknown as BudgetLimit;
    const guard = new BudgetGuard(limits, { tracker, onWarning: ({ code }) => codes.push(code) });
    await expect(guard.reserve(1, { attributes: { plan: 'free' } })).rejects.toThrow(why);
    tracker.scope({ plan: 'free' }, () => tracker.record('openai', 'gpt-4o', usage));
    const [total] = (await guard.status()).limits;
    expect(total?.committedUsdExact).toBe('0.0125');
    expect(codes).toEqual(['SYNAPSEKIT_BUDGET_LIMITS_FAILED']);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  },
);

test('half a character in a value stops nothing', async () => {
  const tracker = new TestTracker();
  const guard = new BudgetGuard({ by: { userId: { total: 1 } } }, { tracker });
  const attributes = { userId: '😀'.slice(0, 1) };
  await (await guard.reserve(0.5, { attributes })).settle(0.5);
  tracker.scope(attributes, () => tracker.record('openai', 'gpt-4o', usage));
  expect(guard.remaining({ attributes })[0]?.leftUsd).toBe(0.4875);
});

test.each([null, Number.NaN, {}, Object.create(null), [], () => 1])('%s is nobody', async (userId) => {
  const guard = new BudgetGuard({ by: { userId: { total: 1 } } });
  await expect(guard.reserve(0.1, { attributes: { userId } as never })).rejects.toMatchObject({
    option: 'attributes.userId',
  });
});

test('a value that is too long to be an id: the call is refused, what was spent counts as nobody’s', async () => {
  const tracker = new TestTracker();
  const ledger = new MemoryLedger();
  const guard = new BudgetGuard({ by: { userId: { total: 1 } } }, { ledger, tracker, ...quiet });
  const attributes = { userId: 'x'.repeat(513) };
  const refused = await guard.reserve(0.1, { attributes }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'config', option: 'attributes.userId' });
  expect(String(refused)).not.toContain('xxx');
  tracker.scope(attributes, () => tracker.record('openai', 'gpt-4o', usage));
  expect(ledger.counters().map(({ key }) => key)).toEqual(['default/userId:unattributed/total']);
});

test('no name of a guard makes its limits those of another one', async () => {
  const ledger = new MemoryLedger();
  const users = new BudgetGuard({ by: { userId: { total: 1 } } }, { ledger, name: 'x' });
  const odd = new BudgetGuard({ total: 1 }, { ledger, name: 'x/userId=y' });
  await (await users.reserve(1, { attributes: { userId: 'y' } })).settle(1);
  expect(odd.remaining()[0]?.leftUsd).toBe(1);
  await (await odd.reserve(1)).settle(1);
  await expect(odd.reserve(0.1)).rejects.toMatchObject({ guard: 'x/userId=y' });
});

test('more than a ledger can count is refused like anything else that does not fit', async () => {
  const guard = new BudgetGuard({ total: 5, by: { userId: { tokens: { total: 5 } } } });
  const attributes = { userId: 'u' };
  await expect(guard.reserve(5_000_000, { attributes })).rejects.toMatchObject({
    code: 'budget-exceeded',
    neededUsd: '5000000',
  });
});

test.each([{ attemptId: 'x' }, { attemptId: 5, usage: {} }, { attemptId: 'x', usage: null }])(
  '%o is no record to settle a hold with',
  async (record) => {
    const guard = new BudgetGuard({ total: 1 });
    const hold = await guard.reserve(0.5);
    expect(() => hold.settle(record as never)).toThrow(/settle takes what it cost/);
    await hold.settle(0.25);
    expect(await spent(guard)).toMatchObject({ committed: ['0.25'] });
  },
);

test('countsRecord that throws: the record counts', async () => {
  const tracker = new TestTracker();
  const countsRecord = () => {
    throw new Error('odd');
  };
  const guard = new BudgetGuard({ total: 1 }, { tracker, countsRecord });
  tracker.record('openai', 'gpt-4o', usage);
  expect(await spent(guard)).toMatchObject({ committed: ['0.0125'] });
});

test('a cheaper model with limits of its own is held under those, not under the hold around it', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard(
    { by: { model: (id) => ({ total: id === 'test/dime' ? '0.05' : '0.00001' }) } },
    { prices, onExceeded: 'downgrade' },
  );
  const mini = provider.model('openai', 'gpt-4o-mini');
  const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard, { downgradeTo: [mini] }));
  const around = await guard.reserve({ model: 'test/dime', inputTokens: 1, maxOutputTokens: 1 });
  await expect(around.run(() => llm.generate('Hi', { maxTokens }))).rejects.toMatchObject({
    attributeValue: 'gpt-4o-mini',
  });
  await around.release();
  expect(provider.arrived).toEqual([]);
  expect((await guard.status()).holds).toBe(0);
});

test('a ledger that goes away between two attempts lets the second one through, if the guard fails open', async () => {
  const clock = new ManualClock();
  const inner = new MemoryLedger({ clock });
  let isAway = false;
  const ledger: LedgerStore = {
    unitPico: 1n,
    reserve(request) {
      if (isAway) throw new LedgerError('away', { transient: true });
      return inner.reserve(request);
    },
    post: (request) => inner.post(request),
    close: (holdId) => inner.close(holdId),
    renew: (holdId, leaseMs) => inner.renew(holdId, leaseMs),
    status: (keys) => inner.status(keys),
    flush() {},
    dispose() {},
  };
  const provider = new TestProvider();
  const model = provider.model('test', 'dime');
  const guard = new BudgetGuard({ total: 1 }, { prices, ledger, clock, failOpen: true, ...quiet });
  const twice = {
    ...model,
    generate: async (...call: Parameters<typeof model.generate>) => {
      await model.generate(...call);
      isAway = true;
      return model.generate(...call);
    },
  };
  let done = false;
  const answer = wrap(twice, enforceBudget(guard))
    .generate('Hi', { maxTokens })
    .finally(() => {
      done = true;
    });
  while (!done) await clock.advance(20);
  await answer;
  expect(await spent(guard)).toEqual({ failedPosts: 0, committed: ['0.2'] });
  expect(await guard.status()).toMatchObject({ holds: 0, limits: [{ heldUsd: 0 }] });
});

test('an abort ends the wait for a token counter', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard({ total: '0.001' }, { prices, tokenCounter: () => new Promise(() => {}) });
  const llm = wrap(provider.model('openai', 'gpt-4o'), enforceBudget(guard));
  const abort = new AbortController();
  const call = llm.generate('H'.repeat(600), { maxTokens: 16, signal: abort.signal });
  setImmediate(() => abort.abort());
  await expect(call).rejects.toMatchObject({ name: 'AbortError' });
});
