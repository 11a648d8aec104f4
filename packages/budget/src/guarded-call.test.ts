import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Clock,
  isSynapseError,
  type LedgerStore,
  type LLM,
  type LLMMiddleware,
  usdDecimal,
  wrap,
} from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { TestTracker } from '../test/test-tracker.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';

const dime = 100; // tokens of test/dime that cost ten cents

async function state(guard: BudgetGuard) {
  const { holds, limits } = await guard.status();
  const { committedUsdExact: committed, heldUsdExact: held } =
    limits.find(({ limit }) => limit === 'total') ?? {};
  return { holds, committed, held };
}

/** A store that answers later, on a clock. */
function slow(inner: MemoryLedger, clock: ManualClock, delayMs: () => number): LedgerStore {
  return {
    unitPico: inner.unitPico,
    reserve: (request) => clock.sleep(delayMs()).then(() => inner.reserve(request)),
    post: (request) => clock.sleep(delayMs()).then(() => inner.post(request)),
    close: (holdId) => clock.sleep(delayMs()).then(() => inner.close(holdId)),
    renew: (holdId, leaseMs) => clock.sleep(delayMs()).then(() => inner.renew(holdId, leaseMs)),
    status: (keys) => inner.status(keys),
    flush() {},
    dispose() {},
  };
}

/** Answers without telling of any attempt. */
function silentModel(outputTokens: number): LLM {
  const model = new TestProvider().model('test', 'dime');
  return {
    ...model,
    async generate(prompt) {
      const answer = await model.generate(prompt, { maxTokens: dime });
      return { ...answer, attempts: [], usage: { inputTokens: 0, outputTokens } };
    },
  };
}

describe('a model that tells of no attempts', () => {
  test('is booked once, also when the answer is recorded by hand', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker });
    const { usage, attempts } = await wrap(silentModel(60), enforceBudget(guard)).generate('Hi', {
      maxTokens: dime,
    });
    tracker.record('test', 'dime', usage);
    expect(attempts.map(({ attemptId }) => attemptId)).toEqual([usage.attemptId]);
    expect(await state(guard)).toEqual({ holds: 0, committed: '0.06', held: '0' });
  });

  test.each([Number.NaN, -5, 1.5, Number.POSITIVE_INFINITY])(
    'and says that it used %d tokens is booked at what was held for it',
    async (outputTokens) => {
      const guard = new BudgetGuard({ total: 1 }, { prices });
      const llm = wrap(silentModel(outputTokens), enforceBudget(guard));
      expect((await llm.generate('Hi', { maxTokens: dime })).text).toBe('word');
      expect(await state(guard)).toEqual({ holds: 0, committed: '0.1', held: '0' });
    },
  );
});

test('a price list that fails after the call costs neither the answer nor the booking', async () => {
  let fails = false;
  const flaky: typeof prices = {
    find(query) {
      if (fails) throw new TypeError('gone');
      return prices.find(query);
    },
  };
  const guard = new BudgetGuard({ total: 1 }, { prices: flaky });
  const model = new TestProvider().model('test', 'dime', () => {
    fails = true;
    return 50;
  });
  await wrap(model, enforceBudget(guard)).generate('Hi', { maxTokens: dime });
  expect(await state(guard)).toEqual({ holds: 0, committed: '0.1', held: '0' });
});

describe('a hold that is left while calls under it are out', () => {
  test.each([0, 5])('goes on covering them, released after %d turns', async (turns) => {
    const guard = new BudgetGuard({ total: 0.1 }, { prices });
    const provider = new TestProvider();
    const gate = Promise.withResolvers<void>();
    const llm = wrap(
      provider.model('test', 'dime', () => gate.promise.then(() => dime)),
      enforceBudget(guard),
    );
    const hold = await guard.reserve(0.1);
    const calls: Promise<unknown>[] = [];
    await hold.run(() => {
      calls.push(llm.generate('Hi', { maxTokens: dime }));
    });
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await hold.release();
    await hold.settle(0.1); // the release came first
    calls.push(llm.generate('Hi', { maxTokens: dime }).finally(gate.resolve));
    const [first, second] = await Promise.allSettled(calls);
    expect(first?.status).toBe('fulfilled');
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'budget-exceeded', fits: 'in-flight' },
    });
    expect(usdDecimal(provider.billPico)).toBe('0.1');
    expect(await state(guard)).toEqual({ holds: 0, committed: '0.1', held: '0' });
  });

  test('is settled beside what they cost', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices });
    const gate = Promise.withResolvers<void>();
    const model = new TestProvider().model('test', 'dime', () => gate.promise.then(() => 30));
    const hold = await guard.reserve(0.3);
    const calls: Promise<unknown>[] = [];
    await hold.run(() => {
      calls.push(wrap(model, enforceBudget(guard)).generate('Hi', { maxTokens: dime }));
    });
    await hold.settle(0.05);
    expect(await state(guard)).toEqual({ holds: 1, committed: '0.05', held: '0.25' });
    gate.resolve();
    await Promise.all(calls);
    expect(await state(guard)).toEqual({ holds: 0, committed: '0.08', held: '0' });
  });
});

