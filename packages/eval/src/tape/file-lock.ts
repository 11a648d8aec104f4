import { randomUUID } from 'node:crypto';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { Clock } from '@synapsekit/core';

/** A lock this old was left behind by a process of another machine that died: nobody writes a tape for so long. */
const staleMs = 15_000;
const retryMs = 20;
/** Whoever waits so long for one and the same process is told. Its number may be that of another one by now. */
const patienceMs = 60_000;

/**
 * Runs `fn` while no other process does so for the same path. The lock is a file beside it.
 *
 * @throws what creating the lock throws: a folder that is read-only, a full disk; that somebody keeps it for a minute.
 */
export async function withFileLock<T>(path: string, clock: Clock, fn: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const own = `${process.pid} ${hostname()} ${randomUUID()}`;
  let holder: { readonly text: string; readonly sinceMs: number } | undefined;
  while (!(await create(lock, own))) {
    const text = await textOf(lock);
    if (text === undefined) continue; // it is free
    if (holder?.text !== text) holder = { text, sinceMs: clock.monotonic() };
    if (await isAbandoned(lock, text)) {
      if (await takeAway(lock)) continue;
    } else if (clock.monotonic() - holder.sinceMs >= patienceMs) throw isKept(lock, text);
    await clock.sleep(retryMs);
  }
  try {
    return await fn();
  } finally {
    if ((await textOf(lock)) === own) await rm(lock, { force: true });
  }
}

async function create(lock: string, text: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx');
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes an abandoned lock away. Only one who waits may do so at a time: of two that saw the same lock, the slower one
 * would take that of the faster one.
 */
async function takeAway(lock: string): Promise<boolean> {
  const taking = `${lock}.taking`;
  if (!(await create(taking, `${process.pid} ${hostname()}`))) {
    const text = await textOf(taking);
    if (text !== undefined && (await isAbandoned(taking, text))) await rm(taking, { force: true });
    return false;
  }
  try {
    const text = await textOf(lock);
    if (text !== undefined && (await isAbandoned(lock, text))) await rm(lock, { force: true });
    return true;
  } finally {
    await rm(taking, { force: true });
  }
}

/** Whose it is; `undefined` for a lock that is not there. */
async function textOf(lock: string): Promise<string | undefined> {
  try {
    return await readFile(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether its process is gone. Of this machine, that is known; of others, its age tells. */
async function isAbandoned(lock: string, text: string): Promise<boolean> {
  const [pid = '', host] = text.split(' ');
  if (host === hostname()) return !isAlive(Number(pid));
  const written = await stat(lock).catch(() => undefined);
  // The time of a file is that of its disk: no injected clock knows it.
  return written !== undefined && Date.now() - written.mtimeMs > staleMs;
}

function isKept(lock: string, text: string): Error {
  const name = basename(lock);
  const [pid = ''] = text.split(' ');
  return new Error(
    `it is locked: process ${pid} has held it for ${patienceMs / 1_000} s. If that is no run of yours, remove ${name}`,
  );
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
