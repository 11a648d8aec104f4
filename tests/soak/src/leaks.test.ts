/** The watches find leaks. */
import { describe, expect, test } from 'vitest';
import { heapTrend } from './heap-trend.ts';
import { ProcessWatch } from './process-watch.ts';
import { Violations } from './violations.ts';
import { WatchedClock } from './watched-clock.ts';

describe('the heap', () => {
  const samples = (bytesAt: (calls: number) => number) =>
    Array.from({ length: 20 }, (_, round) => {
      const calls = round * 5_000;
      return { calls, bytes: bytesAt(calls) };
    });

  test('that is steady, or falls, does not leak', () => {
    expect(heapTrend(samples(() => 50_000_000))).toMatchObject({ grownBytes: 0, leaks: false });
    expect(heapTrend(samples((calls) => 50_000_000 - 20 * calls))?.leaks).toBe(false);
  });

  test('that fills up in the beginning does not leak', () => {
    expect(heapTrend(samples((calls) => 50_000_000 + 1_000 * Math.min(calls, 20_000)))?.leaks).toBe(false);
  });

  test('that grows by a closure per call leaks', () => {
    const trend = heapTrend(samples((calls) => 50_000_000 + 100 * calls));
    expect(trend).toMatchObject({ grownBytes: 100 * (trend?.calls ?? 0), leaks: true });
  });

  test('is not judged by too few samples', () => {
    expect(heapTrend(samples((calls) => 1_000 * calls).slice(0, 4))).toBeUndefined();
  });
});

test('a listener on process that stays is found, and so is a warning', async () => {
  const violations = new Violations();
  using watch = new ProcessWatch(violations, Number.POSITIVE_INFINITY);
  const listener = (): void => {};
  watch.check();
  process.on('SIGUSR2', listener);
  try {
    watch.check();
    process.emitWarning('a leak of listeners', 'MaxListenersExceededWarning');
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('SIGUSR2', listener);
  }
  const kinds = violations.list().map(({ kind }) => kind);
  expect(kinds).toContain('listeners on process');
  expect(kinds).toContain('process warning MaxListenersExceededWarning');
});

test('the clock knows what is pending', async () => {
  const clock = new WatchedClock();
  const fired = new Promise<void>((resolve) => void clock.timer(1, resolve));
  const cancel = clock.timer(60_000, () => {});
  const controller = new AbortController();
  const asleep = clock.sleep(60_000, { signal: controller.signal });
  expect(clock.pending).toBe(3);
  cancel();
  cancel();
  controller.abort();
  await expect(asleep).rejects.toBe(controller.signal.reason);
  await Promise.all([fired, clock.sleep(0)]);
  expect(clock.pending).toBe(0);
});