describe('a lease that nobody renewed', () => {
  test('is renewed at once when work begins late in it', async () => {
    const clock = new ManualClock();
    const guard = new BudgetGuard({ total: 1 }, { prices, clock, onExpiry: 'release' });
    const hold = await guard.reserve(1);
    await clock.advance(55_000);
    const gate = Promise.withResolvers<void>();
    const running = hold.run(() => gate.promise);
    await clock.advance(30_000);
    expect(await state(guard)).toEqual({ holds: 1, committed: '0', held: '1' });
    gate.resolve();
    await running;
  });

  test('covers no call any more, once its money is free for others', async () => {
    const clock = new ManualClock();
    const provider = new TestProvider();
    const guard = new BudgetGuard({ total: 1 }, { prices, clock, onExpiry: 'release' });
    const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard));
    const hold = await guard.reserve(1);
    await clock.advance(65_000);
    const results = await Promise.allSettled([
      hold.run(() => llm.generate('Hi', { maxTokens: 1_000 })),
      llm.generate('Hi', { maxTokens: 1_000 }),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(usdDecimal(provider.billPico)).toBe('1');
  });

  test('covers nothing that comes later, or beside it: all of it is told why', async () => {
    const timers = new ManualClock();
    let blockedMs = 0; // as below
    const clock: Clock = {
      now: () => timers.now() + blockedMs,
      monotonic: () => timers.monotonic() + blockedMs,
      sleep: (ms, options) => timers.sleep(ms, options),
      timer: (ms, callback) => timers.timer(ms, callback),
    };
    const ledger = new MemoryLedger({ clock });
    const guard = new BudgetGuard({ total: 1 }, { prices, clock, ledger, onExpiry: 'release' });
    const other = new BudgetGuard({ total: 1 }, { ledger, clock });
    const provider = new TestProvider();
    const gate = Promise.withResolvers<void>();
    const errors: unknown[] = [];
    const twice: LLMMiddleware = (next) => ({
      ...next,
      async generate(prompt, options) {
        await gate.promise;
        await next.generate(prompt, options).catch((error: unknown) => errors.push(error));
        return next.generate(prompt, options);
      },
    });
    const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard), twice);
    const hold = await guard.reserve(1);
    const calls = hold.run(() =>
      Promise.allSettled([1, 2].map(() => llm.generate('Hi', { maxTokens: dime }))),
    );
    await new Promise((resolve) => setImmediate(resolve));
    blockedMs = 60_000;
    await (await other.reserve(1)).settle(1);
    gate.resolve();
    for (const result of await calls) errors.push(result.status === 'rejected' && result.reason);
    expect(errors).toHaveLength(4);
    for (const error of errors) expect(error).toMatchObject({ code: 'ledger', transient: true });
    expect(provider.arrived).toEqual([]);
  });

  test('covers no second attempt either: nothing is sent', async () => {
    const timers = new ManualClock();
    let blockedMs = 0; // the event loop stands still: time passes, and no timer fires
    const clock: Clock = {
      now: () => timers.now() + blockedMs,
      monotonic: () => timers.monotonic() + blockedMs,
      sleep: (ms, options) => timers.sleep(ms, options),
      timer: (ms, callback) => timers.timer(ms, callback),
    };
    const ledger = new MemoryLedger({ clock });
    const guard = new BudgetGuard(
      { total: '0.1' },
      { prices, clock, ledger, onExpiry: 'release', onLostCall: 'release' },
    );
    const other = new BudgetGuard({ total: '0.1' }, { ledger, clock });
    const provider = new TestProvider();
    const model = provider.model('test', 'dime', async () => {
      blockedMs = 60_000;
      await (await other.reserve('0.1')).settle('0.1');
      throw new Error('lost');
    });
    const twice: LLMMiddleware = (next) => ({
      ...next,
      generate: (prompt, options) =>
        next.generate(prompt, options).catch(() => next.generate(prompt, options)),
    });
    const llm = wrap(model, enforceBudget(guard), twice);
    await expect(llm.generate('Hi', { maxTokens: dime })).rejects.toMatchObject({
      code: 'ledger',
      transient: true,
    });
    expect(provider.arrived).toHaveLength(1);
    expect(await state(guard)).toEqual({ holds: 0, committed: '0.1', held: '0' });
  });
});

