import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError } from './command.ts';
import { discover } from './discover.ts';

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'synapsekit-discover-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const lay = (...files: string[]): void => {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
};
const find = async (...paths: string[]): Promise<string[]> =>
  (await discover(paths, folder)).map(({ path, lines = [] }) => [relative(folder, path), ...lines].join(':'));

test('searches folders for eval files, in order, and leaves copies and other people’s code out', async () => {
  lay(
    'b.eval.ts',
    'a/x.eval.mts',
    'a/y.eval.js',
    'c.eval.mjs',
    'a/eval.ts',
    'a/z.eval.tsx',
    'a/plural.evals.ts',
    'a/old.eval.cts',
    'a/x.eval.ts.bak',
  );
  lay('node_modules/p/x.eval.js', 'dist/b.eval.js', 'coverage/b.eval.js', '.cache/b.eval.ts');
  expect(await find('.')).toEqual([
    'a/old.eval.cts',
    'a/plural.evals.ts',
    'a/x.eval.mts',
    'a/y.eval.js',
    'a/z.eval.tsx',
    'b.eval.ts',
    'c.eval.mjs',
  ]);
  expect(await find('dist')).toEqual(['dist/b.eval.js']);
});

test('takes a file that is named as it is, and each file once, by whatever names', async () => {
  lay('cost.ts', 'a/x.eval.ts');
  symlinkSync(join(folder, 'a/x.eval.ts'), join(folder, 'link.ts'));
  expect(await find('cost.ts', './a/../cost.ts', 'a', 'link.ts', 'a/x.eval.ts')).toEqual([
    'cost.ts',
    'a/x.eval.ts',
  ]);
});

test('takes lines of a file, until the whole file is asked for, and patterns in quotes', async () => {
  lay('a/x.eval.ts', 'a/y.ts', 'with:12', 'node_modules/p/x.eval.ts');
  expect(await find('a/x.eval.ts:3', 'a/x.eval.ts:9:4', 'with:12')).toEqual(['a/x.eval.ts:3:9', 'with:12']);
  expect(await find('a/x.eval.ts:3', 'a')).toEqual(['a/x.eval.ts']);
  expect(await find('**/*.ts')).toEqual(['a/x.eval.ts', 'a/y.ts']);
  await expect(find('a/none.eval.ts:3')).rejects.toThrow(UsageError);
  await expect(find('*.none')).rejects.toThrow(UsageError);
});

test('refuses a path that does not exist, and one that cannot be', async () => {
  lay('file.ts');
  symlinkSync('round.ts', join(folder, 'round.ts'));
  await expect(find('nowhere')).rejects.toThrow(UsageError);
  await expect(find('file.ts/x.eval.ts')).rejects.toThrow('There is no file or folder "file.ts/x.eval.ts".');
  await expect(find('round.ts')).rejects.toThrow('"round.ts" cannot be read (ELOOP).');
});

test('follows no link to a folder, and keeps a link that leads nowhere: it must not look like no file', async () => {
  lay('a/x.eval.ts');
  symlinkSync(folder, join(folder, 'a/loop'));
  symlinkSync(join(folder, 'gone.ts'), join(folder, 'b.eval.ts'));
  expect(await find('.')).toEqual(['a/x.eval.ts', 'b.eval.ts']);
});
