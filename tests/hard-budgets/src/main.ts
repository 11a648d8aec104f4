/** Shows that budgets are hard: `pnpm budget:prove`. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { redisIsAtHand, redisProgram } from '../../../packages/store-redis/test/redis-process.ts';
import { help, type ProofArguments, parseArguments, UsageError } from './arguments.ts';
import { untrue } from './claims.ts';
import { prove } from './run.ts';
import { type StoreName, storeNames } from './store.ts';
import { rowToText, toJson, toMarkdown } from './table.ts';

const documentUrl = new URL('../../../docs/hard-budgets.md', import.meta.url);
const markers = ['<!-- proof: made by pnpm budget:prove --write -->', '<!-- end of proof -->'] as const;

let wanted: ProofArguments;
try {
  wanted = parseArguments(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${help}`);
  process.exit(2);
}
if (wanted.help) {
  console.log(help);
  process.exit(0);
}

const { json, quick, seed, write } = wanted;
const stores = storesAtHand(wanted.stores);
const show = (text: string): void => {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\u001b[2K${text}`);
};
const startMs = performance.now();
if (!json) console.log(`seed ${seed}, ${stores.join(', ')}${quick ? ', quick' : ''}\n`);
const rows = await prove(
  stores,
  { quick, seed },
  {
    progress: show,
    row(row) {
      show('');
      if (!json) console.log(rowToText(row));
    },
  },
);
show('');
const broken = untrue(rows);
if (json) console.log(toJson(rows, seed));
else if (broken.length > 0) console.log(`NOT TRUE:\n${broken.map((line) => `- ${line}`).join('\n')}`);
else console.log(`Every claim is true (${Math.round((performance.now() - startMs) / 1000)} s).`);
if (write && broken.length === 0) {
  if (stores.length < storeNames.length) throw new Error('The table needs all stores: install redis-server.');
  writeTable(toMarkdown(rows, about()));
}
process.exitCode = broken.length > 0 ? 1 : 0;

/** All that were asked for; without a Redis server, those that need none, and loudly so. */
function storesAtHand(asked: readonly StoreName[]): readonly StoreName[] {
  const names = asked.length > 0 ? [...new Set(asked)] : storeNames;
  if (redisIsAtHand || !names.includes('redis')) return names;
  const what = `${redisProgram} is not installed: nothing is shown for Redis`;
  if (asked.includes('redis') || process.env.CI) throw new Error(`${what}.`);
  console.error(`\n!!! ${what}. Install it (Debian: apt-get install redis-server).\n`);
  return names.filter((name) => name !== 'redis');
}

/** What the figures were made on. No name, no path. */
function about(): string {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown processor';
  const date = new Date().toISOString().slice(0, 10);
  return `Made on ${date} with \`pnpm budget:prove --seed ${seed}\`: ${cpu}, ${availableParallelism()} cores, Node ${process.version}, ${process.platform} ${process.arch}.`;
}

function writeTable(table: string): void {
  const text = readFileSync(documentUrl, 'utf8');
  const [begin, end] = markers.map((marker) => text.indexOf(marker));
  if (begin === undefined || end === undefined || begin < 0 || end < begin) {
    throw new Error(`docs/hard-budgets.md lacks ${markers.join(' and ')}.`);
  }
  writeFileSync(documentUrl, `${text.slice(0, begin + markers[0].length)}\n\n${table}\n${text.slice(end)}`);
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const biome = join(root, 'node_modules/.bin/biome');
  spawnSync(biome, ['format', '--write', 'docs/hard-budgets.md'], { cwd: root, stdio: 'ignore' });
}
