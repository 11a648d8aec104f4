import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type BudgetMessage, channelNames, LedgerError, type LedgerStore, wrap } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { expect, test } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';
import type { BudgetWarning } from './warning.ts';

const maxTokens = 100; // of test/dime: ten cents

/** A ledger that can be switched off, at once or for good. */
function switchable(clock: ManualClock) {
  const inner = new MemoryLedger({ clock });
  let error: Error | undefined;
  const ask = <T>(operation: () => T): T => {
    if (error !== undefined) throw error;
    return operation();
  };
  const ledger: LedgerStore = {
    unitPico: 1n,
    reserve: (request) => ask(() => inner.reserve(request)),
    post: (request) => ask(() => inner.post(request)),
    close: (holdId) => ask(() => inner.close(holdId)),
    renew: (holdId, leaseMs) => ask(() => inner.renew(holdId, leaseMs)),
    status: (keys) => ask(() => inner.status(keys)),
    flush() {},
    dispose() {},
  };
  return {
    ledger,
    off: (transient = true) => {
      error = new LedgerError('away', { transient });
    },
    on: () => {
      error = undefined;
    },
  };
}

async function passing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const watched = work.finally(() => {
    done = true;
  });
  watched.catch(() => {});
  while (!done) await clock.advance(20);
  return watched;
}

test('a ledger that is away refuses calls, unless the guard fails open; then they are booked when it is back', async () => {
  const clock = new ManualClock();
  const { ledger, off, on } = switchable(clock);
  const provider = new TestProvider();
  const closed = wrap(
    provider.model('test', 'dime'),
    enforceBudget(new BudgetGuard({ total: 1 }, { prices, ledger, clock })),
  );
  const warnings: BudgetWarning[] = [];
  const guard = new BudgetGuard(
    { perRequest: 0.2, total: 1 },
    { prices, ledger, clock, failOpen: true, onWarning: (warning) => warnings.push(warning) },
  );
  const open = wrap(provider.model('test', 'dime'), enforceBudget(guard));

  off();
  await expect(passing(clock, closed.generate('Hi', { maxTokens }))).rejects.toMatchObject({
    code: 'ledger',
    transient: true,
  });
  expect(provider.arrived).toHaveLength(0);
  await passing(clock, Promise.all(Array.from({ length: 15 }, () => open.generate('Hi', { maxTokens }))));
  expect(provider.arrived).toHaveLength(15);
  expect(warnings.map(({ code }) => code)).toEqual(['SYNAPSEKIT_BUDGET_FAIL_OPEN']);
  // What one call may cost needs no ledger.
  await expect(passing(clock, open.generate('Hi', { maxTokens: 201 }))).rejects.toMatchObject({
    limit: 'perRequest',
  });

  on();
  await passing(clock, guard.flush());
  expect(await passing(clock, guard.status())).toMatchObject({
    holds: 0,
    pendingPosts: 0,
    limits: [{}, { committedUsdExact: '1.5', heldUsdExact: '0' }],
  });
  await expect(passing(clock, open.generate('Hi', { maxTokens }))).rejects.toMatchObject({ limit: 'total' });
});

test('streams, second attempts and holds by hand run without a hold too', async () => {
  const clock = new ManualClock();
  const { ledger, off, on } = switchable(clock);
  const provider = new TestProvider();
  const guard = new BudgetGuard(
    { total: 10 },
    { prices, ledger, clock, failOpen: true, onWarning: () => {} },
  );
  const model = provider.model('test', 'dime');
  const llm = wrap(
    {
      ...model,
      generate: async (prompt, options) => {
        await model.generate(prompt, options);
        return model.generate(prompt, options);
      },
    },
    enforceBudget(guard),
  );
  off();
  await passing(clock, llm.generate('Hi', { maxTokens }));
  await passing(clock, llm.stream('Hi', { maxTokens }).result);
  const hold = await passing(clock, guard.reserve(0.5));
  expect(hold.heldUsd).toBe(0);
  await passing(
    clock,
    hold.run(() => llm.generate('Hi', { maxTokens })),
  );
  await passing(clock, hold.settle(0.25));
  on();
  await passing(clock, guard.flush());
  expect(await guard.status()).toMatchObject({
    holds: 0,
    limits: [{ committedUsdExact: '0.75', heldUsdExact: '0' }],
  });
});

test('a ledger that refuses for good is no outage: nothing is let through', async () => {
  const clock = new ManualClock();
  const { ledger, off } = switchable(clock);
  const guard = new BudgetGuard({ total: 1 }, { prices, ledger, clock, failOpen: true });
  off(false);
  await expect(passing(clock, guard.reserve(0.1))).rejects.toMatchObject({
    code: 'ledger',
    transient: false,
  });
});

test('what a raise let through is held nowhere: others get less until it is booked', async () => {
  const clock = new ManualClock();
  const inner = new MemoryLedger({ clock });
  const isBack = Promise.withResolvers<void>();
  let isAway = false;
  const ledger: LedgerStore = {
    unitPico: 1n,
    reserve(request) {
      if (isAway) throw new LedgerError('away', { transient: true });
      return inner.reserve(request);
    },
    post: (request) => isBack.promise.then(() => inner.post(request)),
    close: (holdId) => inner.close(holdId),
    renew: (holdId, leaseMs) => inner.renew(holdId, leaseMs),
    status: (keys) => inner.status(keys),
    flush() {},
    dispose() {},
  };
  const guard = new BudgetGuard(
    { total: '0.25' },
    { prices, ledger, clock, failOpen: true, onWarning: () => {} },
  );
  const model = new TestProvider().model('test', 'dime');
  const twice = {
    ...model,
    generate: async (...call: Parameters<typeof model.generate>) => {
      await model.generate(...call);
      isAway = true;
      return model.generate(...call);
    },
  };
  const held: (string | undefined)[] = [];
  const listen = (message: unknown): void => {
    const { type, amountUsd } = message as BudgetMessage;
    if (type === 'hold') held.push(amountUsd);
  };
  subscribe(channelNames.budget, listen);
  await passing(clock, wrap(twice, enforceBudget(guard)).generate('Hi', { maxTokens }));
  unsubscribe(channelNames.budget, listen);
  expect(held).toEqual(['0.1']);

  isAway = false;
  await expect(passing(clock, guard.reserve(0.1))).rejects.toMatchObject({
    code: 'budget-exceeded',
    committedUsd: '0.1',
    heldUsd: '0.1',
  });
  isBack.resolve();
  await passing(clock, guard.flush());
  expect(await passing(clock, guard.status())).toMatchObject({
    limits: [{ committedUsdExact: '0.2', heldUsdExact: '0' }],
  });
});
