import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

test('sleep resolves after the time and keeps the process alive for it', async () => {
  const clock = new URL('./clock.ts', import.meta.url).href;
  const script =
    'const { systemClock } = await import(process.argv[1]); await systemClock.sleep(20); console.log("slept");';
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
    clock,
  ]);
  expect(stdout).toBe('slept\n');
});

test('a timer does not keep the process alive', async () => {
  const clock = new URL('./clock.ts', import.meta.url).href;
  const script =
    'const { systemClock } = await import(process.argv[1]); systemClock.timer(60_000, () => console.log("late"));';
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', script, clock],
    {
      timeout: 10_000,
    },
  );
  expect(stdout).toBe('');
});

test('sleep rejects at once with the reason of the signal, and leaves no listener', async () => {
  const controller = new AbortController();
  const remove = vi.spyOn(controller.signal, 'removeEventListener');
  const sleep = systemClock.sleep(60_000, { signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(sleep).rejects.toBe(reason);
  await expect(systemClock.sleep(60_000, { signal: controller.signal })).rejects.toBe(reason);

  const quiet = new AbortController();
  const removed = vi.spyOn(quiet.signal, 'removeEventListener');
  await systemClock.sleep(0, { signal: quiet.signal });
  expect(removed).toHaveBeenCalledOnce();
  expect(remove).not.toHaveBeenCalled(); // it fired once and is gone by itself
});

test('waits beyond the limit of setTimeout do not fire at once', async () => {
  const fired = vi.fn();
  const cancel = systemClock.timer(35 * 24 * 3_600_000, fired);
  await systemClock.sleep(5);
  expect(fired).not.toHaveBeenCalled();
  cancel();
});
