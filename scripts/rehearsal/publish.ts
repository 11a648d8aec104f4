import { globSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readWorkspace } from '../house/workspace.ts';
import { run } from '../shell.ts';
import type { Registry } from './registry.ts';

/** Size of a package as it is downloaded, bytes. */
export type PackedSizes = ReadonlyMap<string, number>;

/**
 * Plays a release through in a clone of what is committed: versions, changelogs, build, publishing. A clone, since tags
 * made in a work tree would land in the real repository.
 */
export async function publishAll(
  repository: string,
  clone: string,
  registry: Registry,
): Promise<PackedSizes> {
  await run(`git clone --quiet "${repository}" "${clone}"`);
  const names = readWorkspace(clone).packages.map(({ manifest }) => manifest.name);
  const bumps = names.map((name) => `"${name}": minor\n`).join('');
  writeFileSync(join(clone, '.changeset/rehearsal.md'), `---\n${bumps}---\n\nA rehearsal.\n`);
  await run('pnpm install --frozen-lockfile --prefer-offline --reporter=silent', { cwd: clone });
  await run('pnpm exec changeset version', { cwd: clone });
  await run('pnpm run build', { cwd: clone });

  // A project's own .npmrc goes before the user's and before what npx sets: from here on nothing reaches another registry.
  writeFileSync(
    join(clone, '.npmrc'),
    `registry=${registry.url}\n@synapsekit:registry=${registry.url}\n${registry.login}\n`,
  );
  const packed = join(clone, '../packed');
  await run(`pnpm exec changeset pack --out-dir "${packed}"`, { cwd: clone });
  await run(`pnpm exec changeset publish --from-pack-dir "${packed}"`, {
    cwd: clone,
    env: {
      // Tags want a name. A release signs and logs in by the others; a rehearsal does neither.
      GIT_COMMITTER_NAME: 'rehearsal',
      GIT_COMMITTER_EMAIL: 'rehearsal@localhost',
      PNPM_CONFIG_PROVENANCE: 'false',
      ACTIONS_ID_TOKEN_REQUEST_URL: '',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: '',
    },
  });
  const sizes = globSync('**/*.tgz', { cwd: packed }).map((file): [string, number] => [
    basename(file)
      .replace(/^synapsekit-/, '@synapsekit/')
      .replace(/-\d+\.\d+\.\d+.*$/, ''),
    statSync(join(packed, file)).size,
  ]);
  if (sizes.length !== names.length)
    throw new Error(`${names.length} packages, and ${sizes.length} were packed`);
  return new Map(sizes);
}
