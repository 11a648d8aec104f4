import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { memoryIo } from '../test/memory-io.ts';
import { saveBaseline } from './baseline.ts';
import { RunJournal } from './last-run.ts';
import { writeOutput } from './route-work.ts';
import { writeWholeFile } from './whole-file.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'synapsekit-whole-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

test('a file is replaced as a whole, and what cannot be put in its place leaves nothing beside it', () => {
  const path = join(cwd, 'a.txt');
  writeWholeFile(path, 'one');
  writeWholeFile(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  mkdirSync(join(cwd, 'folder/in it'), { recursive: true });
  expect(() => writeWholeFile(join(cwd, 'folder'), 'x')).toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
  expect(readdirSync(cwd).sort()).toEqual(['a.txt', 'folder']);
});

test('nothing that is written goes over what another process has begun to write', () => {
  // What others left half-written, under the names that everybody would think of.
  const begun = ['last-run.jsonl', 'baselines/main.json'].flatMap((name) => [
    join(cwd, '.synapsekit', `${name}.new`),
    join(cwd, '.synapsekit', `${name}.${process.pid}.part`),
  ]);
  mkdirSync(join(cwd, '.synapsekit/baselines'), { recursive: true });
  for (const path of begun) writeFileSync(path, 'of another process');
  const journal = new RunJournal(cwd, { now: () => 0, shard: undefined });
  journal.begin({ startedAt: '2026-01-01T00:00:00.000Z', planned: [], unloaded: [], results: [] });
  saveBaseline('main', { cases: [], startedAt: '2026-01-01T00:00:00.000Z' }, cwd);
  expect(journal.problem).toBeUndefined();
  for (const path of begun) expect(readFileSync(path, 'utf8'), path).toBe('of another process');
});

test('a model that cannot be put in its place leaves nothing beside it', () => {
  mkdirSync(join(cwd, 'model.json/in it'), { recursive: true });
  const io = memoryIo({ cwd });
  expect(() => writeOutput(io, 'model.json', '{}')).toThrow(/model\.json: it cannot be written \(\w+\)\./);
  expect(readdirSync(cwd)).toEqual(['model.json']);
});
