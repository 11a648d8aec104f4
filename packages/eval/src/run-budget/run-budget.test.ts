import { type LedgerStore, parseUsd } from '@synapsekit/core';
import { ManualClock, seededRandom, sequentialIds } from '@synapsekit/testing';
import { ModelLedger, unreliableLedger } from '@synapsekit/testing/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Denial, RunBudget, type RunHold } from './run-budget.ts';

function budgetOf(limitUsd: number | string, clock = new ManualClock()): RunBudget {
  return new RunBudget({ limitUsd, ledger: new ModelLedger(clock), clock, ids: sequentialIds('hold') });
}

function held(answer: RunHold | Denial): RunHold {
  if ('denied' in answer) throw new Error(`denied: ${answer.denied}`);
  return answer;
}

/** A ledger with some of its operations replaced. */
function ledgerWith(model: ModelLedger, replaced: Partial<LedgerStore>): LedgerStore {
  return {
    unitPico: model.unitPico,
    reserve: (request) => model.reserve(request),
    post: (request) => model.post(request),
    close: (holdId) => model.close(holdId),
    renew: (holdId, leaseMs) => model.renew(holdId, leaseMs),
    status: (keys) => model.status(keys),
    flush: () => model.flush(),
    dispose: () => model.dispose(),
    ...replaced,
  };
}

const cent = parseUsd('0.01');

