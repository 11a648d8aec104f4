import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { type Command, UsageError } from './command.ts';
import { type CliIo, exitCodes } from './io.ts';

/** `synapsekit init` */
export const initCommand: Command = {
  name: 'init',
  usage: ['init [FILE]'],
  about:
    'Writes a first eval file that runs as it is, without a key and without a network. Without a name it is\n' +
    'evals/first.eval.ts, or .mjs where the project has no TypeScript. Nothing is ever overwritten.',
  flags: {},
  async run({ positionals }, io) {
    const [name, unwanted] = positionals;
    if (unwanted !== undefined)
      throw new UsageError(`synapsekit init takes one file, got "${unwanted}" as well.`);
    const file = name ?? defaultFile(io.cwd);
    if (!/\.evals?\.(?:ts|mts|js|mjs)$/.test(file)) {
      throw new UsageError(`An eval file is called *.eval.ts (.mts, .js, .mjs), got "${file}".`);
    }
    const path = resolve(io.cwd, file);
    if (existsSync(path)) throw new UsageError(`${file} is there already, and stays as it is.`);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, template(/ts$/.test(file)), { flag: 'wx' });
    } catch (error) {
      throw new UsageError(
        `${file} cannot be written (${error instanceof Error ? Reflect.get(error, 'code') : error}).`,
      );
    }
    io.stdout.write(afterwards(relative(io.cwd, path), io));
    return exitCodes.ok;
  },
};

function defaultFile(cwd: string): string {
  const typescript = existsSync(join(cwd, 'tsconfig.json')) || dependsOn(cwd, 'typescript');
  return `evals/first.eval.${typescript ? 'ts' : 'mjs'}`;
}

function dependsOn(cwd: string, name: string): boolean {
  try {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      readFileSync(join(cwd, 'package.json'), 'utf8'),
    ) as { readonly dependencies?: object; readonly devDependencies?: object };
    return name in dependencies || name in devDependencies;
  } catch {
    return false; // no package.json, or none that can be read
  }
}

function afterwards(file: string, { cwd }: CliIo): string {
  const missing = resolves(join(cwd, 'package.json'), '@synapsekit/eval')
    ? ''
    : 'It needs the package it imports:\n  npm install --save-dev @synapsekit/eval\n';
  return `Wrote ${file}.\n${missing}Run it:\n  npx synapsekit test ${file}\n`;
}

function resolves(from: string, name: string): boolean {
  try {
    createRequire(from).resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** The eval file; the same for both languages, but for what TypeScript has to be told. */
function template(typescript: boolean): string {
  const text = typescript ? ': string' : '';
  const promise = typescript ? ': Promise<string>' : '';
  return `// Runs with: npx synapsekit test
import { ContainsKeywords, EvalSuite, evalCase, MinWordCount } from '@synapsekit/eval';

// Your feature comes here: import it. This one stands in for it, and costs nothing.
async function answer(question${text})${promise} {
  return \`You asked: \${question} Python was first released in 1991.\`;
}

const knowsTheYear = evalCase('knows the year', { tags: ['facts'] }, async () => ({
  output: await answer('What year was Python first released?'),
}));

const staysPolite = evalCase('stays polite', async ({ expect }) => {
  const text = await answer('Tell me more.');
  expect(text).toMatch(/^You asked/);
  return { output: text };
});

export default new EvalSuite({
  name: 'first',
  cases: [knowsTheYear, staysPolite],
  metrics: [
    new ContainsKeywords({ keywords: ['1991'], applyTo: ['knows the year'] }),
    new MinWordCount({ words: 5 }),
    // Once it calls a model, gate what it costs (import MaxCostUSD):
    // new MaxCostUSD({ threshold: 0.001, applyTo: ['knows the year'] }),
  ],
});
`;
}
