import { burst } from './burst.ts';
import type { Row } from './claims.ts';
import { httpLoad } from './http-load.ts';
import { killedProcesses } from './killed-processes.ts';
import { lostServer, troubles } from './lost-server.ts';
import { mixedLoad } from './mixed-load.ts';
import { peerBursts } from './peers.ts';
import { Store, type StoreName } from './store.ts';

/** How much is done. */
export interface ProofSize {
  readonly quick: boolean;
  readonly seed: number;
}

/** Hears of the proof as it goes. */
export interface ProofWatcher {
  row(row: Row): void;
  progress(text: string): void;
}

/** Everything, store by store. */
export async function prove(
  stores: readonly StoreName[],
  { quick, seed }: ProofSize,
  watcher: ProofWatcher,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const add = async (
    what: string,
    work: (onProgress: (done: number) => void) => Promise<Row>,
  ): Promise<void> => {
    watcher.progress(`${what} …`);
    const row = await work((done) => watcher.progress(`${what}: ${done}`));
    rows.push(row);
    watcher.row(row);
  };
  const calls = quick ? 1_500 : 20_000;
  for (const name of stores) {
    const store = await Store.start(name);
    try {
      await add(`burst, ${name}`, () => burst(store, 1));
      if (name !== 'memory') await add(`burst of 8 processes, ${name}`, () => burst(store, 8));
      for (const onExceeded of ['block', 'queue'] as const) {
        if (quick && name !== 'memory' && onExceeded === 'queue') continue;
        await add(`mixed load, ${name}, ${onExceeded}`, (onProgress) =>
          mixedLoad(store, { calls, seed, onExceeded, onProgress }),
        );
      }
      await add(`over HTTP, ${name}`, () => httpLoad(store, { calls: quick ? 200 : 2_000, seed }));
      if (name !== 'memory') {
        await add(`killed processes, ${name}`, (onProgress) =>
          killedProcesses(store, { seed, kills: quick ? 4 : 25, onProgress }),
        );
      }
    } finally {
      await store.dispose();
    }
    if (name !== 'redis') continue;
    for (const trouble of troubles) {
      await add(trouble, (onProgress) => lostServer({ trouble, seed, times: quick ? 3 : 12, onProgress }));
    }
  }
  if (!quick) {
    watcher.progress('peers …');
    for (const row of await peerBursts()) {
      rows.push(row);
      watcher.row(row);
    }
  }
  return rows;
}
