import { randomUUID } from 'node:crypto';
import { ConfigError, type InspectableLedger, type LedgerKey } from '@synapsekit/core';
import { ManualClock, seededRandom } from '@synapsekit/testing';
import { ledgerContract } from '@synapsekit/testing/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clients, ledgerPlaces, type OpenClient } from '../test/ledger-places.ts';
import { describeWithRedis, RedisServer } from '../test/redis-server.ts';
import { LeasedLedger } from './leased-ledger.ts';
import { RedisLedger } from './redis-ledger.ts';

const keys: readonly LedgerKey[] = ['daily', 'monthly'].map((key) => ({
  key,
  window: { id: 'now', endsAtMs: 4_102_444_800_000 },
}));
const lines = (amount: bigint, limit: bigint) => keys.map((key) => ({ ...key, amount, limit }));
const request = (holdId: string, amount: bigint, limit: bigint) => ({
  holdId,
  lines: lines(amount, limit),
  leaseMs: 60_000,
  onExpiry: 'book' as const,
});
const settle = (id: string, amount: bigint, marks: readonly bigint[] = []) => ({
  attemptId: id,
  holdId: id,
  lines: lines(amount, 0n).map(({ key, window }) => ({ key, window, amount, marks })),
  kind: 'actual' as const,
  close: true,
});

test('LeasedLedger refuses options that make no sense', () => {
  const store = {} as InspectableLedger;
  expect(() => new LeasedLedger(store, { callsPerSlice: 1 })).toThrow(ConfigError);
  expect(() => new LeasedLedger(store, { slicems: 1 } as never)).toThrow(/sliceMs/);
});

