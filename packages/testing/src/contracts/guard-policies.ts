import assert from 'node:assert/strict';
import { isSynapseError, LedgerError, type LedgerStore, wrap } from '@synapsekit/core';
import {
  expectRefusal,
  type GuardCheck,
  type GuardUnderTest,
  type GuardWorld,
  guardCheck,
} from './guard-check.ts';

/** Reserves and settles, for somebody. */
async function spend(
  world: GuardWorld,
  guard: GuardUnderTest,
  usd: number | string,
  attributes?: Readonly<Record<string, string>>,
): Promise<void> {
  const hold = await world.during(guard.reserve(usd, attributes === undefined ? {} : { attributes }));
  await world.during(hold.settle(usd));
}

/** A ledger that can be switched off. */
function switchable(ledger: LedgerStore): { readonly ledger: LedgerStore; away: boolean } {
  const state = { away: false };
  const ask = <T>(operation: () => T): T => {
    if (state.away) throw new LedgerError('The ledger is away.', { transient: true });
    return operation();
  };
  return Object.assign(state, {
    ledger: {
      unitPico: ledger.unitPico,
      reserve: (request) => ask(() => ledger.reserve(request)),
      post: (request) => ask(() => ledger.post(request)),
      close: (holdId) => ask(() => ledger.close(holdId)),
      renew: (holdId, leaseMs) => ask(() => ledger.renew(holdId, leaseMs)),
      status: (keys) => ask(() => ledger.status(keys)),
      flush: () => ask(() => ledger.flush()),
      dispose: () => {},
    } satisfies LedgerStore,
  });
}

