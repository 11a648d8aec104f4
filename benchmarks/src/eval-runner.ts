import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './harness/bench.ts';

const root = join(import.meta.dirname, '../..');

const vitestNote =
  'A loop over the same 1,000 cases, written by hand, takes 0.21 of the time of vitest here (the first row), where it took ' +
  '0.14 when the target was set (0.15 s and 1.1 s): a quarter would leave 0.04 for collecting, measuring and reporting.';

/** Found where it is installed, which is not here. */
const peer = 'evalite';

/** Every contender does the same: one awaited microtask and one check a case, a line for each case on its output. */
const cases = {
  synapsekit: `
    import { evalCase } from '@synapsekit/eval';
    const count: number = Number(process.env.CASES);
    export const cases = Array.from({ length: count }, (_, n) =>
      evalCase('case ' + n, { metrics: [(run) => run.value === n, () => true] }, async () => { await null; return n; }));`,
  // What somebody would write by hand: a loop, two checks, a cost scope, every line printed.
  floor: `
    import { AsyncLocalStorage } from 'node:async_hooks';
    const count: number = Number(process.env.CASES);
    const scope = new AsyncLocalStorage<{ costUsd: number }>();
    let failed = 0;
    for (let n = 0; n < count; n++) {
      const own = { costUsd: 0 };
      const value = await scope.run(own, async () => { await null; return n; });
      const checks = [value === n, own.costUsd <= 1];
      if (checks.includes(false)) failed++;
      process.stdout.write('case ' + n + ' ✓\\n  a ... PASS\\n  b ... PASS\\n\\n');
    }
    process.stdout.write((count - failed) + ' passed, ' + failed + ' failed\\n');
    process.exitCode = failed > 0 ? 1 : 0;`,
  nodeTest: `
    import assert from 'node:assert/strict';
    import { test } from 'node:test';
    const count: number = Number(process.env.CASES);
    for (let n = 0; n < count; n++) test('case ' + n, async () => { await null; assert.equal(n, n); });`,
  vitest: `
    import { expect, test } from 'vitest';
    const count: number = Number(process.env.CASES);
    for (let n = 0; n < count; n++) test('case ' + n, async () => { await null; expect(n).toBe(n); });`,
  evalite: `
    import { evalite } from ${JSON.stringify(peer)};
    const count: number = Number(process.env.CASES);
    evalite('cases', {
      data: Array.from({ length: count }, (_, n) => ({ input: n, expected: n })),
      task: async (n) => { await null; return n; },
      scorers: [
        { name: 'a', scorer: ({ output, expected }) => (output === expected ? 1 : 0) },
        { name: 'b', scorer: () => 1 },
      ],
    });`,
  promptfoo: `
    const count = Number(process.env.CASES);
    export default {
      prompts: ['{{n}}'],
      providers: ['file://provider.js'],
      tests: Array.from({ length: count }, (_, n) => ({
        vars: { n: String(n) },
        assert: [{ type: 'equals', value: String(n) }, { type: 'javascript', value: () => true }],
      })),
    };`,
  // Stands for the model that promptfoo would ask: it says what it is asked.
  promptfooProvider: `
    export default class Echo {
      id() { return 'echo'; }
      async callApi(prompt) { await null; return { output: prompt }; }
    }`,
};

/**
 * Contenders that bring a compiler, a database or gigabytes with them: measured where somebody installed them
 * (`npm install --prefix benchmarks/peers`, `npm install --prefix benchmarks/peers/promptfoo`).
 */
const peers = join(root, 'benchmarks/peers');
const promptfoo = join(peers, 'promptfoo');
const withEvalite = existsSync(join(peers, 'node_modules/evalite'));
const withPromptfoo = existsSync(join(promptfoo, 'node_modules/promptfoo'));
const peersNote = [
  withEvalite
    ? 'evalite 1.0.0-beta.16 on vitest 4.'
    : 'evalite is not installed here (npm install --prefix benchmarks/peers).',
  withPromptfoo
    ? 'promptfoo 0.123.1, with a provider that answers at once; it prints a table of the first cases.'
    : 'promptfoo is not installed here (npm install --prefix benchmarks/peers/promptfoo: 2 GB).',
].join(' ');

