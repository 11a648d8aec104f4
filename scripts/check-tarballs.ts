/** Builds and packs every package and judges what would be published: the tarball, not the folder. */
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readWorkspace } from './house/workspace.ts';
import { capture, mapLimited, run } from './shell.ts';

const root = join(import.meta.dirname, '..');
const { packages } = readWorkspace(root);

/** Made to be imported by a test runner, and by nothing else. */
const needsTestRunner: readonly string[] = ['@synapsekit/testing/contracts', '@synapsekit/eval/vitest'];

const unlock = lock(join(root, 'node_modules/.tarballs.lock'));
const scratch = mkdtempSync(join(tmpdir(), 'synapsekit-tarballs-'));
try {
  // The build's cache adds files to dist and removes none.
  for (const dist of globSync('packages/*/dist', { cwd: root }))
    rmSync(join(root, dist), { recursive: true });
  await run('turbo run build', { cwd: root });
  await run(`pnpm --filter "./packages/*" --silent pack --pack-destination "${scratch}"`, { cwd: root });
  const tarballs = readdirSync(scratch).map((file) => join(scratch, file));
  if (tarballs.length !== packages.length) throw new Error(`${tarballs.length} tarballs`);
  await inspect(tarballs);
  await consume(join(scratch, 'consumer'));
} finally {
  rmSync(scratch, { recursive: true, force: true });
  unlock();
}

async function inspect(tarballs: readonly string[]): Promise<void> {
  console.log(`\n${tarballs.length} tarballs: publint --strict, attw --profile esm-only`);
  const bad = await mapLimited(tarballs, availableParallelism(), async (tarball) => {
    const verdicts = [
      await capture('publint', ['run', tarball, '--strict']),
      await capture('attw', [tarball, '--profile', 'esm-only', '--no-summary', '--format', 'ascii']),
    ];
    const ok = verdicts.every((verdict) => verdict.ok);
    console.log(`  ${ok ? '✓' : '✗'} ${basename(tarball)}`);
    for (const { stdout, stderr } of verdicts.filter((verdict) => !verdict.ok)) console.log(stdout + stderr);
    return ok ? [] : [basename(tarball)];
  });
  if (bad.flat().length > 0) throw new Error(`not fit to be published: ${bad.flat().join(', ')}`);
}

/** Installs the tarballs where nothing else is, not even the optional peers, and loads every entry point. */
async function consume(consumer: string): Promise<void> {
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }\n');
  await run('npm install --no-audit --no-fund --prefer-offline --loglevel=error ../*.tgz', { cwd: consumer });

  const entries = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {}).map((path) => manifest.name + path.slice(1)),
  );
  console.log(`\n${entries.length} entry points: import, require`);
  for (const entry of entries) {
    const name = JSON.stringify(entry);
    const attributes = entry.endsWith('.json') ? ', { with: { type: "json" } }' : '';
    if (needsTestRunner.includes(entry)) {
      await evaluate(`import.meta.resolve(${name})`);
    } else {
      await evaluate(`await import(${name}${attributes})`);
      await evaluate(`(await import('node:module')).createRequire(import.meta.url)(${name})`);
    }
    console.log(`  ✓ ${entry}`);
  }
  for (const { manifest } of packages) {
    for (const name of Object.keys(manifest.bin ?? {})) {
      await run(`"./node_modules/.bin/${name}" --help`, { cwd: consumer });
    }
  }

  async function evaluate(code: string): Promise<void> {
    const args = ['--input-type=module', '--eval', code];
    const { ok, stderr } = await capture(process.execPath, args, { cwd: consumer });
    if (!ok) throw new Error(`${code}\n${stderr}`);
  }
}

/** Two of these at a time would take each other's dist away. Waits for the other, as long as it lives. */
function lock(path: string): () => void {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!isAlive(path)) rmSync(path, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
}

function isAlive(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
