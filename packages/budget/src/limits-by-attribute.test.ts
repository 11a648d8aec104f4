import { ConfigError, type LLM, wrap } from '@synapsekit/core';
import { expect, test } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { TestTracker, track } from '../test/test-tracker.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';
import type { BudgetWarning } from './warning.ts';

const maxTokens = 100; // of test/dime: ten cents
const dime = (provider = new TestProvider()): LLM => provider.model('test', 'dime');

async function spentBy(guard: BudgetGuard, attributes: Record<string, string>) {
  const { limits } = await guard.status({ attributes });
  return limits
    .filter(({ attribute }) => attribute !== undefined)
    .map(({ attribute, attributeValue, limit, committedUsdExact, heldUsdExact }) => [
      `${attribute}=${attributeValue} ${limit}`,
      committedUsdExact,
      heldUsdExact,
    ]);
}

test('each value of an attribute has its own limit, beside the one of everybody', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard({ daily: '0.5', by: { userId: { daily: '0.3' } } }, { prices });
  const llm = wrap(dime(provider), enforceBudget(guard));
  const ask = (userId: string) => llm.generate('Hi', { maxTokens, attributes: { userId } });
  const results = await Promise.allSettled([
    ...Array.from({ length: 10 }, () => ask('alice')),
    ...Array.from({ length: 10 }, () => ask('bob')),
  ]);
  expect(results.slice(0, 10).filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(results.slice(10).filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  expect(results[9]).toMatchObject({
    reason: {
      name: 'BudgetExceededError',
      limit: 'daily',
      attribute: 'userId',
      attributeValue: 'alice',
      limitUsd: '0.3',
    },
  });
  expect((results[9] as PromiseRejectedResult).reason.message).toContain('for userId "alice"');
  expect(results[19]).toMatchObject({ reason: { limit: 'daily', attribute: undefined, limitUsd: '0.5' } });
  expect(await spentBy(guard, { userId: 'alice' })).toEqual([['userId=alice daily', '0.3', '0']]);
  expect(await spentBy(guard, { userId: 'bob' })).toEqual([['userId=bob daily', '0.2', '0']]);
  expect(provider.arrived).toHaveLength(5);
});

test('attributes come from the scope too, and what the call says goes before it', async () => {
  const tracker = new TestTracker();
  const guard = new BudgetGuard({ by: { userId: { total: 1 }, tenant: { total: 1 } } }, { tracker });
  const llm = wrap(dime(), enforceBudget(guard), track(tracker));
  await tracker.scope({ userId: 'alice', tenant: 'acme' }, async () => {
    await llm.generate('Hi', { maxTokens });
    await llm.stream('Hi', { maxTokens, attributes: { userId: 'bob' } }).result;
    const hold = await guard.reserve(0.2);
    await hold.settle(0.15);
  });
  expect(await spentBy(guard, { userId: 'alice', tenant: 'acme' })).toEqual([
    ['userId=alice total', '0.25', '0'],
    ['tenant=acme total', '0.35', '0'],
  ]);
  expect(await spentBy(guard, { userId: 'bob' })).toEqual([['userId=bob total', '0.1', '0']]);
});

test('model and provider are known of every call', async () => {
  const guard = new BudgetGuard({ by: { model: { total: '0.1' }, provider: { total: 1 } } }, { prices });
  const provider = new TestProvider();
  const dear = wrap(dime(provider), enforceBudget(guard));
  const cheap = wrap(provider.model('local', 'free'), enforceBudget(guard));
  await dear.generate('Hi', { maxTokens });
  await expect(dear.generate('Hi', { maxTokens })).rejects.toMatchObject({
    attribute: 'model',
    attributeValue: 'test/dime',
  });
  await cheap.generate('Hi', { maxTokens });
  const hold = await guard.reserve({
    model: 'gpt-4o',
    provider: 'openai',
    inputTokens: 10,
    maxOutputTokens: 10,
  });
  await hold.release();
  expect(await spentBy(guard, { model: 'test/dime', provider: 'test' })).toEqual([
    ['model=test/dime total', '0.1', '0'],
    ['provider=test total', '0.1', '0'],
  ]);
});

test('around models of several kinds a limit by model is an error that says where to put it', async () => {
  const guard = new BudgetGuard({ by: { model: { total: 1 } } }, { prices });
  const provider = new TestProvider();
  const models = [dime(provider), provider.model('local', 'free')];
  const router: LLM = { ...dime(provider), candidates: () => models };
  await expect(wrap(router, enforceBudget(guard)).generate('Hi', { maxTokens })).rejects.toThrow(
    'put enforceBudget on each model',
  );
  expect(provider.arrived).toEqual([]);
});

test('an attribute that is missing is an error, and nothing is sent', async () => {
  const provider = new TestProvider();
  const guard = new BudgetGuard({ total: 1, by: { userId: { daily: 1 } } }, { prices });
  const llm = wrap(dime(provider), enforceBudget(guard));
  for (const attributes of [undefined, {}, { userId: '' }, { user: 'alice' }]) {
    const call = llm.generate('Hi', { maxTokens, attributes });
    await expect(call).rejects.toThrow(ConfigError);
    await expect(call).rejects.toThrow('limits by userId');
  }
  await expect(guard.reserve(0.1)).rejects.toMatchObject({ option: 'attributes.userId' });
  await expect(guard.checkBefore(0)).rejects.toThrow(ConfigError);
  expect(provider.arrived).toEqual([]);
  expect((await guard.status()).limits).toMatchObject([{ limit: 'total', heldUsd: 0 }]);
});

test('a record without the attribute counts as nobody’s, and is reported once', async () => {
  const tracker = new TestTracker();
  const warnings: BudgetWarning[] = [];
  const ledger = new MemoryLedger();
  const guard = new BudgetGuard(
    { total: 1, by: { userId: { total: 1 } } },
    { tracker, ledger, name: 'app', onWarning: (warning) => warnings.push(warning) },
  );
  for (let i = 0; i < 3; i++) tracker.record('test', 'dime', { inputTokens: 0, outputTokens: maxTokens });
  tracker.scope({ userId: 'unattributed' }, () =>
    tracker.record('test', 'dime', { inputTokens: 0, outputTokens: maxTokens }),
  );
  expect(warnings.map(({ code }) => code)).toEqual(['SYNAPSEKIT_BUDGET_UNATTRIBUTED']);
  expect(await guard.status()).toMatchObject({ unattributed: 3, limits: [{ committedUsdExact: '0.4' }] });
  const window = { id: 'total' };
  const counters = ledger.status([
    { key: 'app/userId:unattributed/total', window },
    { key: 'app/userId=unattributed/total', window },
  ]);
  expect(counters.map(({ committed }) => committed)).toEqual([300_000_000_000n, 100_000_000_000n]);
});

test('an attempt that is recorded again by hand, without its attributes, is still its user’s', async () => {
  const tracker = new TestTracker();
  const guard = new BudgetGuard({ total: 1, by: { userId: { total: 1 } } }, { tracker });
  const llm = wrap(dime(), enforceBudget(guard));
  const { usage } = await llm.generate('Hi', { maxTokens, attributes: { userId: 'alice' } });
  tracker.record('test', 'dime', usage);
  expect(await guard.status()).toMatchObject({ unattributed: 0, limits: [{ committedUsdExact: '0.1' }] });
  expect(await spentBy(guard, { userId: 'alice' })).toEqual([['userId=alice total', '0.1', '0']]);
});

test('values are kept apart, whatever is in them', async () => {
  const guard = new BudgetGuard({ by: { a: { total: 1 }, b: { total: 1 } } }, { prices });
  const values = ['x', '\ud800', 'x/b=y', 'x%2Fb=y', '', '__proto__', 'ключ', 'a=b', '/'];
  for (const [i, value] of values.entries()) {
    if (value === '') continue;
    const hold = await guard.reserve(0.5, { attributes: { a: value, b: `other-${i}` } });
    await hold.settle(0.5);
  }
  for (const value of values.filter(Boolean)) {
    expect(await spentBy(guard, { a: value })).toEqual([[`a=${value} total`, '0.5', '0']]);
  }
  // One that everybody has by birth is not given.
  await expect(guard.reserve(0.1, { attributes: { b: 'x' } })).rejects.toThrow(ConfigError);
});

test('a function gives each value its own limits', async () => {
  let asked = 0;
  const guard = new BudgetGuard(
    {
      by: {
        plan: (plan) => {
          asked += 1;
          return plan === 'free'
            ? { perRequest: 0.1, daily: 0.2 }
            : plan === 'paid'
              ? { daily: 5 }
              : undefined;
        },
      },
    },
    { prices },
  );
  const reserve = (plan: string, usd: number) => guard.reserve(usd, { attributes: { plan } });
  await expect(reserve('free', 0.15)).rejects.toMatchObject({ limit: 'perRequest', attributeValue: 'free' });
  await reserve('free', 0.1);
  await reserve('free', 0.1);
  await expect(reserve('free', 0.1)).rejects.toMatchObject({ limit: 'daily' });
  await reserve('paid', 4);
  await reserve('unlimited', 1_000);
  expect(asked).toBe(3);
});

test.each([
  [{ by: { userId: {} } }, 'no limit in it'],
  [{ by: { userId: { dayly: 1 } } }, 'Did you mean "daily"'],
  [{ by: { userId: { by: { x: { daily: 1 } } } } }, 'no limit "by"'],
  [{ by: { userId: 5 } }, 'by.userId must be an object'],
  [{ by: [] }, 'by must be an object'],
  [{ by: { '': { daily: 1 } } }, 'needs a name'],
  [{ by: { userId: { daily: Number.NaN } } }, 'by.userId.daily'],
  [{ by: {} }, 'limits nothing'],
])('%j is refused', (limits, message) => {
  expect(() => new BudgetGuard(limits as never)).toThrow(message);
});

test('refusals are counted by value, and the limit with the longest wait is named', async () => {
  const guard = new BudgetGuard(
    { rolling: { windowSeconds: 60, limit: 1 }, daily: 1, by: { userId: { monthly: 1 } } },
    { prices },
  );
  await (await guard.reserve(1, { attributes: { userId: 'alice' } })).settle(1);
  const refused = { limit: 'monthly', attributeValue: 'alice' };
  await expect(guard.reserve(1, { attributes: { userId: 'alice' } })).rejects.toMatchObject(refused);
  await expect(guard.reserve(1, { attributes: { userId: 'bob' } })).rejects.toMatchObject({ limit: 'daily' });
  const refusals = async (userId: string) => {
    const { limits } = await guard.status({ attributes: { userId } });
    return limits.map(({ limit, refusals: count }) => [limit, count]);
  };
  expect(await refusals('alice')).toEqual([
    ['rolling-60s', 0],
    ['daily', 1],
    ['monthly', 1],
  ]);
  expect(await refusals('bob')).toEqual([
    ['rolling-60s', 0],
    ['daily', 1],
    ['monthly', 0],
  ]);
});

test('a thousand users at once, each with a limit of his own', async () => {
  const guard = new BudgetGuard({ total: 1_000, by: { userId: { daily: '0.3' } } }, { prices });
  const llm = wrap(dime(), enforceBudget(guard));
  const results = await Promise.allSettled(
    Array.from({ length: 4_000 }, (_, i) =>
      llm.generate('Hi', { maxTokens, attributes: { userId: `user-${i % 1_000}` } }),
    ),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3_000);
  expect(await guard.status()).toMatchObject({
    holds: 0,
    limits: [{ committedUsdExact: '300', heldUsd: 0 }],
  });
});

test('remaining() shows the limits of the scope around', async () => {
  const tracker = new TestTracker();
  const guard = new BudgetGuard({ total: 5, by: { userId: { daily: 1 } } }, { tracker });
  expect(guard.remaining().map(({ limit }) => limit)).toEqual(['total']);
  const inScope = tracker.scope({ userId: 'alice' }, () => guard.remaining());
  expect(inScope).toMatchObject([
    { limit: 'daily', attribute: 'userId', attributeValue: 'alice', leftUsd: 1 },
    { limit: 'total', leftUsd: 5 },
  ]);
});