export const bench: Bench = {
  title: 'Eval runner, in fresh processes',
  async run({ gauge, pace }) {
    const folder = mkdtempSync(join(tmpdir(), 'synapsekit-bench-eval-'));
    try {
      install(folder);
      await build(folder);
      const command = {
        floor: ['cases.floor.ts'],
        synapsekit: ['node_modules/@synapsekit/cli/dist/bin.js', 'test', 'cases.eval.ts'],
        nodeTest: ['--test', '--test-reporter=spec', 'cases.node.ts'],
        vitest: ['node_modules/vitest/vitest.mjs', 'run', '--root', '.', '--reporter=verbose'],
      };
      const reports = ['--reporter', 'junit=r.xml', '--reporter', 'json=r.json', '--reporter', 'html=r.html'];
      const timed = (args: readonly string[], count: number) => () => wallMs(folder, args, count);
      const rounds = pace.quick ? 3 : 15;
      const few = 'to exit, 3 cases';
      const many = 'to exit, 1,000 cases';
      return [
        await gauge({
          title: few,
          note: `Wall time of a process, from its start to its end. Packages as they are published. ${peersNote}`,
          unit: 'ms',
          rounds,
          gauged: [
            { name: 'by hand', read: timed(command.floor, 3) },
            { name: 'synapsekit test', read: timed(command.synapsekit, 3) },
            { name: 'node --test', read: timed(command.nodeTest, 3) },
            { name: 'vitest', read: timed(command.vitest, 3) },
            ...peersFor(3),
          ],
          targets: [
            { text: 'against what is written by hand', ratio: ['synapsekit test', 'by hand'], limit: 1.4 },
            { text: 'against node --test', ratio: ['synapsekit test', 'node --test'], limit: 0.75 },
          ],
        }),
        await gauge({
          title: many,
          unit: 'ms',
          rounds,
          gauged: [
            { name: 'by hand', read: timed(command.floor, 1_000) },
            { name: 'synapsekit test', read: timed(command.synapsekit, 1_000) },
            {
              name: 'synapsekit test, with JUnit, JSON and HTML',
              read: timed([...command.synapsekit, ...reports, '--reporter', 'default'], 1_000),
            },
            { name: 'node --test', read: timed(command.nodeTest, 1_000) },
            { name: 'vitest', read: timed(command.vitest, 1_000) },
            ...peersFor(1_000),
          ],
          targets: [
            { text: 'against what is written by hand', ratio: ['synapsekit test', 'by hand'], limit: 2 },
            {
              text: 'the same with three reports written',
              ratio: ['synapsekit test, with JUnit, JSON and HTML', 'by hand'],
              limit: 3,
            },
            {
              text: 'against vitest',
              ratio: ['synapsekit test', 'vitest'],
              limit: 0.25,
              revised: 0.35,
              note: vitestNote,
            },
          ],
        }),
        await gauge({
          title: 'overhead a case',
          note: '(10,000 cases − 3 cases) ÷ 9,997: time, and memory that is still held when the run is over.',
          unit: 'ms',
          rounds: pace.quick ? 2 : 7,
          gauged: [
            {
              name: 'synapsekit test, a case',
              read: async () => {
                const few = await wallMs(folder, command.synapsekit, 3);
                return ((await wallMs(folder, command.synapsekit, 10_000)) - few) / 9_997;
              },
            },
          ],
          targets: [{ text: 'a case of 10,000', value: 'synapsekit test, a case', limit: 0.1 }],
        }),
        await gauge({
          title: 'memory a case',
          unit: 'B',
          rounds: pace.quick ? 1 : 5,
          gauged: [
            {
              name: 'synapsekit test, a case',
              read: async () =>
                ((await heapBytes(folder, 20_000)) - (await heapBytes(folder, 10_000))) / 10_000,
            },
          ],
          targets: [
            { text: 'held for a case', value: 'synapsekit test, a case', limit: 2_048, binding: true },
          ],
        }),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Peers run where they are installed: they find their own parts there. */
function peersFor(count: number): readonly { readonly name: string; readonly read: () => Promise<number> }[] {
  return [
    ...(withEvalite ? [{ name: 'evalite', read: () => evaliteMs(count) }] : []),
    ...(withPromptfoo ? [{ name: 'promptfoo', read: () => promptfooMs(count) }] : []),
  ];
}

function evaliteMs(count: number): Promise<number> {
  writeFileSync(join(peers, 'cases.eval.ts'), cases.evalite);
  return wallMs(peers, ['node_modules/evalite/dist/bin.js', 'run'], count);
}

/** Without what would keep it from being fast: its cache, its database of results, its looks at the network. */
function promptfooMs(count: number): Promise<number> {
  writeFileSync(join(promptfoo, 'cases.js'), cases.promptfoo);
  writeFileSync(join(promptfoo, 'provider.js'), cases.promptfooProvider);
  const flags = ['--no-cache', '--no-write', '--no-progress-bar'];
  const args = ['node_modules/promptfoo/dist/src/entrypoint.js', 'eval', '-c', 'cases.js', ...flags];
  return wallMs(promptfoo, args, count, {
    PROMPTFOO_CONFIG_DIR: join(promptfoo, '.promptfoo'),
    PROMPTFOO_DISABLE_TELEMETRY: '1',
    PROMPTFOO_DISABLE_UPDATE: '1',
  });
}

/** From the start of a process to its end; its output is read, as a terminal would. */
function wallMs(
  cwd: string,
  args: readonly string[],
  count: number,
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { CI: _, FORCE_COLOR: __, ...env } = process.env;
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...env, CASES: String(count), NO_COLOR: '1', ...more },
    });
    let lines = 0;
    child.stdout.on('data', (data: Buffer) => {
      lines += data.length;
    });
    child.stderr.resume();
    child.on('close', (code) => {
      if (code === 0 && lines > 0) resolve(performance.now() - startMs);
      else reject(new Error(`${args.join(' ')} ended with ${code}`));
    });
  });
}

