import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from './command.ts';

const evalFile = /\.eval\.(?:ts|mts|js|mjs)$/;
/** Copies of sources lie in these: their cases would run twice. */
const skippedFolders: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage']);

/**
 * The eval files that `paths` name: a file is taken as it is, a folder is searched for `*.eval.{ts,mts,js,mjs}`.
 * Each file stands in the result once, in order.
 *
 * @throws UsageError for a path that does not exist, and for a folder that cannot be read: its cases would be left out.
 */
export async function discover(paths: readonly string[], cwd: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const absolute = resolve(cwd, path);
    const entry = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
      throw new UsageError(
        missing ? `There is no file or folder "${path}".` : `"${path}" cannot be read (${error.code}).`,
      );
    });
    const files = entry.isDirectory() ? await search(absolute) : [absolute];
    // The real path: a file reached by two names is one module. A link that leads nowhere fails when it is loaded.
    for (const file of files) found.add(await realpath(file).catch(() => file));
  }
  return [...found];
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
