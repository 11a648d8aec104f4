import { randomUUID } from 'node:crypto';
import type { CreateLedgerBackend } from '@synapsekit/testing/contracts';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from '../src/redis-client.ts';
import { RedisLedger } from '../src/redis-ledger.ts';

/** A client, and how to close it. */
export interface OpenClient {
  readonly client: RedisClient;
  close(): Promise<void> | void;
  /** Makes the server forget all scripts. */
  flushScripts(): Promise<unknown>;
}

/** Both clients that there are. */
export const clients: Readonly<Record<'redis' | 'ioredis', (url: string) => Promise<OpenClient>>> = {
  async redis(url) {
    const client = createClient({ url, socket: { reconnectStrategy: 20 } });
    client.on('error', () => {}); // it reconnects by itself
    await client.connect();
    return { client, close: () => client.destroy(), flushScripts: () => client.scriptFlush() };
  },
  async ioredis(url) {
    const client = new Redis(url, { retryStrategy: () => 20 });
    client.on('error', () => {});
    return { client, close: () => client.disconnect(), flushScripts: () => client.script('FLUSH') };
  },
};

/** Empty places on one server: each under a hash tag of its own, its ledgers on two connections in turn. */
export function ledgerPlaces(connections: () => readonly [OpenClient, OpenClient]): CreateLedgerBackend {
  return () => {
    const hashTag = randomUUID();
    let offsetMs = 0;
    let opened = 0;
    return {
      isRemote: true,
      open() {
        const { client } = connections()[opened++ % 2] as OpenClient;
        return new RedisLedger(client, { hashTag, timeoutMs: 20_000, testTimeOffsetMs: () => offsetMs });
      },
      advance(ms) {
        offsetMs += ms;
      },
      // The server runs on this machine, and has its time.
      nowMs: () => Date.now() + offsetMs,
      stepWall(ms) {
        offsetMs += ms;
      },
    };
  };
}
