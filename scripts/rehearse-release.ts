/**
 * Plays a release through on this machine, as `pnpm release:rehearse`: versions, changelogs, build, publishing to a
 * registry of its own, and installing from there, as users do. It works on a clone, so that neither the work tree nor its
 * tags change; what is not committed is not rehearsed.
 *
 * With `--keep` the registry stays until Ctrl-C, to install from it by hand.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tryOut } from './rehearsal/consumers.ts';
import { publishAll } from './rehearsal/publish.ts';
import { startRegistry } from './rehearsal/registry.ts';

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'synapsekit-rehearsal-'));
try {
  await using registry = await startRegistry(join(scratch, 'registry'));
  const sizes = await publishAll(root, join(scratch, 'clone'), registry);
  const experiences = await tryOut(scratch, registry);

  console.log('\npackage                     packed');
  for (const [name, bytes] of [...sizes].sort()) {
    console.log(`${name.padEnd(26)}${`${(bytes / 1_024).toFixed(1)} kB`.padStart(10)}`);
  }
  console.log('\nafter installing            packages there   import (less an empty process)');
  for (const { what, packages, importMs } of experiences) {
    console.log(
      `${what.padEnd(28)}${String(packages).padStart(14)}${`${importMs.toFixed(0)} ms`.padStart(12)}`,
    );
  }
  console.log('\nThe rehearsal went through.');
  if (values.keep) {
    console.log(`\nThe registry is open until Ctrl-C. In an empty folder:
  echo "@synapsekit:registry=${registry.url}" > .npmrc && npm install @synapsekit/cost`);
    await once(process, 'SIGINT');
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