test('what does not fit waits, and goes when something in flight is settled for less', async () => {
  const budget = budgetOf('0.05');
  const first = held(await budget.reserve(3n * cent, undefined));
  let second: RunHold | Denial | undefined;
  const waiting = budget.reserve(3n * cent, undefined).then((answer) => {
    second = answer;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(second).toBeUndefined();
  await first.settle(cent, 'actual');
  await waiting;
  await held(second as RunHold).settle(cent, 'actual');
  expect(await budget.status()).toEqual({ committedPico: 2n * cent, heldPico: 0n });
});

test('what cannot fit any more is denied at once, also while others are in flight', async () => {
  const budget = budgetOf('0.05');
  await held(await budget.reserve(3n * cent, undefined)).settle(3n * cent, 'actual');
  const other = held(await budget.reserve(cent, undefined));
  expect(await budget.reserve(3n * cent, undefined)).toEqual({
    denied: '$0.02 of $0.05 is left, and the call may cost up to $0.03',
  });
  await other.release();
  expect(await budget.reserve(6n * cent, undefined)).toMatchObject({ denied: expect.any(String) });
});

test('what waits is denied when what it waited for was spent', async () => {
  const budget = budgetOf('0.05');
  const first = held(await budget.reserve(3n * cent, undefined));
  const waiting = budget.reserve(3n * cent, undefined);
  await first.settle(3n * cent, 'actual');
  expect(await waiting).toMatchObject({ denied: expect.stringContaining('$0.02 of $0.05 is left') });
});

test('an abort ends the wait at once', async () => {
  const budget = budgetOf('0.05');
  const first = held(await budget.reserve(5n * cent, undefined));
  const abort = new AbortController();
  const waiting = budget.reserve(cent, abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await first.release();
  expect(await budget.status()).toEqual({ committedPico: 0n, heldPico: 0n });
});

test('settling and releasing count once', async () => {
  const budget = budgetOf('0.05');
  const hold = held(await budget.reserve(cent, undefined));
  await hold.settle(cent, 'actual');
  await hold.settle(cent, 'actual');
  await hold.release();
  expect(await budget.status()).toEqual({ committedPico: cent, heldPico: 0n });
});

test('a live call keeps its hold, however long it takes', async () => {
  const clock = new ManualClock();
  const budget = budgetOf('0.05', clock);
  const hold = held(await budget.reserve(3n * cent, undefined));
  for (let minutes = 0; minutes < 30; minutes++) await clock.advance(60_000);
  expect(await budget.status()).toEqual({ committedPico: 0n, heldPico: 3n * cent });
  await hold.settle(cent, 'actual');
  expect(clock.pending).toBe(0);
});

test('two processes share a budget through their store: one waits for what the other one holds', async () => {
  const clock = new ManualClock();
  const ledger = new ModelLedger(clock);
  const setup = { limitUsd: '0.05', ledger, clock } as const;
  const [one, other] = [new RunBudget(setup), new RunBudget(setup)];
  const first = held(await one.reserve(4n * cent, undefined));
  let second: RunHold | Denial | undefined;
  const waiting = other.reserve(2n * cent, undefined).then((answer) => {
    second = answer;
  });
  await clock.advance(1_000);
  expect(second).toBeUndefined();
  await first.settle(cent, 'actual');
  await clock.advance(1_000);
  await waiting;
  expect(held(second as RunHold).pico).toBe(2n * cent);
});

test('a store that counts in coarser units is rounded against the spender', async () => {
  const clock = new ManualClock();
  const model = new ModelLedger(clock);
  const coarse = Object.assign(Object.create(model), {
    unitPico: 1_000_000n,
    reserve: model.reserve.bind(model),
    post: model.post.bind(model),
    close: model.close.bind(model),
    renew: model.renew.bind(model),
    status: model.status.bind(model),
    flush: model.flush.bind(model),
  });
  const budget = new RunBudget({ limitUsd: '0.000003', ledger: coarse, clock });
  const holds = [await budget.reserve(1n, undefined), await budget.reserve(1_000_001n, undefined)].map(held);
  expect(await budget.status()).toEqual({ committedPico: 0n, heldPico: 3_000_000n });
  for (const hold of holds) await hold.settle(1n, 'actual');
  expect(await budget.status()).toEqual({ committedPico: 2_000_000n, heldPico: 0n });
});

test('an abort while the store is asked gives back what it set aside', async () => {
  const clock = new ManualClock();
  const model = new ModelLedger(clock);
  const abort = new AbortController();
  const slow = ledgerWith(model, {
    async reserve(request) {
      const answer = await model.reserve(request);
      abort.abort(new Error('enough'));
      return answer;
    },
  });
  const budget = new RunBudget({ limitUsd: 1, ledger: slow, clock });
  await expect(budget.reserve(cent, abort.signal)).rejects.toThrow('enough');
  expect(await budget.status()).toEqual({ committedPico: 0n, heldPico: 0n });
  expect(clock.pending).toBe(0);
});

test('a store that breaks while a lease is renewed breaks nothing else', async () => {
  const clock = new ManualClock();
  const model = new ModelLedger(clock);
  let renewals = 0;
  const breaks = ledgerWith(model, {
    renew() {
      renewals++;
      throw new Error('no renewal');
    },
  });
  const budget = new RunBudget({ limitUsd: 1, ledger: breaks, leaseMs: 3_000, clock });
  const hold = held(await budget.reserve(cent, undefined));
  await clock.advance(2_000); // it would throw what a timer throws
  expect(renewals).toBe(2);
  await hold.settle(cent, 'actual');
  expect(await budget.status()).toEqual({ committedPico: cent, heldPico: 0n });
});

test('a store that does not answer lets nothing through', async () => {
  const clock = new ManualClock();
  const down = unreliableLedger(new ModelLedger(clock), { random: () => 0, lostRequests: 1 });
  const budget = new RunBudget({ limitUsd: 1, ledger: down, clock });
  const answer = budget.reserve(cent, undefined);
  await clock.advance(10_000);
  expect(await answer).toMatchObject({ denied: expect.stringContaining('does not answer') });
});

test('whatever comes, over a bad network too: never over the limit, and nothing stays held', async () => {
  const scenario = fc.record({
    seed: fc.integer(),
    limit: fc.integer({ min: 1, max: 60 }),
    workers: fc.integer({ min: 1, max: 64 }),
    calls: fc.array(
      fc.record({
        worst: fc.integer({ min: 1, max: 20 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        how: fc.constantFrom('actual', 'estimated', 'released', 'aborted'),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ seed, limit, workers, calls }) => {
      const clock = new ManualClock();
      const random = seededRandom(seed);
      const ledger = new ModelLedger(clock);
      const budget = new RunBudget({
        limitUsd: limit / 100,
        ledger: unreliableLedger(ledger, { random, lostRequests: 0.1, lostReplies: 0.1 }),
        clock,
      });
      let billedPico = 0n;
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
          const { worst, share, how } = call;
          const abort = new AbortController();
          if (how === 'aborted') setImmediate(() => abort.abort());
          const hold = await budget.reserve(BigInt(worst) * cent, abort.signal).catch(() => undefined);
          if (hold === undefined || 'denied' in hold) continue;
          await new Promise((resolve) => setImmediate(resolve));
          const spent = BigInt(Math.floor(share * worst)) * cent;
          if (how === 'released') await hold.release();
          else {
            billedPico += spent;
            await (how === 'actual' ? hold.settle(spent, how) : hold.settle(hold.pico, 'estimated'));
          }
          expect(billedPico <= budget.limitPico).toBe(true);
        }
      };
      let over = false;
      const all = Promise.all(Array.from({ length: workers }, worker)).finally(() => {
        over = true;
      });
      while (!over) await clock.advance(100);
      await all;
      const [status] = ledger.status([{ key: 'eval-run', window: { id: 'total' } }]);
      expect(status?.committed).toBeGreaterThanOrEqual(billedPico);
      expect(status?.committed).toBeLessThanOrEqual(budget.limitPico);
    }),
    { numRuns: 60 },
  );
}, 60_000);
