import assert from 'node:assert/strict';
import { isSynapseError, type LedgerStore, type LLM, parseUsd, wrap } from '@synapsekit/core';
import fc from 'fast-check';
import { type GuardCheck, type GuardUnderTest, type GuardWorld, guardCheck } from './guard-check.ts';

/** What one caller does. */
type Deed =
  | { readonly what: 'call'; readonly maxTokens: number; readonly said: number }
  | { readonly what: 'stream'; readonly maxTokens: number; readonly said: number }
  | { readonly what: 'leave'; readonly maxTokens: number; readonly said: number }
  | { readonly what: 'fan'; readonly maxTokens: number; readonly said: number; readonly calls: number }
  | { readonly what: 'die'; readonly held: number }
  | { readonly what: 'fail'; readonly maxTokens: number }
  | { readonly what: 'settle'; readonly held: number; readonly cost: number }
  | { readonly what: 'release'; readonly held: number };

const cents = fc.integer({ min: 0, max: 40 });
const tokens = fc.integer({ min: 1, max: 300 });

const plain = { noNullPrototype: true } as const;
const calls = fc.integer({ min: 2, max: 5 });

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ what: fc.constantFrom('call', 'stream', 'leave'), maxTokens: tokens, said: tokens }, plain),
  fc.record({ what: fc.constant('fan'), maxTokens: tokens, said: tokens, calls }, plain),
  fc.record({ what: fc.constant('fail'), maxTokens: tokens }, plain),
  fc.record({ what: fc.constant('settle'), held: cents, cost: cents }, plain),
  fc.record({ what: fc.constantFrom('release', 'die'), held: cents }, plain),
);

/** Watches, at every answer of the ledger, that no limit is passed by what is committed and held. */
function watched(ledger: LedgerStore): {
  readonly ledger: LedgerStore;
  readonly broken: () => string | undefined;
} {
  let broken: string | undefined;
  const limits = new Map<
    string,
    { readonly key: string; readonly windowId: string; readonly limit: bigint }
  >();
  return {
    broken: () => broken,
    ledger: {
      unitPico: ledger.unitPico,
      async reserve(request) {
        for (const { key, window, limit } of request.lines)
          limits.set(key, { key, windowId: window.id, limit });
        const result = await ledger.reserve(request);
        if (result.admitted) {
          for (const { key, window, committed, held } of await ledger.status(request.lines)) {
            const most = limits.get(key)?.limit ?? 0n;
            // A lowered limit only leaves room for what is not posted yet.
            if (committed + held > most) broken ??= `${key} ${window.id}: ${committed} + ${held} > ${most}`;
          }
        }
        return result;
      },
      post: (request) => ledger.post(request),
      close: (holdId) => ledger.close(holdId),
      renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs),
      status: (keys) => ledger.status(keys),
      flush: () => ledger.flush(),
      dispose: () => ledger.dispose(),
    },
  };
}

/** A router of sorts: asks a guarded and an unguarded model, several times at once, inside one call. */
function fanOut(guarded: LLM, bare: LLM, calls: number): LLM {
  return {
    provider: 'test',
    model: 'fan',
    id: 'fan',
    candidates: () => [guarded],
    async generate(prompt, options) {
      const asked = Array.from({ length: calls }, (_, index) =>
        (index % 2 === 0 ? guarded : bare).generate(prompt, options),
      );
      const results = await Promise.allSettled(asked);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      const [first] = results;
      if (first?.status !== 'fulfilled') throw new RangeError('nobody answered');
      return first.value;
    },
    stream: (prompt, options) => guarded.stream(prompt, options),
  };
}

/** Does one thing, and says what it spent beside the provider's bill, in pico-dollars. Refusals are no failures. */
async function carryOut(world: GuardWorld, guard: GuardUnderTest, one: Deed): Promise<bigint> {
  const { provider } = world;
  try {
    switch (one.what) {
      case 'call':
      case 'stream': {
        const llm = wrap(
          provider.model('dear', () => Math.min(one.said, one.maxTokens)),
          world.enforce(guard),
        );
        if (one.what === 'call') await llm.generate('Go on.', { maxTokens: one.maxTokens });
        else await llm.stream('Go on.', { maxTokens: one.maxTokens }).result;
        return 0n;
      }
      case 'leave': {
        const llm = wrap(provider.wordByWord('dear', one.maxTokens), world.enforce(guard));
        let words = 0;
        for await (const _ of llm.stream('Go on.', { maxTokens: one.maxTokens }).textStream) {
          words += 1;
          if (words === one.said) break;
        }
        return 0n;
      }
      case 'fan': {
        const model = provider.model('dear', () => Math.min(one.said, one.maxTokens));
        await wrap(
          fanOut(wrap(model, world.enforce(guard)), model, one.calls),
          world.enforce(guard),
        ).generate('Go on.', { maxTokens: one.maxTokens });
        return 0n;
      }
      case 'die':
        await guard.reserve(one.held / 100);
        return parseUsd(one.held / 100);
      case 'fail': {
        const failing = provider.model('dear', () => {
          throw new RangeError('down');
        });
        await wrap(failing, world.enforce(guard)).generate('Go on.', { maxTokens: one.maxTokens });
        return 0n;
      }
      case 'settle': {
        const cost = Math.min(one.cost, one.held) / 100;
        const hold = await guard.reserve(one.held / 100);
        await hold.settle(cost);
        return parseUsd(cost);
      }
      case 'release':
        await (await guard.reserve(one.held / 100)).release();
        return 0n;
    }
  } catch (error) {
    if (isSynapseError(error, 'budget-exceeded') || error instanceof RangeError) return 0n;
    throw error;
  }
}

/** Everything at once. */
export const guardWorkloadChecks: readonly GuardCheck[] = [
  {
    name: 'whatever runs at once, no limit is passed, nothing stays held, and what is spent is what was billed',
    run: (maker, create) =>
      fc.assert(
        fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 40 }), async (deeds) => {
          const check = guardCheck('', async (world) => {
            const { ledger, broken } = watched(world.ledger);
            const guard = world.guard({ perRequest: 0.3, hourly: 1, daily: 1.5, total: 2 }, { ledger });
            const spent = await world.during(Promise.all(deeds.map((one) => carryOut(world, guard, one))));
            await world.during(guard.flush());
            await world.backend.advance(61_000); // the dead count as spent
            assert.equal(broken(), undefined);
            const total = spent.reduce((sum, pico) => sum + pico, world.provider.billPico);
            const { limits, holds, pendingPosts } = await world.during(guard.status());
            const mostDead = deeds.filter(({ what }) => what === 'die').length;
            assert.ok(holds <= mostDead, `${holds} holds are open, ${mostDead} owners are dead.`);
            assert.equal(pendingPosts, 0);
            for (const { limit, committedUsdExact, heldUsdExact } of limits) {
              if (limit === 'perRequest') continue;
              assert.equal(parseUsd(committedUsdExact), total, limit);
              assert.equal(heldUsdExact, '0', limit);
            }
          });
          await check.run(maker, create);
        }),
        { numRuns: 25 },
      ),
  },
];