describe('a ledger that takes its time', () => {
  test('an attempt that was given up while its hold was being raised leaves nothing behind', async () => {
    const clock = new ManualClock();
    const inner = new MemoryLedger({ clock });
    let delayMs = 0;
    const guard = new BudgetGuard({ total: 1 }, { prices, clock, ledger: slow(inner, clock, () => delayMs) });
    const model = new TestProvider().model('test', 'dime', () => 50);
    const twice: LLM = {
      ...model,
      async generate(prompt, options) {
        const first = await model.generate(prompt, options);
        delayMs = 100;
        const abort = new AbortController();
        clock.timer(10, () => abort.abort(new RangeError('too slow')));
        await model.generate(prompt, { ...options, signal: abort.signal }).catch(() => {});
        await clock.sleep(500); // the call goes on, and the raise arrives
        return first;
      },
    };
    const call = wrap(twice, enforceBudget(guard)).generate('Hi', { maxTokens: dime });
    for (let step = 0; step < 200; step++) await clock.advance(5);
    await call;
    await clock.advance(1_000);
    expect(inner.size.holds).toBe(0);
    expect(await state(guard)).toEqual({ holds: 0, committed: '0.05', held: '0' });
  });

  test('a record of an attempt whose booking is on its way does not count beside its hold', async () => {
    const clock = new ManualClock();
    const inner = new MemoryLedger({ clock });
    const tracker = new TestTracker();
    let delayMs = 0;
    const guard = new BudgetGuard(
      { total: 0.1 },
      { tracker, clock, ledger: slow(inner, clock, () => delayMs) },
    );
    const outside = AsyncLocalStorage.snapshot();
    const total = [{ key: 'default/total', window: { id: 'total' } }];
    const llm = wrap(new TestProvider().model('test', 'dime'), enforceBudget(guard));
    const call = llm.generate('Hi', {
      maxTokens: dime,
      onAttempt: ({ usage }) => {
        delayMs = 1; // faster than what the hold has sent
        if (usage !== undefined) outside(() => tracker.record('test', 'dime', usage));
      },
      onAttemptStart: () => {
        delayMs = 50;
      },
    });
    let most = 0n;
    for (let step = 0; step < 100; step++) {
      await clock.advance(1);
      const [counter] = inner.status(total);
      const used = (counter?.committed ?? 0n) + (counter?.held ?? 0n);
      if (used > most) most = used;
    }
    await call;
    expect(usdDecimal(most)).toBe('0.1');
    expect(await state(guard)).toEqual({ holds: 0, committed: '0.1', held: '0' });
  });
});

describe('a call without maxTokens under several guards', () => {
  const guards = (everybody: number, user: number) => ({
    everybody: new BudgetGuard({ total: everybody }, { prices, name: 'everybody' }),
    user: new BudgetGuard({ total: user }, { prices, name: 'user' }),
  });

  test.each([
    [50, 0.5],
    [0.5, 50],
  ])('is given what fits all of them ($%d and $%d), in any order', async (everybody, user) => {
    const { everybody: outer, user: inner } = guards(everybody, user);
    const provider = new TestProvider();
    const copied: LLM = wrap(
      provider.model('test', 'dime', () => 20),
      enforceBudget(inner),
      (next) => ({ ...next, generate: (prompt, options) => next.generate(prompt, { ...options }) }),
    );
    await wrap(copied, enforceBudget(outer)).generate('Hi');
    expect(provider.arrived.map(({ maxTokens }) => maxTokens)).toEqual([500]);
    expect([await state(outer), await state(inner)]).toEqual(
      Array.from({ length: 2 }, () => ({ holds: 0, committed: '0.02', held: '0' })),
    );
  });

  test('what the caller gave is not lowered by the inner one either', async () => {
    const { everybody, user } = guards(50, 0.5);
    const llm = wrap(new TestProvider().model('test', 'dime'), enforceBudget(everybody), enforceBudget(user));
    const refused = await llm.generate('Hi', { maxTokens: 4_096 }).catch((error: unknown) => error);
    expect(isSynapseError(refused, 'budget-exceeded') && refused.guard).toBe('user');
    expect(await state(everybody)).toEqual({ holds: 0, committed: '0', held: '0' });
  });
});
