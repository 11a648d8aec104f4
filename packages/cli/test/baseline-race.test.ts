import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBaseline } from '../src/baseline.ts';

/** Saves one and the same baseline, again and again, and reads it back each time. */
const script = `
  import { readBaseline, saveBaseline } from ${JSON.stringify(new URL('../src/baseline.ts', import.meta.url).href)};
  const [cwd, many] = process.argv.slice(1);
  const cost = { usd: '0.1', missingCalls: 0 };
  const cases = Array.from({ length: Number(many) }, (_, n) => ({ name: 'case ' + n, status: 'passed', cost }));
  for (let round = 0; round < 300; round++) {
    saveBaseline('main', { cases, startedAt: many }, cwd);
    const read = readBaseline('main', cwd);
    if (read.cases.length !== Number(read.savedAt)) throw new Error('torn: ' + read.cases.length);
  }
`;

test('two processes that save a baseline at once: each write is whole, and none is lost to the other', {
  timeout: 120_000,
}, async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'synapsekit-baseline-race-'));
  try {
    const saved = ['2000', '100'].map(
      (many) =>
        new Promise<string>((resolve) => {
          const args = ['--input-type=module', '--eval', script, '--', cwd, many];
          const child = spawn(process.execPath, args, { cwd: import.meta.dirname });
          let text = '';
          child.stderr.on('data', (data: Buffer) => {
            text += String(data);
          });
          child.on('close', (code) => resolve(`${code}${text}`));
        }),
    );
    expect(await Promise.all(saved)).toEqual(['0', '0']);
    expect(['2000', '100']).toContain(readBaseline('main', cwd).savedAt);
    expect(readdirSync(join(cwd, '.synapsekit/baselines'))).toEqual(['main.json']);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
