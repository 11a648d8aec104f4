import { randomUUID } from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive } from './file-lock.ts';
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
    this.#path = `${tapePath}.${process.pid}-${randomUUID().slice(0, 8)}.unsaved`;
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
  const files = names.filter((name) => {
    if (!name.startsWith(`${basename(tapePath)}.`) || ours.has(join(folder, name))) return false;
    const rest = name.slice(basename(tapePath).length + 1);
    // Also halves of a tape, and what was written to see whether there is room.
    const [, owner] = /^(\d+)(?:-\w+\.(?:unsaved|tmp)|\.room)$/.exec(rest) ?? [];
    if (owner === undefined) return false;
    // Of our number, and not ours: that process was there long ago. Its tape may be one of this process that is written now.
    return Number(owner) === process.pid ? rest.endsWith('.unsaved') : !isAlive(Number(owner));
  });
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
