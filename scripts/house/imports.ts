import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { type Member, runtimeDependencies, type Workspace } from './workspace.ts';

const importForms = [
  /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /^[ \t]*import\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /(?<!^[ \t]*(?:\*|\/\/).*)\bimport\(\s*(['"])(?<specifier>[^'"]+)\1/gm,
];

/**
 * Every import names something the package's own manifest declares. Nothing else finds this out: Node, tsc
 * and the test runner all fall back to the root's node_modules.
 */
export function checkImports({ root, manifest, members }: Workspace): string[] {
  const rootTools = Object.keys(manifest.devDependencies ?? {});
  return members.flatMap((member) => {
    const forSource = new Set([member.manifest.name, ...Object.keys(runtimeDependencies(member.manifest))]);
    const forTests = new Set([
      ...forSource,
      ...Object.keys(member.manifest.devDependencies ?? {}),
      ...rootTools,
    ]);
    const files = globSync('{src,test,scripts}/**/*.{ts,mts,cts}', { cwd: join(root, member.folder) });
    return files.sort().flatMap((path) => {
      const file = path.replaceAll('\\', '/');
      const declared = isTooling(member, file) ? forTests : forSource;
      const specifiers = importsOf(readFileSync(join(root, member.folder, file), 'utf8'));
      return specifiers.flatMap((specifier) => {
        const problem = judge(specifier, file, member, declared);
        return problem === undefined ? [] : [`${member.folder}/${file}: ${problem}`];
      });
    });
  });
}

/** The names a source file imports from, each once. */
export function importsOf(source: string): string[] {
  const found = importForms.flatMap((form) => [...source.matchAll(form)]);
  return [...new Set(found.map((match) => match.groups?.specifier ?? ''))];
}

/** Whether only we run this file: it may use what is there for development. */
function isTooling({ kind }: Member, file: string): boolean {
  return (
    kind === 'tests' || kind === 'benchmarks' || !file.startsWith('src/') || /\.test(-d)?\.ts$/.test(file)
  );
}

function judge(
  specifier: string,
  file: string,
  { manifest, kind }: Member,
  declared: ReadonlySet<string>,
): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (specifier.startsWith('.')) {
    const leaves = posix.join(posix.dirname(file), specifier).startsWith('../');
    const matters = kind === 'packages' && !file.startsWith('scripts/');
    return leaves && matters ? `imports ${specifier}, which lies outside of its package` : undefined;
  }
  if (builtinModules.includes(specifier)) return `imports ${specifier}; write node:${specifier}`;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (declared.has(name)) return undefined;
  const only = manifest.devDependencies?.[name] === undefined ? '' : ' (only for tests)';
  return `imports ${specifier}, which its package.json does not declare${only}`;
}
