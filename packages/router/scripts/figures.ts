/**
 * Measures what docs/router.md says, and prints its tables: `pnpm router:figures [FOLDER] [--write]`. The folder holds
 * mmlu.jsonl.gz and gsm8k.jsonl.gz; without it, SYNAPSEKIT_ROUTER_DATA, or ../shared/data/router beside the repository.
 * With `--write` the tables replace those of docs/router.md.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { besideStudy } from './figures/beside-study.ts';
import { readSets } from './figures/data.ts';
import { inDomain } from './figures/in-domain.ts';
import { outOfDomain, readingAnswers } from './figures/out-of-domain.ts';
import { Page } from './figures/page.ts';
import { promises, speed } from './figures/promises.ts';

const root = join(import.meta.dirname, '../../..');
const document = 'docs/router.md';
const markers = ['<!-- figures: made by pnpm router:figures --write -->', '<!-- end of figures -->'] as const;

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean' } },
  allowPositionals: true,
});
const folder = positionals[0] ?? process.env.SYNAPSEKIT_ROUTER_DATA ?? join(root, '../shared/data/router');
const data = await readSets(folder);
if (data === undefined) {
  console.error(
    `No mmlu.jsonl.gz and gsm8k.jsonl.gz in ${folder}. Name the folder: pnpm router:figures FOLDER`,
  );
  process.exit(2);
}

const page = new Page((line) => console.log(line));
const { models, reports } = await inDomain(page, data);
await outOfDomain(page, data, reports);
readingAnswers(page, data.gsm8k);
promises(page, data.mmlu, models.mmlu);
speed(page, models, reports);
await besideStudy(page, data, reports);
page.say();
page.say(
  `Made on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}. Intervals: 95 % of 1,000 bootstrap draws; ± one standard deviation over samples.`,
);
if (values.write === true) write(page.text());

function write(tables: string): void {
  const path = join(root, document);
  const text = readFileSync(path, 'utf8');
  const [begin, end] = [text.indexOf(markers[0]), text.indexOf(markers[1])];
  if (begin < 0 || end < begin) throw new Error(`${document} lacks ${markers.join(' and ')}.`);
  writeFileSync(path, `${text.slice(0, begin + markers[0].length)}\n\n${tables}\n\n${text.slice(end)}`);
  spawnSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', document], {
    cwd: root,
    stdio: 'ignore',
  });
}
