import assert from 'node:assert/strict';
import { failoverGenerate, isSynapseError, wrap } from '@synapsekit/core';
import { expectRefusal, type GuardCheck, guardCheck } from './guard-check.ts';

/** How many of many operations at once were admitted, all others being refused by a budget. */
async function admittedOf(operations: readonly Promise<unknown>[]): Promise<number> {
  const results = await Promise.allSettled(operations);
  const odd = results.find(
    (result) => result.status === 'rejected' && !isSynapseError(result.reason, 'budget-exceeded'),
  );
  if (odd?.status === 'rejected') throw odd.reason;
  return results.filter(({ status }) => status === 'fulfilled').length;
}

/** Never over, never falsely refused. */
export const guardAdmissionChecks: readonly GuardCheck[] = [
  guardCheck('1,000 reservations of $0.10 at once against $5.00 admit exactly 50', async (world) => {
    const guard = world.guard({ daily: 5 });
    const holds = Array.from({ length: 1_000 }, async () => {
      const hold = await guard.reserve(0.1);
      await hold.settle(0.1);
    });
    assert.equal(await world.during(admittedOf(holds)), 50);
    await world.expect(guard, 'daily', '5');
  }),

  guardCheck(
    '1,000 calls of $0.10 at once against $5.00 send exactly 50, and cost what the provider bills',
    async (world) => {
      const guard = world.guard({ daily: 5, total: 100 });
      const llm = wrap(world.provider.model('dear'), world.enforce(guard));
      const calls = Array.from({ length: 1_000 }, () => llm.generate('Go on.', { maxTokens: 100 }));
      assert.equal(await world.during(admittedOf(calls)), 50);
      assert.equal(world.provider.calls, 50);
      assert.equal(world.provider.billUsd, '5');
      await world.expect(guard, 'daily', '5');
      await world.expect(guard, 'total', '5');
    },
  ),

  guardCheck('two guards of one name on one ledger share one limit', async (world) => {
    const guards = [
      world.guard({ daily: 5 }),
      world.guard({ daily: 5 }, { ledger: await world.backend.open() }),
    ];
    const holds = Array.from({ length: 200 }, async (_, index) =>
      (await guards[index % 2]?.reserve(0.1))?.settle(0.1),
    );
    assert.equal(await world.during(admittedOf(holds)), 50);
  }),

  guardCheck('a refusal at one limit leaves no trace at the others', async (world) => {
    const guard = world.guard({ hourly: 10, daily: 1, total: 10 });
    await world.during(expectRefusal(guard.reserve(2), 'daily'));
    for (const limit of ['hourly', 'daily', 'total']) await world.expect(guard, limit, '0');
  }),

  guardCheck('exactly the limit may be spent: three times 0.1 fit in 0.3', async (world) => {
    const guard = world.guard({ daily: 0.3 });
    for (let i = 0; i < 3; i++) await world.during(guard.reserve(0.1).then((hold) => hold.settle(0.1)));
    await world.during(expectRefusal(guard.reserve('0.000000000001')));
    await world.expect(guard, 'daily', '0.3');
  }),

  guardCheck(
    'what costs nothing passes an exhausted budget; what costs nobody knows what does not',
    async (world) => {
      const guard = world.guard({ daily: 1 });
      await world.during(guard.reserve(1).then((hold) => hold.settle(1)));
      await world.during(guard.reserve(0).then((hold) => hold.settle(0)));
      const free = wrap(world.provider.model('free'), world.enforce(guard));
      await world.during(free.generate('Go on.'));
      await world.during(expectRefusal(guard.checkBefore(0)));
      await world.expect(guard, 'daily', '1');
    },
  ),

  guardCheck('one oversized request is refused alone', async (world) => {
    const guard = world.guard({ daily: 1 });
    const oversized = await world.during(expectRefusal(guard.reserve(100)));
    assert.equal(oversized.fits, 'never');
    assert.equal(await world.during(admittedOf(Array.from({ length: 20 }, () => guard.reserve(0.1)))), 10);
  }),

  guardCheck('perRequest bounds one hold, and holds nothing against the others', async (world) => {
    const guard = world.guard({ perRequest: 0.1, daily: 1 });
    const error = await world.during(expectRefusal(guard.reserve('0.100000000001'), 'perRequest'));
    assert.equal(error.fits, 'never');
    assert.equal(await world.during(admittedOf(Array.from({ length: 20 }, () => guard.reserve(0.1)))), 10);
  }),

  guardCheck('a cost above its hold is booked in full, and then the limit refuses', async (world) => {
    const guard = world.guard({ daily: 1 });
    await world.during(guard.reserve(0.1).then((hold) => hold.settle(5)));
    await world.expect(guard, 'daily', '5');
    const error = await world.during(expectRefusal(guard.reserve(0.01)));
    assert.equal(error.fits, 'window');
  }),

  guardCheck('a model without a price is refused before the call', async (world) => {
    const guard = world.guard({ daily: 1 });
    const llm = wrap(world.provider.model('unheard-of'), world.enforce(guard));
    await assert.rejects(world.during(llm.generate('Go on.')), (error) =>
      isSynapseError(error, 'unknown-price'),
    );
    assert.equal(world.provider.calls, 0);
    await world.expect(guard, 'daily', '0');
  }),

  guardCheck('no maxTokens is no reason to hold the whole budget', async (world) => {
    const guard = world.guard({ daily: 2_000 });
    const llm = wrap(
      world.provider.model('dear', () => 50),
      world.enforce(guard),
    );
    const calls = Array.from({ length: 100 }, () => llm.generate('Go on.'));
    assert.equal(await world.during(admittedOf(calls)), 100);
    assert.ok(world.provider.asked.every((maxTokens) => maxTokens !== undefined && maxTokens >= 1_000));
    await world.expect(guard, 'daily', '5');
  }),

  guardCheck('no maxTokens: it is set to what is left, down to minOutputTokens', async (world) => {
    const guard = world.guard({ daily: 0.1 }, { minOutputTokens: 20 });
    const llm = wrap(
      world.provider.model('dear', () => 85),
      world.enforce(guard),
    );
    await world.during(llm.generate('Go on.'));
    assert.deepEqual(world.provider.asked, [100]);
    await world.during(expectRefusal(llm.generate('Go on.'))); // 15 tokens would be left
    assert.equal(world.provider.calls, 1);
    await world.expect(guard, 'daily', '0.085');
  }),

  guardCheck(
    'block refuses a maxTokens that does not fit; clamp lowers it, never below minOutputTokens',
    async (world) => {
      const blocking = world.guard({ daily: 0.1 });
      const blocked = wrap(world.provider.model('dear'), world.enforce(blocking));
      const error = await world.during(expectRefusal(blocked.generate('Go on.', { maxTokens: 101 })));
      assert.equal(error.neededUsd, '0.101');
      await world.during(blocked.generate('Go on.', { maxTokens: 100 }));

      const clamping = world.guard({ total: 0.1 }, { onExceeded: 'clamp', minOutputTokens: 20 });
      const clamped = wrap(
        world.provider.model('dear', () => 90),
        world.enforce(clamping),
      );
      await world.during(clamped.generate('Go on.', { maxTokens: 4_000 }));
      assert.deepEqual(world.provider.asked, [100, 100]);
      const refused = await world.during(expectRefusal(clamped.generate('Go on.', { maxTokens: 4_000 })));
      assert.equal(refused.neededUsd, '0.02');
      await world.during(clamped.generate('Go on.', { maxTokens: 10 })); // asked for by the caller
      assert.deepEqual(world.provider.asked, [100, 100, 10]);
    },
  ),

  guardCheck(
    'a refusal says which limit, what is left, what was needed, and whether waiting helps',
    async (world) => {
      const guard = world.guard({ daily: 1 });
      await world.during(guard.reserve('0.25').then((hold) => hold.settle('0.25')));
      await world.during(guard.reserve('0.7'));
      const { limit, window, limitUsd, committedUsd, heldUsd, neededUsd, fits, retryAfterMs, resetsAtMs } =
        await world.during(expectRefusal(guard.reserve('0.1')));
      assert.deepEqual(
        { limit, window, limitUsd, committedUsd, heldUsd, neededUsd, fits, resetsAtMs },
        {
          limit: 'daily',
          window: '2026-11-23',
          limitUsd: '1',
          committedUsd: '0.25',
          heldUsd: '0.7',
          neededUsd: '0.1',
          fits: 'in-flight',
          resetsAtMs: Date.UTC(2026, 10, 24),
        },
      );
      assert.ok(retryAfterMs !== undefined && retryAfterMs > 0);
      const later = await world.during(expectRefusal(guard.reserve('0.8')));
      assert.equal(later.fits, 'window');
      const untilMidnightMs = Date.UTC(2026, 10, 24) - world.clock.now();
      assert.ok(later.retryAfterMs !== undefined && Math.abs(later.retryAfterMs - untilMidnightMs) < 5_000);
      const never = await world.during(expectRefusal(guard.reserve('1.1')));
      assert.deepEqual([never.fits, never.retryAfterMs], ['never', undefined]);
    },
  ),

  guardCheck(
    'a prompt is bounded by its bytes, and counted exactly only where that does not fit',
    async (world) => {
      let counted = 0;
      const tokenCounter = () => ({
        countText: () => 0,
        countPrompt: () => {
          counted += 1;
          return 1_000;
        },
      });
      // A token of the prompt costs $0.001: 1,000 tokens are one dollar, 4,000 bytes at most four.
      const guard = world.guard({ perRequest: 1.5 }, { tokenCounter });
      const llm = wrap(
        world.provider.model('reader', () => 1),
        world.enforce(guard),
      );
      await world.during(llm.generate('x'.repeat(1_000), { maxTokens: 10 }));
      assert.equal(counted, 0);
      await world.during(llm.generate('x'.repeat(4_000), { maxTokens: 10 }));
      assert.equal(counted, 1);
      const blind = world.guard({ perRequest: 1.5 }, { tokenCounter: () => undefined });
      const unread = wrap(
        world.provider.model('reader', () => 1),
        world.enforce(blind),
      );
      await world.during(expectRefusal(unread.generate('x'.repeat(4_000), { maxTokens: 10 }), 'perRequest'));
      assert.equal(world.provider.calls, 2);
    },
  ),

  guardCheck('a fallback is checked again, and charged for the model that served', async (world) => {
    const guard = world.guard({ daily: '0.11' });
    const candidates = ['cheap', 'dear'].map((model) =>
      wrap(
        world.provider.model(model, () => {
          if (model === 'cheap') throw new Error('down');
          return 20;
        }),
        world.enforce(guard),
      ),
    );
    const ask = () => failoverGenerate(candidates, 'Go on.', { maxTokens: 100 });
    await world.during(ask());
    await world.expect(guard, 'daily', '0.02'); // twenty tokens of the dear one
    // The cheap one would fit what is left; the dear one, which would serve, does not.
    const arrived = world.provider.calls;
    await assert.rejects(world.during(ask()));
    assert.equal(world.provider.calls, arrived + 1);
    await world.expect(guard, 'daily', world.provider.billUsd);
  }),
];
