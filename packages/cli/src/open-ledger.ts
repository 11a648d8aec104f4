import { dirname, isAbsolute, join } from 'node:path';
import { type InspectableLedger, isSynapseError } from '@synapsekit/core';
import { UsageError } from './command.ts';

/** How to write which ledger is meant. */
const ledgerForms = 'memory, sqlite:FILE or redis://HOST:PORT';

/** A ledger that was opened by its name, with the connection that it lives on. */
export interface OpenedLedger extends AsyncDisposable {
  readonly ledger: InspectableLedger;
  /** What it is, for people; without a password. */
  readonly name: string;
}

/**
 * Opens the ledger of a budget by its name: `memory` (of this process only), `sqlite:FILE` (of this machine) or
 * `redis://HOST:PORT` (of many; `rediss://` too). What it needs is loaded when it is asked for.
 *
 * @param cwd where a relative file starts from.
 * @throws UsageError for a name that is none, a file or server that cannot be used, and a package that is missing (the
 *   message says how to install it).
 */
export async function openLedger(name: string, { cwd }: { readonly cwd: string }): Promise<OpenedLedger> {
  if (name === 'memory') return openMemory();
  if (name.startsWith('sqlite:')) return openSqlite(name.slice('sqlite:'.length), cwd);
  const url = name.startsWith('redis:redis') ? name.slice('redis:'.length) : name;
  if (/^rediss?:\/\//.test(url)) return openRedis(url);
  throw new UsageError(`A store is ${ledgerForms}, got "${withoutPassword(name)}".`);
}

async function openMemory(): Promise<OpenedLedger> {
  const { MemoryLedger } = await import('@synapsekit/budget');
  const ledger = new MemoryLedger();
  return { ledger, name: 'memory', [Symbol.asyncDispose]: async () => ledger.dispose() };
}

async function openSqlite(file: string, cwd: string): Promise<OpenedLedger> {
  if (file === '') throw new UsageError('sqlite: needs a file, such as sqlite:budget.db.');
  const { SqliteLedger } = await load(() => import('@synapsekit/store-sqlite'), '@synapsekit/store-sqlite');
  const path = isAbsolute(file) ? file : join(cwd, file);
  try {
    const ledger = await SqliteLedger.open({ path });
    return { ledger, name: `sqlite:${file}`, [Symbol.asyncDispose]: async () => ledger.dispose() };
  } catch (error) {
    if (isSynapseError(error)) throw new UsageError(`${error.message} (in ${dirname(path)})`);
    throw error;
  }
}

async function openRedis(url: string): Promise<OpenedLedger> {
  const name = withoutPassword(url);
  const [{ RedisLedger }, { createClient }] = await Promise.all([
    load(() => import('@synapsekit/store-redis'), '@synapsekit/store-redis'),
    load(() => import('redis'), 'redis'),
  ]);
  let client: ReturnType<typeof createClient>;
  let connected = false;
  // A server that was there is waited for; one that never was is a mistake.
  const reconnectStrategy = (retries: number): number | false =>
    connected && Math.min(50 * 2 ** retries, 2_000);
  try {
    client = createClient({ url, socket: { connectTimeout: 5_000, reconnectStrategy } });
  } catch {
    throw new UsageError(`${name} is no address of a Redis server.`);
  }
  // What it says later comes out of each operation.
  client.on('error', () => {});
  try {
    await client.connect();
    connected = true;
  } catch (error) {
    client.destroy();
    const why = error instanceof Error && error.message !== '' ? `: ${withoutPassword(error.message)}` : '';
    throw new UsageError(`${name} cannot be reached${why}.`);
  }
  const ledger = new RedisLedger(client);
  const close = async (): Promise<void> => {
    await ledger.dispose();
    await client.close();
  };
  return { ledger, name, [Symbol.asyncDispose]: close };
}

async function load<T>(importIt: () => Promise<T>, name: string): Promise<T> {
  try {
    return await importIt();
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_MODULE_NOT_FOUND') {
      throw new UsageError(`This store needs ${name}: npm install ${name}`);
    }
    throw error;
  }
}

function withoutPassword(text: string): string {
  return text.replaceAll(/(rediss?:\/\/)[^@/\s]*@/g, '$1');
}
