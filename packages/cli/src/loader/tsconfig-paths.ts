import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fs } from '../node-builtins.ts';

/** Where an import may lie, by `paths` of the tsconfig; empty for one that they say nothing about. */
export type PathsMatcher = (specifier: string) => readonly string[];

const require = createRequire(import.meta.url);
const byFolder = new Map<string, PathsMatcher | undefined>();

/** What the tsconfig that a file belongs to says of imports. `undefined`: nothing. */
export function pathsMatcherFor(file: string): PathsMatcher | undefined {
  return ofFolder(dirname(file));
}

function ofFolder(folder: string): PathsMatcher | undefined {
  if (byFolder.has(folder)) return byFolder.get(folder);
  byFolder.set(folder, undefined); // what is loaded to find out asks here, too
  const parent = dirname(folder);
  const text = read(join(folder, 'tsconfig.json'));
  let matcher: PathsMatcher | undefined;
  if (text !== undefined) matcher = matcherOf(folder, text);
  else if (parent !== folder) matcher = ofFolder(parent);
  byFolder.set(folder, matcher);
  return matcher;
}

function matcherOf(folder: string, text: string): PathsMatcher | undefined {
  // Most projects have no paths: what reads tsconfigs is not loaded for them.
  if (!/"(?:paths|extends|baseUrl)"/.test(text)) return undefined;
  const { createPathsMatcher, getTsconfig } = require('get-tsconfig') as typeof import('get-tsconfig');
  const tsconfig = getTsconfig(folder);
  const match = tsconfig === null ? null : createPathsMatcher(tsconfig);
  return match ?? undefined;
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
