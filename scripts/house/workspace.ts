import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type Dependencies = Readonly<Record<string, string>>;

/** The parts of a package.json the house looks at. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly publishConfig?: {
    readonly bin?: Readonly<Record<string, string>>;
    readonly exports?: Readonly<Record<string, unknown>>;
  };
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
  readonly peerDependencies?: Dependencies;
  readonly peerDependenciesMeta?: Readonly<Record<string, unknown>>;
  readonly optionalDependencies?: Dependencies;
}

export interface Member {
  /** Where it lies, seen from the root: `packages/core`. */
  readonly folder: string;
  /** The last part of the folder: `core`. */
  readonly shortName: string;
  /** Only what lies in `packages/` is published. */
  readonly kind: 'packages' | 'apps' | 'tests' | 'benchmarks';
  readonly manifest: Manifest;
}

export interface Workspace {
  readonly root: string;
  readonly manifest: Manifest;
  readonly members: readonly Member[];
  readonly packages: readonly Member[];
}

export function readWorkspace(root: string): Workspace {
  const read = (path: string): Manifest => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const paths = globSync('{{packages,apps,tests}/*,benchmarks}/package.json', { cwd: root }).sort();
  const members = paths.map((path): Member => {
    const folder = path.replaceAll('\\', '/').slice(0, -'/package.json'.length);
    const kind = folder.split('/')[0] as Member['kind'];
    return { folder, shortName: basename(folder), kind, manifest: read(path) };
  });
  const packages = members.filter(({ kind }) => kind === 'packages');
  return { root, manifest: read('package.json'), members, packages };
}

/** What a package brings along when it is installed. */
export function runtimeDependencies(manifest: Manifest): Dependencies {
  return { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
}
