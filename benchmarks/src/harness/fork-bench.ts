import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { BenchReport } from './report.ts';

/** Runs a bench in a fresh process, so that no bench runs in code that another one has warmed up or spoilt. */
export async function forkBench(name: string, quick: boolean): Promise<BenchReport> {
  const child = fork(join(import.meta.dirname, '../run-one.ts'), [name, quick ? 'quick' : 'full'], {
    // What it prints goes to stderr: stdout is for `--json`.
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced', // NaN and Infinity survive it
    execArgv: ['--no-warnings'],
  });
  let report: BenchReport | undefined;
  child.on('message', (message) => {
    report = message as BenchReport;
  });
  const [code] = await once(child, 'close');
  return report ?? { name, title: name, groups: [], failed: `It ended with exit code ${code}.` };
}
