import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Member, runtimeDependencies, type Workspace } from './workspace.ts';

/** What stands in every published manifest, word for word. */
const alike = {
  license: 'MIT',
  'repository.type': 'git',
  'repository.url': 'git+https://github.com/synapsekit/synapsekit-js.git',
  type: 'module',
  sideEffects: false,
  'engines.node': '>=22.18.0',
  files: ['dist', 'src', '!src/**/*.test.ts', '!src/**/*.test-d.ts'],
  'publishConfig.access': 'public',
  'publishConfig.provenance': true,
} as const;

/** The manifests of `packages/*` look alike, and what they publish matches what they use in the workspace. */
export function checkManifests(workspace: Workspace): string[] {
  const each = workspace.packages.flatMap((member) =>
    [
      ...checkFields(member),
      ...checkTwins(workspace.root, member),
      ...checkRanges(workspace, member),
      ...checkIndex(workspace.root, member),
    ].map((problem) => `${member.folder}: ${problem}`),
  );
  return [...each, ...checkDrift(workspace)];
}

function checkFields({ folder, shortName, manifest }: Member): string[] {
  const problems: string[] = [];
  const expected = { name: `@synapsekit/${shortName}`, 'repository.directory': folder, ...alike };
  for (const [path, value] of Object.entries(expected)) {
    if (!isDeepStrictEqual(at(manifest, path), value))
      problems.push(`${path} must be ${JSON.stringify(value)}`);
  }
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(manifest.version ?? '')) problems.push('version is missing');
  if (!manifest.description) problems.push('description is missing');
  if (manifest.private) problems.push('private does not go with packages/');
  if (!manifest.scripts?.build) problems.push('scripts.build is missing');
  for (const name of Object.keys(manifest.peerDependenciesMeta ?? {})) {
    if (!manifest.peerDependencies?.[name])
      problems.push(`peerDependenciesMeta names ${name}, which is no peer`);
  }
  return problems;
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((part, key) => (part as Record<string, unknown> | undefined)?.[key], value);
}

/** `./src/x.ts` in the workspace is `./dist/x.js` with its types in what is published, and the build makes it. */
function checkTwins(root: string, { folder, manifest }: Member): string[] {
  const problems: string[] = [];
  const { exports = {}, bin = {}, publishConfig = {}, scripts } = manifest;
  const entries: string[] = [];
  const built = (source: string, extension: string): string =>
    source.replace('./src/', './dist/').replace(/\.ts$/, extension);
  const useSource = (where: string, source: unknown): source is string => {
    if (typeof source !== 'string' || !existsSync(join(root, folder, source))) {
      problems.push(`${where} names ${JSON.stringify(source)}, which does not exist`);
      return false;
    }
    if (source.endsWith('.ts')) entries.push(source.slice('./'.length));
    return true;
  };

  for (const path of ['.', './package.json']) {
    if (!(path in exports)) problems.push(`exports["${path}"] is missing`);
  }
  for (const [path, source] of Object.entries(exports)) {
    if (!useSource(`exports["${path}"]`, source)) continue;
    const twin = source.endsWith('.ts')
      ? { types: built(source, '.d.ts'), default: built(source, '.js') }
      : source;
    if (!isDeepStrictEqual(publishConfig.exports?.[path], twin)) {
      problems.push(`publishConfig.exports["${path}"] must be ${JSON.stringify(twin)}`);
    }
  }
  for (const path of Object.keys(publishConfig.exports ?? {})) {
    if (!(path in exports)) problems.push(`publishConfig.exports["${path}"] is not in exports`);
  }
  for (const [name, source] of Object.entries(bin)) {
    if (!useSource(`bin.${name}`, source)) continue;
    const twin = built(source, '.js');
    if (publishConfig.bin?.[name] !== twin) problems.push(`publishConfig.bin.${name} must be "${twin}"`);
  }

  const words = scripts?.build?.split(/\s+/) ?? [];
  const named = isDeepStrictEqual(entries, ['src/index.ts']) ? [] : entries;
  for (const entry of named) {
    if (!words.includes(entry)) problems.push(`scripts.build does not build ${entry}`);
  }
  return problems;
}

function checkRanges({ packages }: Workspace, { manifest }: Member): string[] {
  const problems: string[] = [];
  const ours = new Set(packages.map((member) => member.manifest.name));
  for (const [name, range] of Object.entries(runtimeDependencies(manifest))) {
    if (range.startsWith('catalog:')) problems.push(`${name}: write the range out, it is published`);
    if (ours.has(name) && range !== 'workspace:^') problems.push(`${name} must be "workspace:^"`);
  }
  for (const [name, range] of Object.entries(manifest.devDependencies ?? {})) {
    const expected = ours.has(name) ? 'workspace:^' : 'catalog:';
    if (range !== expected) problems.push(`${name} in devDependencies must be "${expected}"`);
  }
  return problems;
}

/** An index is a table of contents. */
function checkIndex(root: string, { folder }: Member): string[] {
  const path = join(root, folder, 'src/index.ts');
  if (!existsSync(path)) return []; // exports["."] says so
  const rest = readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})(\s+from\s+'[^']+')?\s*;/g, '')
    .replace(/\/\/.*$/gm, '')
    .trim();
  const [line = ''] = rest.split('\n');
  return rest === '' ? [] : [`src/index.ts holds more than exports: ${line}`];
}

/** A dependency from outside has one range in all of `packages/*`. */
function checkDrift({ packages }: Workspace): string[] {
  const ours = new Set(packages.map(({ manifest }) => manifest.name));
  const uses = new Map<string, Map<string, string[]>>();
  for (const { shortName, manifest } of packages) {
    for (const group of [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies]) {
      for (const [name, range] of Object.entries(group ?? {})) {
        if (ours.has(name)) continue;
        const ranges = uses.get(name) ?? new Map<string, string[]>();
        ranges.set(range, [...(ranges.get(range) ?? []), shortName]);
        uses.set(name, ranges);
      }
    }
  }
  return [...uses].flatMap(([name, ranges]) => {
    if (ranges.size === 1) return [];
    const list = [...ranges].map(([range, users]) => `${range} in ${users.join(', ')}`);
    return [`packages: the ranges of ${name} differ: ${list.join('; ')}`];
  });
}
