import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ShadowQueue } from './shadow-queue.ts';

test('property: a shadow queue runs so much at once, keeps so much waiting, and ends idle', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(5),
      fc.array(fc.boolean(), { maxLength: 40 }),
      async (maxConcurrent, maxQueued, steps) => {
        const queue = new ShadowQueue(maxConcurrent, maxQueued);
        const open: (() => void)[] = [];
        let ran = 0;
        let taken = 0;
        let refused = 0;
        for (const add of steps) {
          if (add) {
            const { promise, resolve } = Promise.withResolvers<void>();
            const room = queue.size < maxConcurrent + maxQueued;
            const accepted = queue.add(async () => {
              ran++;
              open.push(resolve);
              await promise;
            });
            expect(accepted).toBe(room);
            if (accepted) taken++;
            else refused++;
          } else {
            open.shift()?.();
            await new Promise((resolve) => setImmediate(resolve));
          }
          expect(open.length).toBeLessThanOrEqual(maxConcurrent);
          expect(queue.size).toBeLessThanOrEqual(maxConcurrent + maxQueued);
        }
        const idle = queue.whenIdle();
        while (queue.size > 0) {
          for (const end of open.splice(0)) end();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await idle;
        expect(ran).toBe(taken);
        expect(queue.dropped).toBe(refused);
      },
    ),
    { numRuns: 60 },
  );
});
