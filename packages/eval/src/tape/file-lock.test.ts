import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  path = join(folder, 'a.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** No process has this number. */
const dead = 2 ** 22 + 1;
/** Those who wait ask again at once. */
const eager: Clock = { ...systemClock, sleep: () => new Promise((resolve) => setImmediate(resolve)) };
const old = new Date(Date.now() - 60_000);

test('however many find the same dead lock, one enters at a time', async () => {
  let most = 0;
  for (let round = 0; round < 60; round++) {
    await writeFile(`${path}.lock`, `${dead} ${hostname()}`);
    let inside = 0;
    const enter = (): Promise<void> =>
      withFileLock(path, eager, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        await readdir(folder);
        inside--;
      });
    await Promise.all(Array.from({ length: 6 }, enter));
  }
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test('a process of this machine that lives keeps its lock, however old; who waits too long is told whose it is', async () => {
  const lock = `${path}.lock`;
  const text = `${process.ppid} ${hostname()} 0a1b2c3d`;
  await writeFile(lock, text);
  await utimes(lock, old, old);
  const clock = new ManualClock();
  const waiting = withFileLock(path, clock, async () => 'entered').catch(String);
  let answer: string | undefined;
  void waiting.then((said) => {
    answer = said;
  });
  for (let ms = 0; answer === undefined && ms < 120_000; ms += 1_000) {
    await clock.advance(1_000);
    await readFile(lock);
  }
  expect(answer).toMatch(new RegExp(`process ${process.ppid} has held it for 60 s.*remove a\\.jsonl\\.lock`));
  expect(await readFile(lock, 'utf8')).toBe(text);
});

test('a lock that is left behind while another is taken over keeps nobody waiting', async () => {
  await writeFile(`${path}.lock`, `${dead} ${hostname()}`);
  await writeFile(`${path}.lock.taking`, `${dead} ${hostname()}`);
  expect(await withFileLock(path, systemClock, async () => 'entered')).toBe('entered');
  expect(await readdir(folder)).toEqual([]);
});
