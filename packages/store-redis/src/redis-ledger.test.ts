import { ConfigError, type LedgerKey } from '@synapsekit/core';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeWithRedis, RedisServer } from '../test/redis-server.ts';
import type { RedisClient } from './redis-client.ts';
import { RedisLedger } from './redis-ledger.ts';
import type { RedisLedgerOptions } from './redis-ledger-options.ts';

const endsAtMs = 4_102_444_800_000;
const keyOf = (key: string): LedgerKey => ({ key, window: { id: 'day', endsAtMs } });
const four = ['hourly', 'daily', 'monthly', 'per user'].map(keyOf);
const lines = (keys: readonly LedgerKey[], amount = 10n, limit = 1_000n) =>
  keys.map((key) => ({ ...key, amount, limit }));
const request = (holdId: string, keys: readonly LedgerKey[] = four) => ({
  holdId,
  lines: lines(keys),
  leaseMs: 60_000,
  onExpiry: 'release' as const,
});

describe('RedisLedger refuses', () => {
  const client = { evalsha: async () => 1, eval: async () => 1 };
  test.each([
    ['an unknown option', { hashtag: 'x' }],
    ['a hash tag with braces', { hashTag: 'a}b' }],
    ['an empty hash tag', { hashTag: '' }],
    ['a prefix with braces', { keyPrefix: '{x}' }],
    ['no time at all', { timeoutMs: 0 }],
    ['no memory', { rememberMs: Number.NaN }],
    ['a grace below nothing', { graceMs: -1 }],
  ])('%s', (_, options) => {
    expect(() => new RedisLedger(client, options as RedisLedgerOptions)).toThrow(ConfigError);
  });
  test.each([[undefined], [{}], ['redis://localhost'], [{ eval() {} }]])('%o as a client', (other) => {
    expect(() => new RedisLedger(other as unknown as RedisClient)).toThrow(/`redis` package/);
  });
});

