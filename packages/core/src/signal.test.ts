import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { abortRacer, linkSignals, raceAbort } from './signal.ts';

test('a linked signal aborts with the reason of the first source', () => {
  const [a, b] = [new AbortController(), new AbortController()];
  const link = linkSignals(a.signal, undefined, b.signal);
  b.abort('b');
  a.abort('a');
  expect(link.signal.reason).toBe('b');
});

test('a source that has aborted already aborts it at once', () => {
  expect(linkSignals(AbortSignal.abort('before')).signal.reason).toBe('before');
});

test('100,000 calls on one signal leave no listener behind', () => {
  const parent = new AbortController();
  for (let i = 0; i < 100_000; i++) linkSignals(parent.signal).dispose();
  expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
});

test('raceAbort settles like the promise, or rejects with the reason and handles the late rejection', async () => {
  const controller = new AbortController();
  await expect(raceAbort(Promise.resolve(1), controller.signal)).resolves.toBe(1);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);

  const { promise, reject } = Promise.withResolvers<never>();
  const race = raceAbort(promise, controller.signal);
  controller.abort('stop');
  await expect(race).rejects.toBe('stop');
  reject(new Error('late')); // would fail the run as an unhandled rejection
  await new Promise((resolve) => setImmediate(resolve));
});

test('following a signal that has aborted leaves no listener on the others', () => {
  const controller = new AbortController();
  expect(linkSignals(controller.signal, AbortSignal.abort('no')).signal.reason).toBe('no');
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

test('abortRacer settles like each promise, with one listener, and rejects the one that waits at an abort', async () => {
  const controller = new AbortController();
  const unlessAborted = abortRacer(controller.signal);
  for (let i = 0; i < 100; i++) expect(await unlessAborted(Promise.resolve(i))).toBe(i);
  await expect(unlessAborted(Promise.reject(new Error('own')))).rejects.toThrow('own');
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);

  const { promise, reject } = Promise.withResolvers<never>();
  const race = unlessAborted(promise);
  controller.abort('stop');
  await expect(race).rejects.toBe('stop');
  reject(new Error('late')); // would fail the run as an unhandled rejection
  await expect(unlessAborted(Promise.resolve(1))).rejects.toBe('stop');
  await expect(unlessAborted(Promise.reject(new Error('after')))).rejects.toBe('stop');
  await new Promise((resolve) => setImmediate(resolve));
});
