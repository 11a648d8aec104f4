import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { runServer } from 'verdaccio';

/** A package registry on this machine: of our scope only, gone when it is closed. */
export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** What a client has to have in its `.npmrc` to publish. */
  readonly login: string;
}

/** Starts a registry on a free port of the loopback. It asks no other registry for anything. */
export async function startRegistry(folder: string): Promise<Registry> {
  mkdirSync(folder, { recursive: true });
  const server = await runServer({
    configPath: join(folder, 'config.yaml'), // demanded, though there need be none
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'users'), max_users: 1 } },
    uplinks: {},
    packages: { '@synapsekit/*': { access: '$all', publish: '$authenticated' } },
    web: { enable: false },
    log: { type: 'stdout', format: 'pretty', level: 'error' },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = await addUser(`http://${host}`);
  return {
    url: `http://${host}/`,
    login: `//${host}/:_authToken=${token}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function addUser(origin: string): Promise<string> {
  const name = 'rehearsal';
  const response = await fetch(`${origin}/-/user/org.couchdb.user:${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password: randomUUID() }),
  });
  const { token } = (await response.json()) as { readonly token?: string };
  if (token === undefined) throw new Error(`The registry let nobody in: HTTP ${response.status}.`);
  return token;
}
