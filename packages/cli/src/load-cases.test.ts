import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Interruption } from './io.ts';
import { loadCases } from './load-cases.ts';

let cwd = '';
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'synapsekit-load-')));
  writeFileSync(join(cwd, 'a-hangs.eval.mjs'), 'await new Promise(() => {});');
  writeFileSync(join(cwd, 'b-throws.eval.mjs'), 'throw new Error("top level");');
});
afterEach(() => rmSync(cwd, { recursive: true }));

const options = {
  paths: ['.'],
  filter: undefined,
  tags: [],
  shard: undefined,
  timeoutMs: 30,
  strict: true,
  passWithNoCases: false,
};

test('gives a file that does not finish loading its time, and goes on', async () => {
  const { plan, loadErrors } = await loadCases(options, { cwd, signal: new AbortController().signal });
  expect(plan).toEqual([]);
  expect(loadErrors.map(({ file, error }) => [file, error.message])).toEqual([
    ['a-hangs.eval.mjs', expect.stringContaining('did not finish loading within 30 ms')],
    ['b-throws.eval.mjs', 'top level'],
  ]);
});

test('stops loading when it is interrupted, which is nobody’s error', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Interruption('SIGINT')), 5);
  const loading = loadCases({ ...options, timeoutMs: 60_000 }, { cwd, signal: controller.signal });
  expect(await loading).toMatchObject({ plan: [], loadErrors: [], problems: [] });
});
