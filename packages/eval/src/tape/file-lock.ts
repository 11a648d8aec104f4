import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '@synapsekit/core';

/** A lock this old was left behind by a process of another machine that died: nobody writes a tape for so long. */
const staleMs = 15_000;
const retryMs = 20;

/**
 * Runs `fn` while no other process does so for the same path. The lock is a file beside it.
 *
 * @throws what creating the lock throws: a folder that is read-only, a full disk.
 */
export async function withFileLock<T>(path: string, clock: Clock, fn: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  while (!(await take(lock))) {
    const age = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > staleMs || (await isOfDead(lock))) await rm(lock, { force: true });
    else await clock.sleep(retryMs);
  }
  try {
    return await fn();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx');
    try {
      await file.writeFile(`${process.pid} ${hostname()}`);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether it was a process of this machine, and is gone. */
async function isOfDead(lock: string): Promise<boolean> {
  const [pid = '', host] = (await readFile(lock, 'utf8').catch(() => '')).split(' ');
  return host === hostname() && !isAlive(Number(pid));
}

/** Whether there is a process of this number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
