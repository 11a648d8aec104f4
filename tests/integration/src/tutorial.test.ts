import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SimulatedProvider } from '@synapsekit/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** The tutorial as a user writes it, byte for byte, and its eval file. */
const folder = join(import.meta.dirname, '../tutorial');
const run = promisify(execFile);
const bin = (name: string): string => join(import.meta.dirname, `../../../node_modules/.bin/${name}`);
const cli = createRequire(import.meta.url)
  .resolve('@synapsekit/cli/package.json')
  .replace('package.json', 'src/bin.ts');

let provider: SimulatedProvider;
beforeAll(async () => {
  provider = await SimulatedProvider.start();
});
afterAll(() => provider.close());

/** Without CI, in which evals are replayed from tapes: these ask the simulated provider. */
const environment = (): NodeJS.ProcessEnv => {
  const { CI: _, ...env } = process.env;
  return { ...env, ...provider.env, NO_COLOR: '1' };
};

describe('the tutorial', () => {
  test.each([
    ['tutorial.ts', '0e6d2687ed900f0bc14387f4b9e0d841bc84fe6bc2933d62a84d51ed0db953eb'],
    ['tutorial.eval.ts', '45b54c2fedbeed63e0e66d25e825002a1c7f838a54168634b732796ce51a87fd'],
  ])('%s is the agreed text', (file, sha256) => {
    const text = readFileSync(join(folder, file));
    expect(createHash('sha256').update(text).digest('hex')).toBe(sha256);
  });

  test('type-checks as it stands', { timeout: 120_000 }, async () => {
    await run(bin('tsc'), ['-p', join(folder, 'tsconfig.json')]);
  });

  test('runs: five queries at once, routed, tracked and summed exactly', { timeout: 120_000 }, async () => {
    provider.reset();
    const { stdout } = await run(process.execPath, [join(folder, 'tutorial.ts')], { env: environment() });
    const summary = JSON.parse(stdout.slice(stdout.indexOf('=== Cost Summary ===') + 20));
    expect(summary.totalUsd).toBe(provider.bill.totalUsd);
    const { byScope, byModel } = summary;
    const sum = (prefix: string): number =>
      Object.entries<number>(byScope).reduce(
        (all, [name, usd]) => (name.startsWith(prefix) ? all + usd : all),
        0,
      );
    // Every call ran in one pipeline, one step and one llm scope: each level adds up to the whole.
    for (const level of ['pipeline:batch-', 'step:', 'llm:'])
      expect(sum(level)).toBeCloseTo(summary.totalUsd, 12);
    for (const [model, usd] of Object.entries(byModel)) expect(byScope[`llm:${model}`]).toBe(usd);
    expect(Object.keys(byModel).sort()).toEqual([
      'gpt-4o',
      'groq/llama-3.1-8b-instant',
      'groq/llama-3.3-70b-versatile',
    ]);
    for (const complexity of ['simple', 'medium', 'complex']) expect(stdout).toContain(`'${complexity}'`);
  });

  test('its functions by hand do what they say', { timeout: 120_000 }, async () => {
    provider.reset();
    const script = `
      const { runPipelineByHand, askOnce } = await import(${JSON.stringify(join(folder, 'tutorial.ts'))});
      const results = [await runPipelineByHand('What is 2 + 2?', 'one'), await runPipelineByHand('Write a Python function to find all prime numbers up to N.', 'two')];
      console.log(JSON.stringify({ results, once: await askOnce('What is the capital of France?') }));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      env: environment(),
    });
    const { results, once } = JSON.parse(stdout);
    expect(results).toMatchObject([
      { complexity: 'simple', model: 'groq/llama-3.1-8b-instant' },
      { complexity: 'complex', model: 'gpt-4o' },
    ]);
    for (const { costUsd, pipelineUsd } of results) expect(pipelineUsd).toBeGreaterThan(costUsd);
    expect(once).toContain('Paris');
  });

  test('synapsekit test prints what the tutorial shows', { timeout: 120_000 }, async () => {
    provider.reset();
    const { stdout } = await run(process.execPath, [cli, 'test', join(folder, 'tutorial.eval.ts')], {
      env: environment(),
    });
    expect(stdout).toContain('Running 3 eval case(s)...');
    expect(stdout).toMatch(/^test_simple_query_cheap ✓$/m);
    expect(stdout).toMatch(/^ {2}MaxCostUSD \.\.\. PASS \(\$0\.0000\d+ < \$0\.001\)/m);
    expect(stdout).toMatch(/^test_complex_query_quality ✓$/m);
    expect(stdout).toMatch(/^ {2}MaxCostUSD \.\.\. PASS \(\$0\.\d+ < \$0\.10\)/m);
    expect(stdout).toMatch(/^ {2}ContainsKeywords \.\.\. PASS/m);
    expect(stdout).toMatch(/^test_budget_guard_blocks ✓$/m);
    expect(stdout).toContain('structural test');
    const total = /^3 passed, 0 failed \| total cost: \$(0\.\d+)/m.exec(stdout)?.[1];
    // Printed to three significant digits.
    expect(Number(total)).toBeCloseTo(provider.bill.totalUsd, 4);
  });
});
