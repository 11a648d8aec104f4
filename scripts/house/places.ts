import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../shell.ts';

/** Names that are true on one machine or for one registry only. */
const places: readonly (readonly [what: string, form: RegExp])[] = [
  ['a registry host', /\bregistry\.(?:npmjs\.org|yarnpkg\.com|npmmirror\.com)|\bnpm\.pkg\.github\.com/g],
  ['a registry host', /^\s*(?:@[\w-]+:)?registry\s*=\s*\S+/gm],
  ['an absolute path', /(?<![\w.~*@}$)-])\/(?:home|Users|root|opt|srv|mnt|work|workspace|builds)\/[\w.-]+/g],
  ['an absolute path', /\b[A-Z]:\\Users\\\w+/g],
];

/** No file that is, or is about to be, under version control names a machine or a registry. */
export async function checkPlaces(root: string): Promise<string[]> {
  const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { ok, stdout, stderr } = await capture('git', git, { cwd: root });
  if (!ok) return [`git ls-files: ${stderr.trim()}`];
  const files = [...new Set(stdout.split('\0'))].filter(
    (file) => file !== '' && existsSync(join(root, file)),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    if (text.includes('\0')) return []; // not a text
    return places.flatMap(([what, form]) =>
      [...text.matchAll(form)].map(({ 0: found, index }) => {
        const line = text.slice(0, index).split('\n').length;
        return `${file}:${line}: names ${what}: ${found.trim()}`;
      }),
    );
  });
}