/** What a run of so many cases still holds on the heap when it is over. */
async function heapBytes(cwd: string, count: number): Promise<number> {
  const script = `
    import { evalCase, planCase, runCases } from '@synapsekit/eval';
    const plan = Array.from({ length: ${count} }, (_, n) => planCase(evalCase('case ' + n, { metrics: [(run) => run.value === n] }, async () => n)));
    const result = await runCases(plan);
    globalThis.gc();
    console.log(result.passed === ${count} ? process.memoryUsage().heapUsed : NaN);
    globalThis.keep = [plan, result];`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', script], { cwd });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
    });
    child.on('close', () => (Number(text) > 0 ? resolve(Number(text)) : reject(new Error('no figure'))));
  });
}

function install(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  writeFileSync(
    join(folder, 'vitest.config.js'),
    "export default { test: { include: ['cases.vitest.ts'] } };",
  );
  const files = { eval: 'synapsekit', floor: 'floor', node: 'nodeTest', vitest: 'vitest' } as const;
  for (const [kind, key] of Object.entries(files))
    writeFileSync(join(folder, `cases.${kind}.ts`), cases[key]);
}

/** Lays out what somebody has who installed the packages: built here, into a folder of their own. */
async function build(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@synapsekit'), { recursive: true });
  symlinkSync(join(root, 'node_modules/vitest'), join(modules, 'vitest'), 'junction');
  for (const name of ['core', 'cost', 'budget', 'testing', 'eval', 'cli']) {
    const source = join(root, 'packages', name);
    const target = join(modules, '@synapsekit', name);
    const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    const [, entries = 'src/index.ts'] = /tsup ((?:src\/\S+\s*)+)--config/.exec(manifest.scripts.build) ?? [];
    const tsup = join(root, 'node_modules/tsup/dist/cli-default.js');
    const args = [
      tsup,
      ...entries.trim().split(' '),
      '--config',
      '../../tsup.config.ts',
      '--out-dir',
      join(target, 'dist'),
    ];
    await new Promise<void>((resolve, reject) => {
      spawn(process.execPath, args, { cwd: source, stdio: 'inherit' }).on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`building ${name} ended with ${code}`)),
      );
    });
    writeFileSync(join(target, 'package.json'), JSON.stringify({ ...manifest, ...manifest.publishConfig }));
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      if (dependency.startsWith('@synapsekit/')) continue;
      cpSync(join(source, 'node_modules', dependency), join(modules, dependency), {
        recursive: true,
        dereference: true,
      });
    }
  }
}
