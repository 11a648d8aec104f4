import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap that are still reachable. */
export async function keptBytes(): Promise<number> {
  // Finalizers and microtasks of one collection release what the next one takes.
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

/** Bytes that `work` leaves behind. */
export async function bytesKeptBy(work: () => unknown): Promise<number> {
  const before = await keptBytes();
  await work();
  return (await keptBytes()) - before;
}
