import assert from 'node:assert/strict';
import { wrap } from '@synapsekit/core';
import { expectRefusal, type GuardCheck, guardCheck } from './guard-check.ts';

const dayMs = 86_400_000;

/** Never leaked, never double; and time. */
export const guardLifeChecks: readonly GuardCheck[] = [
  guardCheck('settle and release are idempotent, also at once', async (world) => {
    const guard = world.guard({ daily: 1 });
    const hold = await world.during(guard.reserve(0.5));
    assert.equal(hold.heldUsd, 0.5);
    const ends = Array.from({ length: 50 }, (_, index) =>
      index % 2 === 0 ? hold.settle(0.2) : hold.release(),
    );
    await world.during(Promise.all(ends));
    assert.equal(hold.heldUsd, 0);
    await world.expect(guard, 'daily', '0.2');
    const released = await world.during(guard.reserve(0.5));
    await world.during(Promise.all([released.release(), released.settle(0.4), released.release()]));
    await world.expect(guard, 'daily', '0.2');
  }),

  guardCheck('a call that throws before it is answered costs nothing and holds nothing', async (world) => {
    const guard = world.guard({ daily: 1 });
    const llm = wrap(
      world.provider.model('dear', () => {
        throw new Error('down');
      }),
      world.enforce(guard),
    );
    await assert.rejects(world.during(llm.generate('Go on.', { maxTokens: 100 })), /down/);
    await world.expect(guard, 'daily', '0');
    assert.equal((await world.during(guard.status())).holds, 0);
  }),

  guardCheck('an aborted call is booked at what was held for it, and holds nothing', async (world) => {
    const guard = world.guard({ daily: 1 });
    const abort = new AbortController();
    const llm = wrap(
      world.provider.model(
        'dear',
        (_, signal) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason));
            abort.abort(new Error('enough'));
          }),
      ),
      world.enforce(guard),
    );
    await assert.rejects(
      world.during(llm.generate('Go on.', { maxTokens: 100, signal: abort.signal })),
      /enough/,
    );
    await world.expect(guard, 'daily', '0.1');
    assert.equal((await world.during(guard.status())).holds, 0);
  }),

  guardCheck('a second attempt inside one call raises the hold, or is not sent', async (world) => {
    const guard = world.guard({ total: 0.15 });
    const llm = wrap(
      world.provider.model('dear', () => 60),
      world.enforce(guard),
      (next) => ({
        ...next,
        async generate(prompt, options) {
          await next.generate(prompt, options);
          return next.generate(prompt, options);
        },
      }),
    );
    await world.during(llm.generate('Go on.', { maxTokens: 70 })); // 0.06 spent, 0.07 more fit
    assert.equal(world.provider.calls, 2);
    await world.expect(guard, 'total', '0.12');
    await world.during(expectRefusal(llm.generate('Go on.', { maxTokens: 70 })));
    assert.equal(world.provider.calls, 2);
    await world.expect(guard, 'total', '0.12');
    assert.equal((await world.during(guard.status())).holds, 0);
  }),

  guardCheck('each attempt is charged for the model that served it', async (world) => {
    const guard = world.guard({ daily: 1 });
    const dear = wrap(
      world.provider.model('dear', () => 20),
      world.enforce(guard),
    );
    const cheap = wrap(
      world.provider.model('cheap', () => 20),
      world.enforce(guard),
    );
    await world.during(Promise.all([dear.generate('Go on.'), cheap.generate('Go on.')]));
    await world.expect(guard, 'daily', '0.0202');
    assert.equal(world.provider.billUsd, '0.0202');
  }),

  guardCheck(
    'the hold of a dead owner counts as spent, and what it posts after all counts once',
    async (world) => {
      const guard = world.guard({ daily: 1 }, { leaseMs: 60_000 });
      const dead = await world.during(guard.reserve(0.6));
      await world.backend.advance(61_000);
      await world.expect(guard, 'daily', '0.6');
      await world.during(expectRefusal(guard.reserve(0.5)));
      await world.during(dead.settle(0.2)); // it lives: what it says is what it was
      await world.expect(guard, 'daily', '0.2');
    },
  ),

  guardCheck(
    'or is free again where that is the policy; a late settlement is booked all the same',
    async (world) => {
      const guard = world.guard({ daily: 1 }, { leaseMs: 60_000, onExpiry: 'release' });
      const dead = await world.during(guard.reserve(0.6));
      await world.backend.advance(61_000);
      await world.expect(guard, 'daily', '0');
      await world.during(dead.settle(0.2));
      await world.expect(guard, 'daily', '0.2');
    },
  ),

  guardCheck(
    'a stream keeps its hold while it is read; its cost is what its last chunk says',
    async (world) => {
      const guard = world.guard({ daily: 1 });
      const llm = wrap(
        world.provider.model('dear', () => 30),
        world.enforce(guard),
      );
      const text: string[] = [];
      const read = async (): Promise<void> => {
        for await (const piece of llm.stream('Go on.', { maxTokens: 100 }).textStream) text.push(piece);
      };
      await world.during(read());
      assert.deepEqual(text, ['word']);
      await world.expect(guard, 'daily', '0.03');
    },
  ),

  guardCheck('a stream that is left early is booked as far as it came, and holds nothing', async (world) => {
    const guard = world.guard({ daily: 1 });
    const llm = wrap(world.provider.wordByWord('dear', 30), world.enforce(guard));
    const leave = async (): Promise<void> => {
      let words = 0;
      for await (const _ of llm.stream('Go on.', { maxTokens: 100 }).textStream) {
        words += 1;
        if (words === 3) await world.expect(guard, 'daily', '0', '0.1');
        if (words === 7) break;
      }
    };
    await world.during(leave());
    assert.equal(world.provider.billUsd, '0.007');
    await world.expect(guard, 'daily', '0.007');
    assert.equal((await world.during(guard.status())).holds, 0);
  }),

  guardCheck('a stream that nobody reads or leaves gives up its hold with its lease', async (world) => {
    const guard = world.guard({ daily: 1 }, { leaseMs: 60_000 });
    const llm = wrap(world.provider.wordByWord('dear', 30), world.enforce(guard));
    const forgotten = llm.stream('Go on.', { maxTokens: 100 })[Symbol.asyncIterator]();
    await world.during(Promise.resolve(forgotten.next()));
    for (let i = 0; i < 10; i++) await world.pass(20_000);
    await world.expect(guard, 'daily', '0.1'); // counts as spent
    await world.during(Promise.resolve(forgotten.return?.()));
    await world.expect(guard, 'daily', '0.001');
  }),

  guardCheck('a slow call and a slow stream keep their holds for as long as they take', async (world) => {
    const guard = world.guard({ daily: 1 }, { leaseMs: 60_000 });
    let answer = (): void => {};
    const llm = wrap(
      world.provider.model(
        'dear',
        () =>
          new Promise((resolve) => {
            answer = () => resolve(10);
          }),
      ),
      world.enforce(guard),
    );
    const call = llm.generate('Go on.', { maxTokens: 100 });
    await world.until(() => world.provider.calls === 1);
    for (let i = 0; i < 20; i++) await world.pass(15_000);
    await world.expect(guard, 'daily', '0', '0.1');
    answer();
    await world.during(call);
    await world.expect(guard, 'daily', '0.01');
  }),

  guardCheck('a new day is a new window; a call is charged to the day it was admitted in', async (world) => {
    const guard = world.guard({ daily: 1, total: 10 });
    world.clock.setWall(Date.UTC(2026, 10, 23, 23, 59, 59));
    const hold = await world.during(guard.reserve(0.9));
    world.clock.setWall(Date.UTC(2026, 10, 24, 0, 0, 1));
    await world.expect(guard, 'daily', '0');
    const full = await world.during(guard.reserve(1));
    await world.during(hold.settle(0.8));
    await world.expect(guard, 'daily', '0', '1');
    await world.during(full.release());
    world.clock.setWall(Date.UTC(2026, 10, 23, 23, 59, 59));
    await world.expect(guard, 'daily', '0.8');
    await world.expect(guard, 'total', '0.8');
  }),

  guardCheck('days are those of the zone, also with 23 and 25 hours', async (world) => {
    const guard = world.guard({ daily: 1 }, { timeZone: 'America/New_York' });
    const spend = async (iso: string): Promise<void> => {
      world.clock.setWall(Date.parse(iso));
      await world.during(guard.reserve(1).then((hold) => hold.settle(1)));
    };
    const exhausted = async (iso: string): Promise<void> => {
      world.clock.setWall(Date.parse(iso));
      await world.during(expectRefusal(guard.reserve(1)));
    };
    await spend('2026-11-01T04:00:00Z'); // midnight of a day with 25 hours
    await exhausted('2026-11-02T04:59:59Z');
    await spend('2026-11-02T05:00:00Z');
    await spend('2026-03-08T05:00:00Z'); // midnight of a day with 23 hours
    await exhausted('2026-03-09T03:59:59Z');
    await spend('2026-03-09T04:00:00Z');
  }),

  guardCheck(
    'a clock that steps back wipes no spend; one that jumps ahead opens no window twice',
    async (world) => {
      const guard = world.guard({ daily: 1 });
      const today = world.clock.now();
      const spend = (usd: number): Promise<void> =>
        world.during(guard.reserve(usd).then((hold) => hold.settle(usd)));
      await spend(0.9);
      world.clock.setWall(today + dayMs);
      await spend(0.8);
      world.clock.setWall(today);
      await world.expect(guard, 'daily', '0.9');
      await world.during(expectRefusal(guard.reserve(0.2)));
      world.clock.setWall(today - dayMs);
      await world.expect(guard, 'daily', '0');
      world.clock.setWall(today + dayMs);
      await world.expect(guard, 'daily', '0.8');
      await world.during(expectRefusal(guard.reserve(0.3)));
    },
  ),
];