/** What becomes of calls that do not fit; limits by attribute, of tokens and in rolling windows; thresholds. */
export const guardPolicyChecks: readonly GuardCheck[] = [
  guardCheck(
    'downgrade asks the first cheaper model that fits, and books what that one cost',
    async (world) => {
      const guard = world.guard({ daily: '0.05' }, { onExceeded: 'downgrade' });
      const llm = wrap(
        world.provider.model('dear'),
        world.enforce(guard, { downgradeTo: [world.provider.model('cheap')] }),
      );
      const { model } = await world.during(llm.generate('Go on.', { maxTokens: 100 }));
      assert.equal(model, 'cheap');
      assert.equal(world.provider.calls, 1);
      await world.expect(guard, 'daily', '0.001');
      await world.during(llm.generate('Go on.', { maxTokens: 40 })); // of the dear one, which fits
      await world.expect(guard, 'daily', '0.041');
    },
  ),

  guardCheck('queue lets everybody in, in the order in which they came', async (world) => {
    const guard = world.guard({ daily: 5 }, { onExceeded: 'queue', queueTimeoutMs: 3_600_000 });
    const order: number[] = [];
    let now = 0n;
    let most = 0n;
    const calls = Array.from({ length: 60 }, async (_, i) => {
      const hold = await guard.reserve(1);
      order.push(i);
      now += 1n;
      most = now > most ? now : most;
      await world.clock.sleep(20);
      now -= 1n;
      await hold.settle(0.05);
    });
    await world.during(Promise.all(calls));
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      order.map((_, i) => i),
    );
    assert.ok(most <= 5n, `${most} were in at once.`);
    await world.expect(guard, 'daily', '3');
    assert.equal((await world.during(guard.status())).queued, 0);
  }),

  guardCheck('queue gives up when its time is over', async (world) => {
    const guard = world.guard({ daily: 1 }, { onExceeded: 'queue', queueTimeoutMs: 500 });
    const holder = await world.during(guard.reserve(1));
    await world.during(expectRefusal(guard.reserve(0.5), 'daily'));
    await world.during(holder.release());
    await world.during(guard.reserve(0.5));
  }),

  guardCheck('warn lets through and counts', async (world) => {
    const codes: string[] = [];
    const guard = world.guard(
      { daily: '0.1' },
      { onExceeded: 'warn', onWarning: ({ code }) => codes.push(code) },
    );
    const llm = wrap(world.provider.model('dear'), world.enforce(guard));
    await world.during(
      Promise.all(Array.from({ length: 5 }, () => llm.generate('Go on.', { maxTokens: 100 }))),
    );
    assert.equal(world.provider.calls, 5);
    assert.deepEqual(codes, ['SYNAPSEKIT_BUDGET_OVERRUN']);
    await world.expect(guard, 'daily', '0.5');
  }),

  guardCheck('a stream is cut when it has cost what was held for it', async (world) => {
    const guard = world.guard({ daily: 1 }, { cutStreams: true, tokenCounter: false });
    const llm = wrap(world.provider.wordByWord('dear', 500), world.enforce(guard));
    const { finishReason, text } = await world.during(llm.stream('Go on.', { maxTokens: 50 }).result);
    assert.deepEqual([finishReason, text], ['budget_cut', 'word'.repeat(50)]);
    await world.expect(guard, 'daily', '0.05');
    assert.ok(world.provider.billPico <= 51_000_000_000n, world.provider.billUsd);
  }),

  guardCheck(
    'each user, tenant or model has a limit of its own; without one nothing goes out',
    async (world) => {
      const guard = world.guard({ daily: 5, by: { userId: { daily: 1 }, model: { total: 3 } } });
      const llm = wrap(world.provider.model('dear'), world.enforce(guard));
      const ask = (userId?: string) =>
        llm.generate('Go on.', { maxTokens: 100, ...(userId !== undefined && { attributes: { userId } }) });
      const users = ['ann', 'bob', 'cid', 'dora'];
      const results = await world.during(
        Promise.allSettled(Array.from({ length: 60 }, (_, i) => ask(users[i % users.length]))),
      );
      for (const result of results) {
        if (result.status === 'rejected' && !isSynapseError(result.reason, 'budget-exceeded'))
          throw result.reason;
      }
      assert.equal(world.provider.calls, 30); // the model's $3.00; ten for each user would have been forty
      for (const userId of users) {
        const { limits } = await world.during(guard.status({ attributes: { userId } }));
        const own = limits.find(({ attribute }) => attribute === 'userId');
        assert.ok(Number(own?.committedUsdExact) <= 1 && own?.heldUsdExact === '0', userId);
      }
      await world.expect(guard, 'daily', '3');
      await assert.rejects(world.during(ask()), (error) => isSynapseError(error, 'config'));
      assert.equal(world.provider.calls, 30);
    },
  ),

  guardCheck('tokens are limited beside money', async (world) => {
    const guard = world.guard({ daily: 5, tokens: { daily: 1_000 } });
    const llm = wrap(world.provider.model('dear'), world.enforce(guard));
    const calls = Array.from({ length: 40 }, () => llm.generate('Go on.', { maxTokens: 90 }));
    const results = await world.during(Promise.allSettled(calls));
    const [refused] = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    assert.ok(isSynapseError(refused, 'budget-exceeded'), String(refused));
    assert.equal(refused.limit, 'tokens.daily');
    const { tokenLimits } = await world.during(guard.status());
    const spentTokens = world.provider.calls * 91; // one of the prompt
    assert.deepEqual(
      tokenLimits.map(({ committedTokens, heldTokens }) => [committedTokens, heldTokens]),
      [[spentTokens, 0]],
    );
    assert.ok(spentTokens <= 1_000 && spentTokens > 700, String(spentTokens));
    await world.expect(guard, 'daily', world.provider.billUsd);
  }),

  guardCheck(
    'a rolling window frees what is older than its length, and nothing that is younger',
    async (world) => {
      const guard = world.guard({ rolling: { windowSeconds: 3_600, limit: 1 } });
      await spend(world, guard, 0.6);
      await world.pass(1_800_000);
      await spend(world, guard, 0.4);
      await world.pass(1_799_000); // a second before the first spend is an hour old
      const error = await world.during(expectRefusal(guard.reserve(0.5)));
      assert.deepEqual([error.limit, error.fits, error.resetsAtMs], ['rolling-3600s', 'window', undefined]);
      await world.pass(100_000);
      await spend(world, guard, 0.6);
      await world.expect(guard, 'rolling-3600s', '1');
      await world.pass(7_200_000);
      await world.expect(guard, 'rolling-3600s', '0');
    },
  ),

  guardCheck(
    'thresholds are told once per limit and window, over all who share the ledger',
    async (world) => {
      const told: string[] = [];
      const setup = {
        thresholds: [0.5, 0.8, 1],
        onThreshold: ({ limit, threshold, attributeValue = '', window = '' }) =>
          void told.push([limit, attributeValue, window, threshold].join(' ').replaceAll(/ +/g, ' ')),
      } satisfies Parameters<GuardWorld['guard']>[1];
      const limits = { daily: 1, by: { userId: { daily: '0.5' } } };
      const guards = [
        world.guard(limits, setup),
        world.guard(limits, { ...setup, ledger: await world.backend.open() }),
      ] as const;
      const attributes = [{ userId: 'ann' }, { userId: 'bob' }] as const;
      const spends = Array.from({ length: 100 }, async (_, i) => {
        const guard = guards[i % 2] ?? guards[0];
        const hold = await guard.reserve('0.01', {
          attributes: attributes[Math.floor(i / 2) % 2] ?? attributes[0],
        });
        await hold.settle('0.01');
      });
      await world.during(Promise.all(spends));
      for (const guard of guards) await world.during(guard.flush());
      const expected = [0.5, 0.8, 1].flatMap((threshold) => [
        `daily 2026-11-23 ${threshold}`,
        `daily ann 2026-11-23 ${threshold}`,
        `daily bob 2026-11-23 ${threshold}`,
      ]);
      assert.deepEqual(told.toSorted(), expected.toSorted());
      await world.pass(24 * 3_600_000);
      await spend(world, guards[0], '0.5', { userId: 'ann' });
      assert.deepEqual(
        told.slice(expected.length).filter((line) => !line.includes('ann')),
        ['daily 2026-11-24 0.5'],
      );
    },
  ),

  guardCheck(
    'a ledger that is away refuses within a bounded time, or lets through if told to',
    async (world) => {
      const { clock } = world;
      const place = switchable(world.ledger);
      const closed = world.guard({ daily: 1 }, { ledger: place.ledger, ledgerTimeoutMs: 1_000 });
      const open = world.guard(
        { daily: 1 },
        { ledger: place.ledger, ledgerTimeoutMs: 1_000, failOpen: true, onWarning: () => {} },
      );
      place.away = true;
      const startMs = clock.monotonic();
      await assert.rejects(
        world.during(closed.reserve(0.1)),
        (error) => isSynapseError(error, 'ledger') && error.transient,
      );
      assert.ok(clock.monotonic() - startMs <= 1_500, `It took ${clock.monotonic() - startMs} ms.`);
      const llm = wrap(world.provider.model('dear'), world.enforce(open));
      await world.during(llm.generate('Go on.', { maxTokens: 100 }));
      place.away = false;
      await world.during(open.flush());
      await world.expect(closed, 'daily', '0.1');
    },
  ),

  guardCheck('an abort ends every wait at once', async (world) => {
    const { clock } = world;
    const place = switchable(world.ledger);
    const guard = world.guard(
      { daily: 1 },
      { ledger: place.ledger, onExceeded: 'queue', ledgerTimeoutMs: 60_000 },
    );
    const holder = await world.during(guard.reserve(1));
    const controller = new AbortController();
    const reason = new Error('enough');
    const { signal } = controller;
    const waits = [guard.reserve(0.5, { signal })]; // in the queue
    await world.until(() => true);
    place.away = true;
    waits.push(guard.reserve(0.5, { signal })); // at the ledger, or behind
    const ends = Promise.allSettled(waits);
    await clock.advance(20);
    controller.abort(reason);
    for (const end of await ends) assert.deepEqual(end, { status: 'rejected', reason });
    place.away = false;
    await world.during(holder.release());
    await world.during(guard.flush());
    await world.expect(guard, 'daily', '0');
  }),
];
