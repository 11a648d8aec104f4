import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from './harness/bench.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

const cost = "await import('@synapsekit/cost')";
const genai = "await import('@pydantic/genai-prices')";
const pricing = {
  cost: `const { CostTracker } = ${cost}; new CostTracker().record('gpt-4o', { inputTokens: 900, outputTokens: 100 })`,
  genai: `const { calcPrice } = ${genai}; calcPrice({ input_tokens: 900, output_tokens: 100 }, 'gpt-4o')`,
};

export const bench: Bench = {
  title: 'Import, in fresh processes',
  async run({ gauge, pace }) {
    const consumer = mkdtempSync(join(tmpdir(), 'synapsekit-bench-'));
    try {
      await install(consumer);
      const timed = (code: string) => () => cpuMs(consumer, code);
      return [
        await gauge({
          title: 'CPU time of a process',
          note: 'The packages as they are published: built, without types to strip. Measured inside the process, from before the import to after it.',
          unit: 'ms',
          rounds: pace.quick ? 5 : 25,
          gauged: [
            { name: '@pydantic/genai-prices, import', read: timed(genai) },
            { name: '@synapsekit/cost, import', read: timed(cost) },
            { name: '@pydantic/genai-prices, import and first price', read: timed(pricing.genai) },
            { name: '@synapsekit/cost, import and first record', read: timed(pricing.cost) },
          ],
          targets: [
            {
              text: 'import of cost, against genai-prices',
              ratio: ['@synapsekit/cost, import', '@pydantic/genai-prices, import'],
              limit: 0.25,
            },
            {
              text: 'import and first record, against import and first price',
              ratio: [
                '@synapsekit/cost, import and first record',
                '@pydantic/genai-prices, import and first price',
              ],
              limit: 0.25,
              binding: false,
            },
          ],
        }),
      ];
    } finally {
      rmSync(consumer, { recursive: true, force: true });
    }
  },
};

/** From before the import until after it, in a process that does nothing else. */
async function cpuMs(cwd: string, code: string): Promise<number> {
  const script = `const before = process.cpuUsage(); ${code}; const { user, system } = process.cpuUsage(before); console.log((user + system) / 1000);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd });
  return Number(stdout);
}

/** Lays out what somebody has who installed the packages: built here, into a folder of their own. */
async function install(consumer: string): Promise<void> {
  const modules = join(consumer, 'node_modules');
  mkdirSync(join(modules, '@pydantic'), { recursive: true });
  const genaiPrices = join(import.meta.dirname, '../node_modules/@pydantic/genai-prices');
  symlinkSync(genaiPrices, join(modules, '@pydantic/genai-prices'), 'junction');
  const tsup = join(root, 'node_modules/tsup/dist/cli-default.js');
  for (const [name, ...entries] of [
    ['core', 'src/index.ts', 'src/chat-completions/index.ts'],
    ['cost', 'src/index.ts'],
  ] as const) {
    const source = join(root, 'packages', name);
    const target = join(modules, '@synapsekit', name);
    const args = [tsup, ...entries, '--config', '../../tsup.config.ts', '--out-dir', join(target, 'dist')];
    await run(process.execPath, args, { cwd: source });
    const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    const published = { ...manifest, ...manifest.publishConfig };
    writeFileSync(join(target, 'package.json'), JSON.stringify(published));
  }
}