describeWithRedis('RedisLedger on a server', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.dispose();
  });
  beforeEach(async () => {
    await redis.flushall();
    await redis.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
  });

  test('a reservation is one round trip, and booking with closing is one', async () => {
    const ledger = new RedisLedger(redis);
    await ledger.reserve(request('first'));
    await ledger.post({
      attemptId: 'first',
      holdId: 'first',
      lines: lines(four),
      kind: 'actual',
      close: true,
    });
    await vi.waitFor(async () => expect(await redis.info('commandstats')).toContain('cmdstat_info'));
    await redis.config('RESETSTAT');
    for (let i = 0; i < 100; i++) {
      await ledger.reserve(request(`h${i}`));
      await ledger.post({
        attemptId: `x${i}`,
        holdId: `h${i}`,
        lines: lines(four, 7n),
        kind: 'actual',
        close: true,
      });
    }
    const stats = await redis.info('commandstats');
    expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe('200');
    expect(stats).not.toMatch(/cmdstat_eval:/);
  });

  test('everything that is written ends by itself, but what has no end', async () => {
    const ledger = new RedisLedger(redis);
    const rolling: LedgerKey = { key: 'recent', window: { id: 'rolling-60s', lengthMs: 60_000, slots: 6 } };
    for (let i = 0; i < 40; i++) {
      await ledger.reserve(request(`h${i}`));
      await ledger.post({
        attemptId: `x${i}`,
        holdId: `h${i}`,
        lines: lines([...four, rolling], 7n),
        kind: 'actual',
      });
    }
    await ledger.close('h1');
    await ledger.close('never seen');
    await ledger.renew('h2', 600_000);
    const keys = await redis.keys('*');
    expect(keys.length).toBeGreaterThan(80);
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);

    await ledger.reserve(request('total', [{ key: 'total', window: { id: 'total' } }]));
    const forever: string[] = [];
    for (const key of await redis.keys('*')) if ((await redis.pttl(key)) === -1) forever.push(key);
    expect(forever.sort()).toEqual(
      ['c:5:total:total', 'h:total', 'z'].map((name) => `synapsekit:{budget}:${name}`),
    );
    // Once the hold is over only the counter stays.
    for (const { holdId } of await ledger.holds()) await ledger.close(holdId);
    forever.length = 0;
    for (const key of await redis.keys('*')) if ((await redis.pttl(key)) === -1) forever.push(key);
    expect(forever).toEqual(['synapsekit:{budget}:c:5:total:total']);
  });

  test('a hold never ends before the counter that includes it, nor the counter before its hold', async () => {
    const ledger = new RedisLedger(redis, { graceMs: 1_000 });
    const soon = { key: 'hourly', window: { id: 'this hour', endsAtMs: Date.now() + 1_000 } };
    await ledger.reserve({ ...request('h', [soon]), leaseMs: 300_000 });
    const [counter = '', hold = ''] = ['c:6:hourly:this hour', 'h:h'].map(
      (name) => `synapsekit:{budget}:${name}`,
    );
    expect(await redis.pttl(counter)).toBeGreaterThan(299_000);
    expect(await redis.pttl(hold)).toBeGreaterThan(299_000);
    await ledger.renew('h', 900_000);
    for (const key of [counter, hold]) expect(await redis.pttl(key)).toBeGreaterThan(899_000);
  });

  test('a window that is long past by the clock of the caller is kept for the grace all the same', async () => {
    const ledger = new RedisLedger(redis);
    const past = { key: 'daily', window: { id: 'long ago', endsAtMs: 1_000 } };
    await ledger.post({ attemptId: 'x', lines: lines([past]), kind: 'actual' });
    expect(await redis.pttl('synapsekit:{budget}:c:5:daily:long ago')).toBeGreaterThan(3_590_000);
    expect(await ledger.status([past])).toMatchObject([{ committed: 10n }]);
  });

  test('all keys of a ledger lie under its hash tag, and ledgers with other tags share nothing', async () => {
    const acme = new RedisLedger(redis, { hashTag: 'acme', keyPrefix: 'app:' });
    const other = new RedisLedger(redis, { hashTag: 'other', keyPrefix: 'app:' });
    await acme.reserve(request('h'));
    expect((await redis.keys('*')).every((key) => key.startsWith('app:{acme}:'))).toBe(true);
    expect(await other.status(four.slice(0, 1))).toMatchObject([{ held: 0n }]);
    expect(await other.counters()).toEqual([]);
    expect(await acme.counters()).toHaveLength(4);
  });

  test('a request over two hash tags is refused for good, and says why', async () => {
    const ledger = new RedisLedger(redis, { hashTag: (key) => key.split(':')[0] ?? '' });
    const refused = {
      code: 'ledger',
      transient: false,
      message: expect.stringContaining('two hash tags, acme and globex'),
    };
    const both = [keyOf('acme:daily'), keyOf('globex:daily')];
    await expect(ledger.reserve(request('a', both))).rejects.toMatchObject(refused);
    await expect(ledger.post({ attemptId: 'x', lines: lines(both), kind: 'actual' })).rejects.toMatchObject(
      refused,
    );
    await ledger.reserve(request('h', [keyOf('acme:daily')]));
    const elsewhere = {
      attemptId: 'x',
      holdId: 'h',
      lines: lines([keyOf('globex:daily')]),
      kind: 'actual' as const,
    };
    await expect(ledger.post(elsewhere)).rejects.toMatchObject(refused);
    // Each tenant by itself works, and looking is no booking.
    await ledger.reserve(request('i', [keyOf('globex:daily')]));
    expect(await ledger.status(both)).toMatchObject([
      { key: 'acme:daily', held: 10n },
      { key: 'globex:daily', held: 10n },
    ]);
    expect(await ledger.renew('h', 1_000)).toBe(true);
    await ledger.close('h');
    expect((await ledger.holds()).map(({ holdId }) => holdId)).toEqual(['i']);
    await expect(ledger.close('never seen')).rejects.toMatchObject({ transient: false });
    await expect(ledger.reserve(request('j', [keyOf(':daily')]))).rejects.toThrow(/hashTag must return/);
  });

  test('a prefix that the client adds itself is no trouble', async () => {
    const prefixed = new Redis(server.url, { keyPrefix: 'mine:' });
    try {
      const ledger = new RedisLedger(prefixed);
      for (const id of ['a', 'b']) {
        await ledger.reserve(request(id));
        await ledger.post({
          attemptId: id,
          holdId: id,
          lines: lines(four, 7n),
          kind: 'actual',
          close: id === 'a',
        });
      }
      expect((await redis.keys('*')).every((key) => key.startsWith('mine:synapsekit:{budget}:'))).toBe(true);
      expect(await ledger.counters({ prefix: 'daily' })).toMatchObject([
        { key: 'daily', committed: 14n, held: 3n },
      ]);
      expect(await ledger.holds()).toMatchObject([{ holdId: 'b' }]);
    } finally {
      prefixed.disconnect();
    }
  });

  test('a server that evicts keys is warned of, once; one that does not is not', async () => {
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    await new RedisLedger(redis, { onWarning }).reserve(request('a'));
    await redis.config('SET', 'maxmemory-policy', 'volatile-lru');
    const ledger = new RedisLedger(redis, { onWarning });
    for (const id of ['b', 'c', 'd']) await ledger.reserve(request(id));
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    expect(warnings[0]).toMatch(/volatile-lru.*noeviction/);
  });

  test('a full memory refuses new holds and leaves no half of one, while calls that run can settle', async () => {
    const ledger = new RedisLedger(redis);
    await ledger.reserve(request('h'));
    await ledger.reserve(request('i'));
    await redis.config('SET', 'maxmemory', '1');
    await expect(ledger.reserve(request('j'))).rejects.toMatchObject({
      transient: true,
      message: expect.stringContaining('maxmemory'),
    });
    expect(await ledger.status(four)).toMatchObject(four.map(() => ({ committed: 0n, held: 20n })));
    await ledger.post({ attemptId: 'x', holdId: 'h', lines: lines(four, 7n), kind: 'actual', close: true });
    await ledger.post({ attemptId: 'y', holdId: 'i', lines: lines(four, 3n), kind: 'actual' });
    await ledger.close('i');
    expect(await ledger.status(four)).toMatchObject(four.map(() => ({ committed: 10n, held: 0n })));
  });

  test('a key that holds something else is a clear error, and nothing is written', async () => {
    await redis.hset('synapsekit:{budget}:z', 'a', 'b');
    const wrong = { transient: false, message: expect.stringContaining('`keyPrefix` of its own') };
    const ledger = new RedisLedger(redis);
    await expect(ledger.reserve(request('h'))).rejects.toMatchObject(wrong);
    expect(await redis.keys('*')).toEqual(['synapsekit:{budget}:z']);
  });

  test('costs the same with ten keys and with many: no operation looks at others', async () => {
    const ledger = new RedisLedger(redis);
    const commandsOfAPair = async () => {
      await redis.config('RESETSTAT');
      // Sweeping comes by chance: with so many it evens out.
      for (let i = 0; i < 50; i++) {
        await ledger.reserve(request(`h${i}`));
        await ledger.close(`h${i}`);
        await redis.del(`synapsekit:{budget}:h:h${i}`);
      }
      const stats = await redis.info('commandstats');
      return [...stats.matchAll(/cmdstat_(?!config|info|del)[^:]+:calls=(\d+)/g)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      );
    };
    await ledger.reserve(request('first'));
    await ledger.close('first');
    const few = await commandsOfAPair();
    await Promise.all(
      Array.from({ length: 2_000 }, (_, i) => ledger.reserve(request(`more ${i}`, [keyOf(`k${i}`)]))),
    );
    const many = await commandsOfAPair();
    expect(Math.abs(many - few)).toBeLessThan(60);
  });
});
