import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runCli } from '../src/run-cli.ts';
import { memoryIo } from './memory-io.ts';
import { outcomeLines } from './outcome-lines.ts';

/** What a command left behind. */
export interface RouteRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `synapsekit route` in a folder. */
export async function routeIn(cwd: string, argv: readonly string[]): Promise<RouteRun> {
  const io = memoryIo({ cwd });
  const code = await runCli(['route', ...argv], io);
  return { code, out: io.out(), err: io.err() };
}

/** A folder of outcomes, good and bad. */
export function routeFolder(): string {
  const cwd = mkdtempSync(join(tmpdir(), 'route-'));
  writeFileSync(join(cwd, 'outcomes.jsonl.gz'), gzipSync(outcomeLines(700)));
  writeFileSync(join(cwd, 'few.jsonl'), outcomeLines(60));
  writeFileSync(join(cwd, 'two.jsonl'), outcomeLines(2));
  writeFileSync(join(cwd, 'half-costed.jsonl'), outcomeLines(300, ['small', 'large'], ['large']));
  writeFileSync(
    join(cwd, 'dominated.jsonl'),
    outcomeLines(300).replaceAll('"costUsd":0.0002', '"costUsd":0.02'),
  );
  writeFileSync(join(cwd, 'empty.jsonl'), '');
  writeFileSync(join(cwd, 'one-model.jsonl'), outcomeLines(300, ['small']));
  writeFileSync(
    join(cwd, 'broken.jsonl'),
    `${outcomeLines(3)}{"id": "x", "prompt": "secret", "outcomes": {"small": {"score": NaN}}}\n`,
  );
  writeFileSync(
    join(cwd, 'null.jsonl'),
    `${outcomeLines(3)}{"id": "x", "prompt": "secret", "outcomes": {"small": {"score": null}}}\n`,
  );
  writeFileSync(
    join(cwd, 'routers.mjs'),
    'export const longest = (p) => p.length;\nexport default () => 1;\nexport const n = 3;',
  );
  writeFileSync(join(cwd, 'throws.mjs'), 'throw new Error("no good");');
  writeFileSync(join(cwd, 'nan.mjs'), 'export default () => NaN;');
  return cwd;
}
