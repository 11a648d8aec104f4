import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from './command.ts';

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
      const real = await realpath(file).catch(() => file);
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
  const entry = await kindOf(absolute, path);
  if (entry === 'folder') return { files: await search(absolute) };
  if (entry === 'file') return { files: [absolute] };
  const [, file, line] = /^(.+?):(\d+)(?::\d+)?$/.exec(path) ?? [];
  if (file !== undefined && (await kindOf(resolve(cwd, file), file)) === 'file') {
    return { files: [resolve(cwd, file)], line: Number(line) };
  }
  const matched = /[*?[{]/.test(path) ? await matches(path, cwd) : [];
  if (matched.length > 0) return { files: matched };
  throw new UsageError(`There is no file or folder "${path}".`);
}

async function kindOf(absolute: string, path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(absolute)).isDirectory() ? 'folder' : 'file';
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

async function search(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `The folder "${folder}" cannot be searched (${error.code}). Name the files or folders to run.`,
    );
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && !skippedFolders.has(entry.name)) found.push(...(await search(path)));
    } else if (evalFile.test(entry.name)) {
      found.push(path);
    }
  }
  return found;
}
