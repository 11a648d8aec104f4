import { isBuiltin, registerHooks } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fs } from '../node-builtins.ts';
import { existingFile, fileFor, isFile } from './file-for.ts';
import { needsTransform, transform } from './transform.ts';
import { type PathsMatcher, pathsMatcherFor } from './tsconfig-paths.ts';

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>;
type Load = NonNullable<Parameters<typeof registerHooks>[0]['load']>;

/** Sources that TypeScript's types have to be taken out of. */
const typed: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.tsx', '.jsx']);

let installed = false;

/**
 * Makes Node load TypeScript as projects write it, for the rest of the process: `paths` of the tsconfig, imports
 * without an extension or with the one of the build, enums, parameter properties, JSX. What stripping types is enough
 * for, Node loads by itself, positions unchanged.
 *
 * Everything is decided while a module is resolved and loaded, before any of its code runs, and a module is always
 * found under the one URL of its file: none runs twice.
 *
 * @param onModule told of every file of the project that is loaded.
 */
export function installHooks(onModule: (path: string) => void = () => {}): void {
  if (installed) return;
  installed = true;
  registerHooks({ resolve, load: (url, context, next) => load(url, context, next, onModule) });
}

const resolve: Resolve = (specifier, context, next) => {
  const parent = context.parentURL;
  if (parent === undefined || !parent.startsWith('file:') || isVendored(parent) || isBuiltin(specifier)) {
    return next(specifier, context);
  }
  if (!isPath(specifier)) {
    const matcher: PathsMatcher | undefined = pathsMatcherFor(fileURLToPath(parent));
    const mapped = matcher?.(specifier)
      .map(fileFor)
      .find((path) => path !== undefined);
    if (mapped !== undefined) return next(pathToFileURL(mapped).href, context);
    return next(specifier, context);
  }
  // The build's name of a file that is there only as a source: nothing is tried twice, so that nothing is loaded twice.
  const url = urlOf(specifier, parent);
  const path = url?.protocol === 'file:' ? existingFile(fileURLToPath(url)) : undefined;
  if (url === undefined || path === undefined || isFile(fileURLToPath(url))) return next(specifier, context);
  return next(pathToFileURL(path).href + url.search + url.hash, context);
};

function load(
  url: string,
  context: Parameters<Load>[1],
  next: Parameters<Load>[2],
  onModule: (path: string) => void,
): ReturnType<Load> {
  if (!url.startsWith('file:') || isVendored(url)) return next(url, context);
  const path = fileURLToPath(url.replace(/[?#].*$/, ''));
  onModule(path);
  if (!typed.has(extname(path))) return next(url, context);
  const source = fs.readFileSync(path, 'utf8');
  if (!needsTransform(path, source)) {
    // Where no package.json says what it is, Node finds out by compiling it twice, and warns of that.
    const isUnsaid = (context.format ?? undefined) === undefined && extname(path) === '.ts';
    return next(url, isUnsaid && isModule(source) ? { ...context, format: 'module-typescript' } : context);
  }
  return {
    format: formatOf(context.format, source),
    source: transform(path, source),
    shortCircuit: true,
  };
}

/** What Node calls the JavaScript that comes out of a source. */
function formatOf(format: string | null | undefined, source: string): 'module' | 'commonjs' {
  if (format?.startsWith('module') === true) return 'module';
  return isModule(source) ? 'module' : 'commonjs';
}

function isModule(source: string): boolean {
  return /^\s*(?:import\s*[\w{*"']|export\s)/m.test(source);
}

function isPath(specifier: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier);
}

function urlOf(specifier: string, parent: string): URL | undefined {
  try {
    return new URL(specifier, parent);
  } catch {
    return undefined;
  }
}

function isVendored(url: string): boolean {
  return url.includes('/node_modules/');
}
