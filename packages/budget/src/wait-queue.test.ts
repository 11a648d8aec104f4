import { BudgetExceededError } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { expect, test } from 'vitest';
import { type Entry, WaitQueue } from './wait-queue.ts';

const refusal = new BudgetExceededError('full', {
  guard: 'g',
  limit: 'daily',
  limitUsd: '1',
  committedUsd: '0',
  heldUsd: '1',
  neededUsd: '1',
  fits: 'in-flight',
});

test('who needs no limit that anybody waits for looks again at every pulse, wherever he stands', async () => {
  const queue = new WaitQueue(new ManualClock(), 10_000, 10);
  const looks: string[] = [];
  let isFree = false;
  const enter = (name: string, keys: readonly string[]) =>
    queue.enter(
      keys,
      async (): Promise<Entry<string>> => {
        looks.push(name);
        return isFree ? { admitted: true, value: name } : { admitted: false, refusal };
      },
      undefined,
    );
  // The model that was asked for has no limit that counts; the one that may take its place has, and is full.
  const first = [enter('a', []), enter('b', [])];
  await settle();
  looks.length = 0;
  queue.pulse();
  await settle();
  expect(looks).toEqual(['a', 'b']);

  const more = [enter('c', ['daily']), enter('d', ['daily']), enter('e', [])];
  await settle();
  looks.length = 0;
  isFree = true;
  queue.pulse();
  await settle();
  expect(looks.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(await Promise.all([...first, ...more])).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(queue.length).toBe(0);
});

/** Until nothing goes on any more but waits. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
