import { ManualClock } from '@synapsekit/testing';
import { expect, test } from 'vitest';
import { MemoryLedger } from './ledger/memory-ledger.ts';
import { PostQueue } from './post-queue.ts';

test('whoever waits for what was booked does not wait for what is booked after it', async () => {
  const clock = new ManualClock();
  const ledger = new MemoryLedger({ clock });
  const queue = new PostQueue(
    {
      unitPico: ledger.unitPico,
      reserve: (request) => ledger.reserve(request),
      post: (request) => clock.sleep(10).then(() => ledger.post(request)),
      close: (holdId) => ledger.close(holdId),
      renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs),
      status: (keys) => ledger.status(keys),
      flush() {},
      dispose() {},
    },
    clock,
    2_000,
    () => {},
  );
  const post = (attemptId: string) =>
    queue.post(
      { attemptId, kind: 'actual', lines: [{ key: 'k', window: { id: 'total' }, amount: 1n }] },
      { uncovered: [1n] },
    );
  void post('first');
  let arrivedAtMs: number | undefined;
  const settled = queue.settled().then(() => {
    arrivedAtMs = clock.monotonic();
  });
  for (let i = 0; i < 20; i++) {
    await clock.advance(5); // somebody always has something on its way
    void post(`later ${i}`);
  }
  await settled;
  expect(arrivedAtMs).toBe(10);
  expect(queue.pending).toBeGreaterThan(0);
  await clock.advance(20);
  expect([queue.pending, queue.hasUncovered]).toEqual([0, false]);
});
