import { open, rename, rm } from 'node:fs/promises';
import { ownMark } from './file-owner.ts';

/**
 * Writes a file so that it is there as a whole or not at all, also when the power fails: beside it, to the disk, then
 * in its place.
 *
 * @throws what the disk says. The file that was there before is then untouched.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const beside = `${path}.${ownMark()}.tmp`;
  try {
    const file = await open(beside, 'wx');
    try {
      await file.writeFile(text, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw error;
  }
}
