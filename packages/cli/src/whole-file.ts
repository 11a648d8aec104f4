import { systemIds } from '@synapsekit/core';
import { fs } from './node-builtins.ts';

/**
 * Writes a file as a whole or not at all: beside it, then in its place. Whoever reads it meanwhile sees the old one, and
 * of two processes that write it one wins.
 *
 * @throws what the file system says. The file that was there before is then untouched, and nothing lies beside it.
 */
export function writeWholeFile(path: string, text: string): void {
  const part = `${path}.${process.pid}-${systemIds().slice(0, 8)}.part`; // workers and containers share process ids
  try {
    fs.writeFileSync(part, text, { flag: 'wx' });
    fs.renameSync(part, path);
  } catch (error) {
    fs.rmSync(part, { force: true });
    throw error;
  }
}
