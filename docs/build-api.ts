/**
 * Writes the API reference from the docstrings: `pnpm docs:api`. It is made on demand and not kept under version control:
 * every change of a docstring would be there twice, and what is published with a version is in its declarations anyway.
 * A docstring that TypeDoc stumbles over, such as a link that leads nowhere, fails the run.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Application, type TypeDocOptions } from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';

const root = join(import.meta.dirname, '..');
const options: Partial<TypeDocOptions & PluginOptions> = {
  name: 'SynapseKit',
  entryPoints: entryPoints(),
  tsconfig: join(root, 'tsconfig.json'),
  plugin: ['typedoc-plugin-markdown'],
  router: 'module', // one page for each entry point
  out: join(import.meta.dirname, 'api'),
  readme: 'none',
  basePath: root,
  displayBasePath: root,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  skipErrorChecking: true, // TypeScript 7 has checked everything, more strictly
  validation: { invalidLink: true, rewrittenLink: true, notExported: false, notDocumented: false },
  treatWarningsAsErrors: true,
  logLevel: 'Warn',
};

const app = await Application.bootstrapWithPlugins(options as Partial<TypeDocOptions>);
const project = await app.convert();
if (project === undefined) process.exit(1);
// By what stands in an import: "packages/core/src/chat-completions" is "@synapsekit/core/chat-completions".
for (const module of project.children ?? []) {
  module.name = module.name.replace(/^packages\/([^/]+)\/src\b/, '@synapsekit/$1');
}
app.validate(project);
await app.generateOutputs(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
console.log(`The API reference of ${project.children?.length ?? 0} entry points is in docs/api.`);

/** What the manifests of `packages/*` export, from source. */
function entryPoints(): string[] {
  const manifests = globSync('packages/*/package.json', { cwd: root }).sort();
  return manifests.flatMap((path) => {
    const { exports } = JSON.parse(readFileSync(join(root, path), 'utf8')) as { exports: object };
    const sources = Object.values(exports).filter((source): source is string =>
      String(source).endsWith('.ts'),
    );
    return sources.map((source) => join(root, dirname(path), source));
  });
}
