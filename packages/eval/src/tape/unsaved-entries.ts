import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isGone, ownerOf, ownMark } from './file-owner.ts';
import type { TapeEntry } from './tape-entry.ts';
import { formatTape, parseTape } from './tape-format.ts';

/** Files of this process, which another tape of it must not take for those of a dead one. */
const ours = new Set<string>();

/**
 * What was recorded and is not on its tape yet, in a file beside it. A tape is written as a whole and now and then; what
 * was paid for is on disk the moment it was received, so that it is there when the process is killed.
 */
export class UnsavedEntries {
  readonly #path: string;
  #count = 0;
  /** What kept an entry from being written; the tape may still get it. */
  problem: unknown;

  constructor(tapePath: string) {
    this.#path = `${tapePath}.${ownMark()}.unsaved`;
    ours.add(this.#path);
  }

  /** Never throws: the answer that was paid for goes to who asked. What went wrong is the `problem`. */
  add(entry: TapeEntry): void {
    try {
      // The file begins as a tape does, and goes on by lines.
      const text = formatTape([entry]);
      if (this.#count++ === 0) writeFileSync(this.#path, text);
      // A line that was cut by a full disk ends here.
      else appendFileSync(this.#path, text.slice(text.indexOf('\n') + (this.problem === undefined ? 1 : 0)));
    } catch (error) {
      this.problem ??= error;
    }
  }

  /** The tape has it, but for `rest`. */
  keepOnly(rest: Iterable<TapeEntry>): void {
    if (this.#count === 0) return;
    rmSync(this.#path, { force: true });
    this.#count = 0;
    this.problem = undefined;
    for (const entry of rest) this.add(entry);
  }
}

/** What processes that are gone have left beside a tape. */
export interface LeftBehind {
  /** There are no files of theirs. */
  readonly isNothing: boolean;
  readonly entries: readonly TapeEntry[];
  /** Takes their files away: it is on the tape now. */
  remove(): void;
}

/** Finds it. A line that was being written when its process died is left out. */
export async function findLeftBehind(tapePath: string): Promise<LeftBehind> {
  const folder = dirname(tapePath);
  const names = await readdir(folder).catch(() => []);
  const files: string[] = [];
  for (const name of names) {
    if (!name.startsWith(`${basename(tapePath)}.`) || ours.has(join(folder, name))) continue;
    // Also halves of a tape, and what was written to see whether there is room.
    const owner = ownerOf(name.slice(basename(tapePath).length + 1));
    // The time of a file is that of its disk: no injected clock knows it.
    const silence = async (): Promise<number> => Date.now() - (await stat(join(folder, name))).mtimeMs;
    if (owner !== undefined && (await isGone(owner, silence).catch(() => false))) files.push(name);
  }
  const entries: TapeEntry[] = [];
  for (const name of files.filter((each) => each.endsWith('.unsaved'))) {
    const [header = '', ...lines] = (await readFile(join(folder, name), 'utf8').catch(() => '')).split('\n');
    for (const line of lines.filter((one) => one !== '')) {
      try {
        entries.push(...parseTape(`${header}\n${line}\n`, name));
      } catch {}
    }
  }
  return {
    isNothing: files.length === 0,
    entries,
    remove() {
      for (const name of files) rmSync(join(folder, name), { force: true });
    },
  };
}
