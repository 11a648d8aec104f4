import { fs } from '../node-builtins.ts';

/** The sources that a name of a build output may stand for. */
const sources: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx', '.jsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

const added: readonly string[] = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];

/** The file that an import means: itself, its source, the name with an extension added, or the index of a folder. */
export function fileFor(path: string): string | undefined {
  return isFile(path) ? path : existingFile(path);
}

/** The same where `path` itself is no file. */
export function existingFile(path: string): string | undefined {
  const [extension = ''] = /\.[cm]?jsx?$/.exec(path) ?? [];
  const stem = path.slice(0, path.length - extension.length);
  const candidates = [
    ...(sources[extension] ?? []).map((source) => stem + source),
    ...added.map((one) => path + one),
    ...added.map((one) => `${path}/index${one}`),
  ];
  return candidates.find(isFile);
}

export function isFile(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
