import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, type Outcome, run } from '../shell.ts';
import type { Registry } from './registry.ts';

/** An empty project of somebody who installs packages and nothing else of ours. */
export class Project {
  readonly folder: string;

  constructor(folder: string, registry: Registry) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    writeFileSync(join(folder, '.npmrc'), `@synapsekit:registry=${registry.url}\n`);
  }

  async install(...packages: readonly string[]): Promise<void> {
    const flags = '--no-audit --no-fund --prefer-offline --loglevel=error --cache ../npm-cache';
    await run(`npm install ${flags} ${packages.join(' ')}`, { cwd: this.folder });
  }

  /** How many packages were installed, all told. */
  get installed(): number {
    const lock = JSON.parse(readFileSync(join(this.folder, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, unknown>>;
    };
    return Object.keys(lock.packages).filter((path) => path !== '').length;
  }

  /** Puts the files of one rehearsed program into the project. */
  copy(from: string): void {
    cpSync(from, this.folder, { recursive: true });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs a program there. Without `node`, with the Node that runs this. */
  async node(
    args: readonly string[],
    options: { readonly version?: string; readonly env?: Env } = {},
  ): Promise<Outcome> {
    const { version, env = {} } = options;
    // What the package manager that runs this has set must not be found by what a user would run.
    const clean = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|node_options|node_path)/i.test(name)),
    ) as Record<string, string>;
    const all = { ...clean, NO_COLOR: '1', ...env };
    return version === undefined
      ? capture(process.execPath, args, { cwd: this.folder, env: all, timeoutMs: 120_000 })
      : capture('npx', ['-y', '-p', `node@${version}`, 'node', ...args], {
          cwd: this.folder,
          env: all,
          timeoutMs: 300_000,
        });
  }

  /** The same, and it has to end well; what it must have printed, in order. */
  async expectOutput(
    what: string,
    args: readonly string[],
    expected: RegExp,
    options: Parameters<Project['node']>[1] = {},
  ): Promise<string> {
    const { ok, stdout, stderr } = await this.node(args, options);
    if (!ok || !expected.test(stdout)) {
      throw new Error(
        `${what}: ${ok ? `printed something else than ${expected}` : 'failed'}\n${stdout}\n${stderr}`,
      );
    }
    console.log(`  ✓ ${what}`);
    return stdout;
  }
}

type Env = Readonly<Record<string, string>>;
