import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLedger } from '@synapsekit/budget';
import type { Clock, InspectableLedger } from '@synapsekit/core';
import { RedisLedger } from '@synapsekit/store-redis';
import { SqliteLedger } from '@synapsekit/store-sqlite';
import { createClient } from 'redis';
import { RedisServer } from '../../../packages/store-redis/test/redis-process.ts';

/** Where money is counted. */
export type StoreName = 'memory' | 'sqlite' | 'redis';

export const storeNames: readonly StoreName[] = ['memory', 'sqlite', 'redis'];

/** An empty ledger that several processes can open. */
export interface Place {
  /** What another process opens it by; `undefined` where only this one can. */
  readonly address: string | undefined;
  open(): Promise<OpenLedger>;
}

/** A ledger, and what it lies on. */
export interface OpenLedger {
  readonly ledger: InspectableLedger;
  close(): Promise<void>;
}

/** A machine under load is no failure: stores may take this long to answer, milliseconds. */
export const patienceMs = 20_000;

/** A store, and as many empty places on it as are asked for. */
export class Store {
  readonly name: StoreName;
  readonly #folder: string;
  readonly #server: RedisServer | undefined;

  private constructor(name: StoreName, server: RedisServer | undefined) {
    this.name = name;
    this.#server = server;
    this.#folder = mkdtempSync(join(tmpdir(), 'hard-budgets-'));
  }

  /** Redis gets a server of its own, on a free port. */
  static async start(name: StoreName): Promise<Store> {
    return new Store(name, name === 'redis' ? await RedisServer.start() : undefined);
  }

  /** @param clock what a ledger in memory goes by; the others have times of their own. */
  place(clock?: Clock): Place {
    if (this.name === 'memory') {
      const ledger = new MemoryLedger({ clock });
      return { address: undefined, open: async () => ({ ledger, close: async () => {} }) };
    }
    const address =
      this.#server === undefined
        ? `sqlite:${join(this.#folder, `${randomUUID()}.db`)}`
        : `${this.#server.url}#${randomUUID()}`;
    return { address, open: () => openAddress(address) };
  }

  async dispose(): Promise<void> {
    await this.#server?.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Opens `sqlite:FILE`, or `redis://HOST:PORT#TAG`. */
export async function openAddress(address: string): Promise<OpenLedger> {
  if (address.startsWith('sqlite:')) {
    const ledger = await SqliteLedger.open({
      path: address.slice('sqlite:'.length),
      lockTimeoutMs: patienceMs,
    });
    return { ledger, close: async () => ledger.dispose() };
  }
  const [url = '', hashTag = ''] = address.split('#');
  const client = createClient({ url, socket: { reconnectStrategy: 20 } });
  client.on('error', () => {}); // it reconnects by itself
  await client.connect();
  const ledger = new RedisLedger(client, { hashTag, timeoutMs: patienceMs });
  return {
    ledger,
    close: async () => {
      await ledger.dispose();
      client.destroy();
    },
  };
}
