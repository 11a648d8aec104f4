import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';

describe('ManualClock', () => {
  test('stands still until it is moved, and moves both times together', async () => {
    const clock = new ManualClock({ wallMs: 1_000, monotonicMs: 5 });
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 5]);
    await clock.advance(250.5);
    expect([clock.now(), clock.monotonic()]).toEqual([1_250.5, 255.5]);
  });

  test('steps wall time alone', async () => {
    const clock = new ManualClock();
    let fired = 0;
    clock.timer(10, () => fired++);
    clock.setWall(Date.UTC(2030, 0, 1));
    await clock.advance(0);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([Date.UTC(2030, 0, 1), 0, 0]);
  });

  test('fires in the order of due times, of equal ones the oldest first, at their time', async () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.timer(20, () => fired.push(`c@${clock.monotonic()}`));
    clock.timer(10, () => fired.push(`a@${clock.monotonic()}`));
    clock.timer(10, () => fired.push(`b@${clock.monotonic()}`));
    clock.timer(30, () => fired.push('d'));
    await clock.advance(29);
    expect(fired).toEqual(['a@10', 'b@10', 'c@20']);
    expect(clock.pending).toBe(1);
  });

  test('lets promise chains run between two timers, and fires what they set on the way', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const work = (async () => {
      await clock.sleep(10);
      for (let step = 0; step < 50; step++) await null;
      seen.push(`woke ${clock.monotonic()}`);
      await clock.sleep(5);
      seen.push(`again ${clock.monotonic()}`);
    })();
    clock.timer(12, () => seen.push('timer 12'));
    await clock.advance(100);
    await work;
    expect(seen).toEqual(['woke 10', 'timer 12', 'again 15']);
  });

  test('runs callbacks in the async context in which they were set', async () => {
    const clock = new ManualClock();
    const scope = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    scope.run('inside', () => clock.timer(1, () => seen.push(scope.getStore())));
    scope.run('sleeper', () => clock.sleep(2).then(() => seen.push(scope.getStore())));
    await scope.run('outside', () => clock.advance(5));
    expect(seen).toEqual(['inside', 'sleeper']);
  });

  test('cancels a timer, and a sleep whose signal aborts', async () => {
    const clock = new ManualClock();
    let fired = false;
    const cancel = clock.timer(1, () => {
      fired = true;
    });
    cancel();
    const stop = new AbortController();
    const sleeping = clock.sleep(1, { signal: stop.signal });
    expect(clock.pending).toBe(1);
    stop.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(clock.sleep(1, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    await clock.advance(10);
    expect([fired, clock.pending]).toEqual([false, 0]);
  });

  test('runs advances of several callers one after the other', async () => {
    const clock = new ManualClock();
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect(clock.monotonic()).toBe(20);
  });

  test('hands on what a callback throws, and goes on afterwards', async () => {
    const clock = new ManualClock();
    clock.timer(1, () => {
      throw new Error('in a timer');
    });
    await expect(clock.advance(5)).rejects.toThrow('in a timer');
    await clock.advance(4);
    expect(clock.monotonic()).toBe(5);
  });

  test('never fires an endless sleep, and refuses what is no time', async () => {
    const clock = new ManualClock();
    clock.timer(Number.POSITIVE_INFINITY, () => expect.unreachable());
    await clock.advance(1e12);
    expect(clock.pending).toBe(1);
    expect(() => clock.timer(Number.NaN, () => undefined)).toThrow('number of milliseconds');
    expect(() => clock.advance(-1)).toThrow('ms must be');
    expect(() => new ManualClock({ wallMs: Number.NaN })).toThrow('wallMs');
    expect(() => new ManualClock({ wall: 1 } as object)).toThrow('no option "wall"');
  });
});
