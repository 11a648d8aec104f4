import { beforeEach, expect, test, vi } from 'vitest';
import type { Clock } from '../clock.ts';
import { watchTime } from './time-watch.ts';

/** Core cannot use `@synapsekit/testing`, which depends on it: a clock for timers alone. */
class TimerClock implements Clock {
  nowMs = 0;
  readonly timers = new Map<() => void, number>();
  now = (): number => this.nowMs;
  monotonic = (): number => this.nowMs;
  sleep = (): Promise<void> => Promise.reject(new Error('not used'));

  timer(ms: number, callback: () => void): () => void {
    this.timers.set(callback, this.nowMs + ms);
    return () => this.timers.delete(callback);
  }

  advance(ms: number): void {
    const target = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.timers].filter(([, due]) => due <= target).sort(([, a], [, b]) => a - b);
      if (next === undefined) break;
      const [callback, due] = next;
      this.timers.delete(callback);
      this.nowMs = Math.max(this.nowMs, due);
      callback();
    }
    this.nowMs = target;
  }
}

let clock = new TimerClock();
const expire = vi.fn();
const watch = (limits: object) => watchTime(clock, limits, expire);

beforeEach(() => {
  clock = new TimerClock();
  expire.mockReset();
});

test('the total limit runs from sending to the end', () => {
  const time = watch({ timeoutMs: 100 });
  clock.advance(1_000);
  time.sent();
  time.content();
  clock.advance(99);
  expect(expire).not.toHaveBeenCalled();
  clock.advance(1);
  expect(expire).toHaveBeenCalledExactlyOnceWith('total', 100);
});

test('the limit until the first content ends with it', () => {
  const late = watch({ firstTokenTimeoutMs: 100 });
  late.sent();
  clock.advance(100);
  expect(expire).toHaveBeenCalledExactlyOnceWith('first-token', 100);
  expire.mockReset();
  const inTime = watch({ firstTokenTimeoutMs: 100 });
  inTime.sent();
  clock.advance(99);
  inTime.content();
  clock.advance(1_000);
  expect(expire).not.toHaveBeenCalled();
});

test('the idle limit counts only while somebody waits, from the last content on', () => {
  const time = watch({ idleTimeoutMs: 100 });
  time.sent();
  time.waiting();
  clock.advance(1_000); // before the first content another limit holds
  time.content();
  clock.advance(1_000); // the consumer takes his time
  time.waiting();
  clock.advance(60);
  time.arrived(); // a piece without content
  clock.advance(1_000); // and the consumer takes his time over it, too
  time.waiting();
  clock.advance(39);
  expect(expire).not.toHaveBeenCalled();
  clock.advance(1);
  expect(expire).toHaveBeenCalledExactlyOnceWith('idle', 100);
});

test('content that was lying in the socket while the process was busy is not idle', () => {
  const time = watch({ idleTimeoutMs: 100 });
  time.sent();
  time.content();
  time.waiting();
  // The timer fires late, and the event loop reads the content in the turn after it.
  const [timer] = clock.timers.keys();
  clock.timers.clear();
  timer?.();
  time.content();
  clock.advance(1_000);
  expect(expire).not.toHaveBeenCalled();
});

test('only the first limit is told, and none after the end', () => {
  const time = watch({ timeoutMs: 100, firstTokenTimeoutMs: 50, idleTimeoutMs: 10 });
  time.sent();
  clock.advance(1_000);
  expect(expire).toHaveBeenCalledExactlyOnceWith('first-token', 50);
  expire.mockReset();
  const stopped = watch({ timeoutMs: 100, firstTokenTimeoutMs: 50, idleTimeoutMs: 10 });
  stopped.sent();
  stopped.content();
  stopped.waiting();
  stopped.stop();
  clock.advance(1_000);
  expect(expire).not.toHaveBeenCalled();
  expect(clock.timers.size).toBe(0);
});
