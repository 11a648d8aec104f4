import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemIds } from './random.ts';

test('ids are random UUIDs, version 4, and never repeat', () => {
  const ids = Array.from({ length: 10_000 }, () => systemIds());
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test('processes that start from one snapshot of the heap mint ids of their own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'snapshot-'));
  try {
    const source = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'random.ts'), 'utf8'));
    const entry = join(folder, 'entry.js');
    const blob = join(folder, 'heap.blob');
    const main =
      "require('node:v8').startupSnapshot.setDeserializeMainFunction(() => console.log(systemIds()));";
    writeFileSync(entry, `${source.replaceAll(/^export /gm, '')}\nsystemIds();\n${main}\n`);
    const node = (...args: string[]): string =>
      execFileSync(process.execPath, ['--snapshot-blob', blob, ...args], { encoding: 'utf8', stdio: 'pipe' });
    node('--build-snapshot', entry);
    const ids = Array.from({ length: 3 }, () => node(entry).trim());
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
