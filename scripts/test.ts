/**
 * Everything a change has to pass: `pnpm test`, or a part of it: `pnpm test lint types`.
 * The last line counts: every test of the suite is one, every other step is one.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const scratch = mkdtempSync(join(tmpdir(), 'synapsekit-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const report = join(scratch, 'vitest.json');

const steps: ReadonlyMap<string, string> = new Map([
  ['lint', 'biome check'],
  ['types', 'tsc -p tsconfig.json'],
  ['house', 'node scripts/check-house.ts'],
  ['unused', 'knip'],
  ['suite', `vitest run --reporter=default --reporter=json --outputFile.json="${report}"`],
  ['tarballs', 'node scripts/check-tarballs.ts'],
  ['demo', 'node apps/demo/src/main.ts'],
  ['evals', 'node packages/cli/src/bin.ts test apps/demo/evals --replay --strict --budget 0'],
  ['prove', 'node tests/hard-budgets/src/main.ts --quick'],
]);

const chosen = process.argv.length > 2 ? process.argv.slice(2) : [...steps.keys()];
const unknown = chosen.filter((name) => !steps.has(name));
if (unknown.length > 0) {
  console.error(`no step ${unknown.join(', ')}; there are: ${[...steps.keys()].join(', ')}`);
  process.exit(2);
}

const rows = chosen.map(runStep);

console.log('');
for (const { name, seconds, count } of rows) {
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  const verdict = `${count.passed} passed, ${count.failed} failed${skipped}`;
  console.log(
    `${count.failed > 0 ? '✗' : '✓'} ${name.padEnd(9)}${seconds.toFixed(1).padStart(6)} s  ${verdict}`,
  );
}
const failed = total('failed');
for (const { name, count } of rows) {
  if (count.failed === 0) continue;
  const mend = name === 'lint' ? '; `pnpm format` mends most of it' : '';
  console.log(`  to see ${name} alone: pnpm test ${name}${mend}`);
}
console.log(`${total('passed')} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function total(part: keyof Count): number {
  return rows.reduce((sum, { count }) => sum + count[part], 0);
}

function runStep(name: string): { name: string; seconds: number; count: Count } {
  const command = steps.get(name) ?? '';
  console.log(`\n── ${name}: ${command}`);
  const startMs = performance.now();
  const { status } = spawnSync(command, {
    shell: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  });
  const ok = status === 0;
  const count = name === 'suite' ? countTests(ok) : { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  return { name, seconds: (performance.now() - startMs) / 1000, count };
}

/** A run that fails without a failed test (a file that does not load, a stray rejection) counts as one failure. */
function countTests(ok: boolean): Count {
  let result = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  try {
    result = { ...result, ...JSON.parse(readFileSync(report, 'utf8')) };
  } catch {} // the runner ended before it wrote its report
  return {
    passed: result.numPassedTests,
    failed: ok ? 0 : Math.max(1, result.numFailedTests),
    skipped: result.numPendingTests + result.numTodoTests,
  };
}
