import type { Dirent } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from './command.ts';
import { fs } from './node-builtins.ts';

const evalFile = /\.evals?\.(?:ts|mts|cts|tsx|js|mjs)$/;
/** What a file is called that is found by itself, for messages. */
export const evalFileForm = '*.eval.ts or *.evals.ts (also .mts, .cts, .tsx, .js, .mjs)';
/** Copies of sources lie in these: their cases would run twice. */
const skippedFolders: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage']);

/** An eval file to run. */
export interface FoundFile {
  readonly path: string;
  /** Only the cases that stand at these lines; `undefined` for all of them. */
  readonly lines?: readonly number[] | undefined;
}

/**
 * The eval files that `paths` name: a file is taken as it is, `file:line` picks the case that stands there, a folder is
 * searched for eval files, and so is what a pattern in quotes matches. Each file stands in the result once, in order.
 *
 * @throws UsageError for a path that does not exist, and for a folder that cannot be read: its cases would be left out.
 */
export async function discover(paths: readonly string[], cwd: string): Promise<readonly FoundFile[]> {
  const found = new Map<string, Set<number> | undefined>();
  for (const path of paths) {
    const { files, line } = await expand(path, cwd);
    for (const file of files) {
      // The real path: a file reached by two names is one module. A link that leads nowhere fails when it is loaded.
      const real = realPathOf(file);
      const known = found.get(real);
      if (line === undefined) found.set(real, undefined);
      else if (!found.has(real)) found.set(real, new Set([line]));
      else known?.add(line);
    }
  }
  return [...found].map(([path, lines]) => ({ path, ...(lines !== undefined && { lines: [...lines] }) }));
}

async function expand(
  path: string,
  cwd: string,
): Promise<{ readonly files: readonly string[]; readonly line?: number }> {
  const absolute = resolve(cwd, path);
  const entry = kindOf(absolute, path);
  if (entry === 'folder') return { files: search(absolute) };
  if (entry === 'file') return { files: [absolute] };
  const [, file, line] = /^(.+?):(\d+)(?::\d+)?$/.exec(path) ?? [];
  if (file !== undefined && kindOf(resolve(cwd, file), file) === 'file') {
    return { files: [resolve(cwd, file)], line: Number(line) };
  }
  const matched = /[*?[{]/.test(path) ? await matches(path, cwd) : [];
  if (matched.length > 0) return { files: matched };
  throw new UsageError(`There is no file or folder "${path}".`);
}

function kindOf(absolute: string, path: string): 'file' | 'folder' | undefined {
  try {
    return fs.statSync(absolute).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL') return undefined;
    throw new UsageError(`"${path}" cannot be read (${code}).`);
  }
}

/** For shells that leave patterns alone, and patterns in quotes. */
async function matches(pattern: string, cwd: string): Promise<string[]> {
  const { glob } = await import('node:fs/promises');
  const found: string[] = [];
  const exclude = (name: string): boolean => skippedFolders.has(name);
  for await (const match of glob(pattern, { cwd, exclude })) found.push(resolve(cwd, match));
  return found.sort();
}

function search(folder: string): readonly string[] {
  const entries = entriesOf(folder);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && !skippedFolders.has(entry.name)) found.push(...search(path));
    } else if (evalFile.test(entry.name)) {
      found.push(path);
    }
  }
  return found;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new UsageError(
      `The folder "${folder}" cannot be searched (${(error as NodeJS.ErrnoException).code}). Name the files or folders to run.`,
    );
  }
}

function realPathOf(file: string): string {
  try {
    return fs.realpathSync.native(file);
  } catch {
    return file;
  }
}
