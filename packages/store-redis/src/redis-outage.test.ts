import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isSynapseError, type LedgerKey } from '@synapsekit/core';
import { afterEach, describe, expect, test } from 'vitest';
import { clients, type OpenClient } from '../test/ledger-places.ts';
import { describeWithRedis, RedisServer } from '../test/redis-server.ts';
import { ReplyDropper } from '../test/reply-dropper.ts';
import { RedisLedger } from './redis-ledger.ts';

const daily: LedgerKey = { key: 'daily', window: { id: '2026-11-23@UTC', endsAtMs: 4_102_444_800_000 } };
const limit = 1_000n;

const reserveWith = (ledger: RedisLedger, holdId: string, amount = 10n) =>
  ledger.reserve({ holdId, lines: [{ ...daily, limit, amount }], leaseMs: 600_000, onExpiry: 'book' });
const settle = (ledger: RedisLedger, id: string, amount: bigint) =>
  ledger.post({ attemptId: id, holdId: id, lines: [{ ...daily, amount }], kind: 'actual', close: true });
const figures = async (ledger: RedisLedger) => {
  const [status] = await ledger.status([daily]);
  return [status?.committed, status?.held];
};

/** Repeats what failed because the server was away, as a guard does. */
async function insist<T>(operation: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      if (!isSynapseError(error, 'ledger') || !error.transient) throw error;
      await sleep(5);
    }
  }
}

describeWithRedis('When Redis is not well', () => {
  const open: { dispose(): Promise<void> | void }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.dispose();
  });
  const startServer = async (...options: string[]) => {
    const server = await RedisServer.start(...options);
    open.push(server);
    return server;
  };
  const connectTo = async (connect: (url: string) => Promise<OpenClient>, url: string) => {
    const { client, close } = await connect(url);
    open.push({ dispose: close });
    return client;
  };

  for (const [name, connect] of Object.entries(clients)) {
    describe(`through ${name}`, () => {
      test('a server that was killed under load comes back with all that was acknowledged', async () => {
        const server = await startServer('--appendonly', 'yes', '--appendfsync', 'always');
        const ledger = new RedisLedger(await connectTo(connect, server.url), { timeoutMs: 500 });
        let done = 0;
        const work = Array.from({ length: 300 }, async (_, i) => {
          await sleep(i);
          const { admitted } = await insist(() => reserveWith(ledger, `h${i}`, 3n));
          if (admitted) await insist(() => settle(ledger, `h${i}`, 3n));
          done += 1;
          return admitted ? 3n : 0n;
        });
        for (const after of [50, 150]) {
          while (done < after) await sleep(1);
          await server.kill();
          await sleep(30);
          await server.start();
        }
        const booked = (await Promise.all(work)).reduce<bigint>((sum, cost) => sum + cost, 0n);
        expect(booked).toBe(900n);
        expect(await figures(ledger)).toEqual([900n, 0n]);
      });

      test('replies that are lost count once', async () => {
        const server = await startServer();
        const way = await ReplyDropper.start(server.port);
        open.push(way);
        const ledger = new RedisLedger(await connectTo(connect, way.url), { timeoutMs: 500 });
        for (let i = 0; i < 40; i++) {
          way.dropNext = 1;
          expect(await insist(() => reserveWith(ledger, `h${i}`))).toEqual({ admitted: true });
          way.dropNext = i % 2;
          await insist(() => settle(ledger, `h${i}`, 7n));
        }
        expect(way.dropped).toBeGreaterThanOrEqual(60);
        expect(await figures(ledger)).toEqual([280n, 0n]);
        way.dropNext = 1;
        await insist(() => reserveWith(ledger, 'open', 720n));
        expect((await insist(() => reserveWith(ledger, 'late', 1n))).admitted).toBe(false);
      });

      test('a server that is silent is given up in time, and found again', async () => {
        const server = await startServer();
        const ledger = new RedisLedger(await connectTo(connect, server.url), { timeoutMs: 100 });
        await reserveWith(ledger, 'before');
        server.pause();
        const operations = [
          () => reserveWith(ledger, 'a'),
          () => settle(ledger, 'before', 1n),
          () => ledger.close('before'),
          () => ledger.renew('before', 1_000),
          () => ledger.status([daily]),
          () => ledger.counters(),
          () => ledger.holds(),
          () => ledger.reset(daily),
        ];
        for (const operation of operations) {
          await expect(operation()).rejects.toMatchObject({
            code: 'ledger',
            transient: true,
            message: expect.stringContaining('100 ms'),
          });
        }
        server.resume();
        expect((await insist(() => reserveWith(ledger, 'b'))).admitted).toBe(true);
      });

      test('a server that is gone is told as gone', async () => {
        const server = await startServer();
        const ledger = new RedisLedger(await connectTo(connect, server.url), { timeoutMs: 200 });
        await reserveWith(ledger, 'before');
        await server.kill();
        await expect(reserveWith(ledger, 'a')).rejects.toMatchObject({ code: 'ledger', transient: true });
      });

      test('a server that forgot the scripts is given them again, also in the middle of it all', async () => {
        const server = await startServer();
        const { client, flushScripts, close } = await connect(server.url);
        open.push({ dispose: close });
        const ledger = new RedisLedger(client);
        const results = await Promise.all(
          Array.from({ length: 400 }, async (_, i) => {
            if (i % 40 === 0) await flushScripts();
            const { admitted } = await reserveWith(ledger, `h${i}`);
            if (admitted) await settle(ledger, `h${i}`, 10n);
            return admitted;
          }),
        );
        expect(results.filter(Boolean)).toHaveLength(100);
        expect(await figures(ledger)).toEqual([1_000n, 0n]);
      });
    });
  }

  test('8 processes and 1,000 calls of $0.10 against $5.00: exactly 50 are admitted', async () => {
    const server = await startServer();
    const run = promisify(execFile);
    const program = join(import.meta.dirname, '../test/spender-process.ts');
    const processes = Array.from({ length: 8 }, (_, i) =>
      run(process.execPath, [program, server.url, `p${i}`, '125']),
    );
    const admitted = (await Promise.all(processes)).map(({ stdout }) => Number(stdout));
    expect(admitted.reduce((sum, one) => sum + one, 0)).toBe(50);
    const client = await connectTo(clients.redis, server.url);
    expect(await figures(new RedisLedger(client))).toEqual([5_000_000_000_000n, 0n]);
  }, 120_000); // eight times a Node that starts
});
