import { createRequire, setSourceMapsSupport } from 'node:module';
import { basename, extname } from 'node:path';
import { UsageError } from '../command.ts';

const require = createRequire(import.meta.url);

/**
 * What Node's own stripping of types refuses. A false alarm costs some milliseconds and nothing else, so the search is
 * generous: words in comments and texts count, too.
 */
const beyondTypes: readonly RegExp[] = [
  /\benum\s+\w/,
  /\b(?:namespace|module)\s+[\w.]+\s*\{/,
  /\bconstructor\s*\([\s\S]*?\b(?:public|private|protected|readonly|override)\s/,
  /\bimport\s+(?:type\s+)?\w+\s*=\s*[\w.(]/,
  /\bexport\s*=\s/,
];

/** True for a source that Node cannot load by taking the types out. Files of JSX never can. */
export function needsTransform(path: string, source: string): boolean {
  return /x$/.test(extname(path)) || beyondTypes.some((form) => form.test(source));
}

/**
 * TypeScript and JSX as JavaScript, with a source map in it.
 *
 * @throws SyntaxError with the place above its stack, as Node prints it.
 */
export function transform(path: string, source: string): string {
  const { transformSync } = oxc();
  const { code, map, errors } = transformSync(path, source, {
    lang: extname(path) === '.tsx' ? 'tsx' : extname(path) === '.jsx' ? 'jsx' : 'ts',
    sourcemap: true,
    target: 'esnext',
    jsx: { runtime: 'automatic', development: false },
  });
  const fatal = errors.find(({ severity }) => severity === 'Error');
  if (fatal !== undefined) throw syntaxError(path, source, fatal);
  if (map === undefined) return code;
  // From now on stacks cost a look at the maps, for the files that have one.
  setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
  const encoded = Buffer.from(JSON.stringify({ ...map, sources: [path] })).toString('base64');
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}`;
}

type Oxc = typeof import('oxc-transform');
let loaded: Oxc | undefined;

function oxc(): Oxc {
  try {
    loaded ??= require('oxc-transform') as Oxc;
    return loaded;
  } catch (error) {
    throw new UsageError(
      `Enums, parameter properties, namespaces and JSX need oxc-transform, which could not be loaded (${error instanceof Error ? error.message.split('\n')[0] : error}). Install it: npm install --save-dev oxc-transform`,
    );
  }
}

function syntaxError(
  path: string,
  source: string,
  {
    message,
    labels,
  }: {
    readonly message: string;
    readonly labels: readonly { readonly start: number; readonly end: number }[];
  },
): SyntaxError {
  const error = new SyntaxError(message);
  const start = labels[0]?.start ?? 0;
  const before = source.slice(0, start).split('\n');
  const line = before.length;
  const column = before.at(-1)?.length ?? 0;
  const width = Math.max(1, Math.min((labels[0]?.end ?? start + 1) - start, 40));
  const excerpt = `${path}:${line}\n${source.split('\n')[line - 1] ?? ''}\n${' '.repeat(column)}${'^'.repeat(width)}\n`;
  error.stack = `${excerpt}\nSyntaxError: ${message} (${basename(path)}:${line}:${column + 1})`;
  return error;
}
