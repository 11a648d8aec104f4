import { join } from 'node:path';
import { run } from '../shell.ts';
import { Project } from './project.ts';
import type { Registry } from './registry.ts';

/** What it was like to install something of ours. */
export interface Experience {
  /** What was installed. */
  readonly what: string;
  /** How many packages came along, all told. */
  readonly packages: number;
  /** How long `import` takes in a fresh process, the median of five, milliseconds; an empty process deducted. */
  readonly importMs: number;
}

const programs = join(import.meta.dirname, 'programs');
/** The Node versions that packages have to run on. */
const nodeVersions = ['22', '24'] as const;
/** The compilers that their types have to be understood by. */
const compilers = ['5.9', '6', '7'] as const;

/** Installs packages as users do, each into an empty project, and uses them there. */
export async function tryOut(scratch: string, registry: Registry): Promise<readonly Experience[]> {
  const experiences: Experience[] = [];
  const begin = (name: string): Project => {
    console.log(`\n── ${name}`);
    const project = new Project(join(scratch, name), registry);
    project.copy(join(programs, name));
    return project;
  };

  const cost = begin('cost');
  await cost.install('@synapsekit/cost');
  await runEverywhere(cost, /^0\.0045 0\.0045 0\.0045$/m);
  await loadBothWays(cost, '@synapsekit/cost', 'CostTracker');
  experiences.push(await experience(cost, '@synapsekit/cost'));

  const groq = begin('llm-groq');
  // npm brings a peer along by itself; other package managers, and this flag, do not.
  await groq.install('--legacy-peer-deps', '@synapsekit/llm-groq', '@synapsekit/core');
  await groq.expectOutput(
    'without groq-sdk it says what to install',
    ['main.ts'],
    /config .*npm install groq-sdk/,
  );
  await groq.install('@synapsekit/llm-groq');
  await groq.expectOutput(
    'without gpt-tokenizer it says what to install',
    ['tokenizer.ts'],
    /config .*npm install gpt-tokenizer/,
  );
  await runEverywhere(groq, /^provider .*connection/im);
  await loadBothWays(groq, '@synapsekit/llm-groq', 'GroqLLM');
  experiences.push(await experience(groq, '@synapsekit/llm-groq'));

  const router = begin('router');
  const stack = ['core', 'cost', 'budget', 'resilience', 'router', 'llm-openai', 'llm-groq', 'testing'];
  await router.install(...stack.map((name) => `@synapsekit/${name}`), 'openai', 'groq-sdk');
  await runEverywhere(router, /Paris\. simple groq\/llama-3\.1-8b-instant\ntracker = bill\n$/);
  for (const name of ['budget', 'resilience', 'router', 'llm-openai']) {
    experiences.push(await experience(router, `@synapsekit/${name}`));
  }

  const stores = begin('stores');
  await stores.install('@synapsekit/store-sqlite', '@synapsekit/store-redis', '@synapsekit/budget');
  await runEverywhere(stores, /^1 of 5 then 3 of 5\nconfig RedisLedger takes a client/m);
  for (const name of ['store-sqlite', 'store-redis']) {
    experiences.push(await experience(stores, `@synapsekit/${name}`));
  }

  const compatible = begin('llm-openai-compatible');
  await compatible.install('@synapsekit/llm-openai-compatible', 'openai');
  await runEverywhere(compatible, /^provider .*connection/im);
  experiences.push(await experience(compatible, '@synapsekit/llm-openai-compatible'));

  const cli = begin('cli');
  await cli.install('--save-dev', '@synapsekit/cli', '@synapsekit/eval');
  const synapsekit = (...args: string[]) => ['node_modules/@synapsekit/cli/dist/bin.js', ...args];
  for (const version of nodeVersions) {
    await cli.expectOutput(`synapsekit test on Node ${version}`, synapsekit('test'), /1 passed, 0 failed/, {
      version,
    });
  }
  await run('npx synapsekit test', { cwd: cli.folder });
  await cli.expectOutput('synapsekit price gpt-4o', synapsekit('price', 'gpt-4o'), /openai\/gpt-4o/);
  experiences.push(await experience(cli, '@synapsekit/cli'));
  return experiences;
}

/** The project's program runs on every Node, and every compiler understands it. */
async function runEverywhere(project: Project, expected: RegExp): Promise<void> {
  for (const version of nodeVersions) {
    await project.expectOutput(`main.ts runs on Node ${version}`, ['main.ts'], expected, { version });
  }
  project.write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2023',
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
      },
      include: ['*.ts'],
    }),
  );
  await project.install('--save-dev', '@types/node@22');
  for (const version of compilers) {
    const tsc = `npx -y -p typescript@${version} tsc -p tsconfig.json`;
    await run(tsc, { cwd: project.folder });
    console.log(`  ✓ TypeScript ${version} understands its types`);
  }
}

async function loadBothWays(project: Project, name: string, symbol: string): Promise<void> {
  const imported = `import { ${symbol} } from '${name}'; console.log(typeof ${symbol});`;
  const required = `const { ${symbol} } = require('${name}'); console.log(typeof ${symbol});`;
  for (const version of nodeVersions) {
    const options = { version };
    await project.expectOutput(
      `import on Node ${version}`,
      ['--input-type=module', '-e', imported],
      /^function$/m,
      options,
    );
    await project.expectOutput(
      `require on Node ${version}`,
      ['--input-type=commonjs', '-e', required],
      /^function$/m,
      options,
    );
  }
}

async function experience(project: Project, name: string): Promise<Experience> {
  const time = async (code: string): Promise<number> => {
    const startMs = performance.now();
    const { ok, stderr } = await project.node(['--input-type=module', '-e', code]);
    if (!ok) throw new Error(stderr);
    return performance.now() - startMs;
  };
  const importsMs: number[] = [];
  const emptyMs: number[] = [];
  for (let round = 0; round < 5; round++) {
    importsMs.push(await time(`import '${name}'`));
    emptyMs.push(await time(''));
  }
  const importMs = Math.max(0, median(importsMs) - median(emptyMs));
  return { what: name, packages: project.installed, importMs };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