describeWithRedis('LeasedLedger', () => {
  let server: RedisServer;
  let connections: [OpenClient, OpenClient];
  beforeAll(async () => {
    server = await RedisServer.start();
    connections = [await clients.redis(server.url), await clients.redis(server.url)];
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await server.dispose();
  });
  const place = () => {
    const hashTag = randomUUID();
    let offsetMs = 0;
    const shared = () =>
      new RedisLedger(connections[0].client, {
        hashTag,
        timeoutMs: 20_000,
        testTimeOffsetMs: () => offsetMs,
      });
    const advance = (ms: number) => {
      offsetMs += ms;
    };
    return { shared, advance };
  };
  const figures = async (ledger: InspectableLedger) =>
    (await ledger.status(keys)).map(({ committed, held }) => `${committed}+${held}`);

  // The figures of these checks are exact, so nothing may lie in slices: budgets that are too small for them. The largest
  // ones are too small for none.
  describe('keeps the contract of a LedgerStore where slices are too small', () => {
    const direct = ledgerPlaces(() => connections);
    const create = async () => {
      const backend = await direct();
      return {
        ...backend,
        open: async () => new LeasedLedger(await backend.open(), { processCount: 1_000_000_000 }),
      };
    };
    for (const check of Object.values(ledgerContract).flat()) {
      if (!check.name.includes('largest') && !check.name.includes('2^'))
        test(check.name, () => check.run(create));
    }
  });

  test('admits from a slice without a round trip, and loses nothing of what was spent', async () => {
    const { shared } = place();
    const store = shared();
    let trips = 0;
    const counted = new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          trips += 1;
          return value.apply(target, args);
        };
      },
    });
    const ledger = new LeasedLedger(counted, { callsPerSlice: 100, processCount: 2 });
    for (let i = 0; i < 1_000; i++) {
      expect(await ledger.reserve(request(`h${i}`, 10n, 1_000_000n))).toEqual({ admitted: true });
      await ledger.post(settle(`h${i}`, 7n));
      await ledger.post(settle(`h${i}`, 7n)); // told twice
    }
    expect(trips).toBeLessThan(60);
    expect((await figures(shared()))[0]).toMatch(/^\d+\+[1-9]/);
    await ledger.dispose();
    expect(await figures(shared())).toEqual(['7000+0', '7000+0']);
  });

  test.each([1, 2, 3])(
    'however it comes, nothing is over a limit and all of it can be spent (%i)',
    async (seed) => {
      const { shared } = place();
      const random = seededRandom(seed);
      const limit = 20_000n;
      const ledgers = Array.from(
        { length: 4 },
        () => new LeasedLedger(shared(), { callsPerSlice: 20, processCount: 4 }),
      );
      let spent = 0n;
      await Promise.all(
        Array.from({ length: 40 }, async (_, worker) => {
          const ledger = ledgers[worker % 4] as LeasedLedger;
          for (let i = 0; i < 40; i++) {
            const id = `${worker}-${i}`;
            const amount = BigInt(10 + Math.floor(random() * 10));
            const { admitted } = await ledger.reserve(request(id, amount, limit));
            if (!admitted) continue;
            const cost = (amount * BigInt(Math.floor(random() * 101))) / 100n;
            spent += cost;
            await ledger.post(settle(id, cost));
            if (i % 10 === 0) {
              const [status] = await shared().status(keys);
              expect((status?.committed ?? 0n) + (status?.held ?? 0n)).toBeLessThanOrEqual(limit);
            }
          }
        }),
      );
      for (const ledger of ledgers) await ledger.dispose();
      expect(await figures(shared())).toEqual([`${spent}+0`, `${spent}+0`]);
      // What is left is all there again.
      expect(await shared().reserve(request('rest', limit - spent, limit))).toEqual({ admitted: true });
    },
  );

  test('the slice of a process that died counts as spent in whole', async () => {
    const { shared, advance } = place();
    const dead = new LeasedLedger(shared(), { callsPerSlice: 100, processCount: 1, sliceMs: 10_000 });
    for (let i = 0; i < 5; i++) {
      await dead.reserve(request(`h${i}`, 10n, 4_000n));
      await dead.post(settle(`h${i}`, 10n));
    }
    expect(await figures(shared())).toEqual(['0+1000', '0+1000']);
    advance(10_100);
    expect(await figures(shared())).toEqual(['1000+0', '1000+0']);
  });

  test('a slice is not used past eight tenths of its lease, however late the reply came', async () => {
    const { shared } = place();
    const clock = new ManualClock();
    const ledger = new LeasedLedger(shared(), {
      clock,
      callsPerSlice: 100,
      processCount: 1,
      sliceMs: 10_000,
    });
    await ledger.reserve(request('a', 10n, 4_000n));
    expect(ledger.reserve(request('b', 10n, 4_000n))).toEqual({ admitted: true }); // at once
    await clock.advance(8_000);
    const late = ledger.reserve(request('c', 10n, 4_000n));
    expect(late).toBeInstanceOf(Promise);
    expect(await late).toEqual({ admitted: true });
    for (const id of ['a', 'b', 'c']) await ledger.post(settle(id, 1n));
    await ledger.dispose();
    expect(await figures(shared())).toEqual(['3+0', '3+0']);
  });

  test('what lies in slices of this process is given back before anybody is refused', async () => {
    const { shared } = place();
    const ledger = new LeasedLedger(shared(), { callsPerSlice: 100, processCount: 1 });
    await ledger.reserve(request('a', 10n, 1_000n));
    await ledger.post(settle('a', 10n));
    expect(await ledger.reserve(request('b', 990n, 1_000n))).toEqual({ admitted: true });
    expect((await ledger.reserve(request('c', 1n, 1_000n))).admitted).toBe(false);
    await ledger.dispose();
  });

  test('a hold in a slice can be raised, renewed, overspent and closed like any other', async () => {
    const { shared } = place();
    const ledger = new LeasedLedger(shared(), { callsPerSlice: 10, processCount: 1 });
    await ledger.reserve(request('a', 10n, 2_000n));
    expect(await ledger.reserve(request('a', 30n, 2_000n))).toEqual({ admitted: true });
    expect(await ledger.reserve(request('a', 900n, 2_000n))).toEqual({ admitted: true }); // more than its slice
    expect((await ledger.reserve(request('a', 2_001n, 2_000n))).admitted).toBe(false);
    expect(await ledger.renew('a', 60_000)).toBe(true);
    await ledger.post(settle('a', 1_500n)); // more than it held
    await expect(async () => ledger.reserve(request('a', 1n, 2_000n))).rejects.toMatchObject({
      transient: false,
    });
    expect(await ledger.renew('a', 60_000)).toBe(false);
    await ledger.dispose();
    expect(await figures(shared())).toEqual(['1500+0', '1500+0']);
  });

  test('marks are told once, to the post that crosses them', async () => {
    const { shared } = place();
    const ledger = new LeasedLedger(shared(), { callsPerSlice: 100, processCount: 1 });
    const told: string[] = [];
    for (let i = 0; i < 100; i++) {
      await ledger.reserve(request(`h${i}`, 10n, 10_000n));
      for (const { key, mark } of await ledger.post(settle(`h${i}`, 10n, [500n, 800n])))
        told.push(`${i} ${key} ${mark}`);
    }
    expect(told).toEqual(['49 daily 500', '49 monthly 500', '79 daily 800', '79 monthly 800']);
    await ledger.dispose();
  });

  test('a hold whose owner forgot it ends by its policy, and its owner may come back', async () => {
    const { shared } = place();
    const clock = new ManualClock();
    const ledger = new LeasedLedger(shared(), {
      clock,
      callsPerSlice: 100,
      processCount: 1,
      sliceMs: 1_000_000,
    });
    await ledger.reserve(request('book', 10n, 10_000n));
    await ledger.reserve({ ...request('release', 10n, 10_000n), onExpiry: 'release' });
    await clock.advance(60_000);
    expect((await figures(ledger))[0]).toMatch(/^10\+/);
    expect(await ledger.renew('book', 1_000)).toBe(false);
    await ledger.post({ ...settle('book', 4n), close: false });
    expect((await figures(ledger))[0]).toMatch(/^10\+/);
    await ledger.dispose();
  });

  test('a reset takes away what the end of a lease booked, and its owner does not book it again', async () => {
    const { shared } = place();
    const clock = new ManualClock();
    const ledger = new LeasedLedger(shared(), { clock, processCount: 1, sliceMs: 1_000_000 });
    await ledger.reserve(request('a', 10n, 100_000n));
    await clock.advance(60_000);
    for (const key of keys) await ledger.reset(key);
    await ledger.post({ ...settle('a', 4n), close: false });
    expect((await figures(ledger))[0]).toMatch(/^0\+/);
    expect((await ledger.counters()).map(({ committed }) => committed)).toEqual([0n, 0n]);
    await ledger.dispose();
  });
});
