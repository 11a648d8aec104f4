import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, ConfigError } from '@synapsekit/core';
import { withFileLock } from './file-lock.ts';
import { ownMark } from './file-owner.ts';
import type { SecretScan } from './secret-scan.ts';
import { streamedTexts } from './streamed-texts.ts';
import {
  entryId,
  scopeId,
  type TapedRequest,
  type TapeEntry,
  type TapeScope,
  trialId,
  whoseOf,
} from './tape-entry.ts';
import { formatTape, parseTape } from './tape-format.ts';
import { findLeftBehind, type LeftBehind, UnsavedEntries } from './unsaved-entries.ts';
import { writeWhole } from './write-whole.ts';

/** What a tape file is opened with. */
export interface TapeFileSetup {
  /** Absolute. */
  readonly path: string;
  /** Names it in messages. */
  readonly shown: string;
  readonly clock: Clock;
  readonly scan: SecretScan;
}

/**
 * One tape: what it held when it was opened, what was recorded since, and what of it was played. It is written as a
 * whole, merged with what other processes wrote meanwhile.
 */
export class TapeFile {
  readonly shown: string;
  readonly #setup: TapeFileSetup;
  /** What it held, by scope and key, in the order of occurrence. */
  readonly #held: Map<string, TapeEntry[]> = new Map();
  readonly #entries: TapeEntry[];
  readonly #played: Set<TapeEntry> = new Set();
  /** How many requests of a scope and key were recorded or are being recorded. */
  readonly #occurrences: Map<string, number> = new Map();
  #fresh: Map<string, TapeEntry> = new Map();
  /** Trials that are to be replaced by what was recorded anew. */
  readonly #replaced: Set<string> = new Set();
  readonly #unsaved: UnsavedEntries;
  #leftBehind: LeftBehind | undefined;
  /** What must not be written, in sentences. */
  readonly refused: string[] = [];
  #writable: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(setup: TapeFileSetup, held: readonly TapeEntry[], leftBehind: LeftBehind) {
    this.#setup = setup;
    this.#unsaved = new UnsavedEntries(setup.path);
    this.#leftBehind = leftBehind.isNothing ? undefined : leftBehind;
    const entries = mergeEntries(held, leftBehind.entries);
    this.shown = setup.shown;
    this.#entries = entries;
    for (const entry of entries) {
      const list = `${scopeId(entry)} ${entry.key}`;
      this.#held.set(list, [...(this.#held.get(list) ?? []), entry]);
    }
    for (const list of this.#held.values()) list.sort((a, b) => a.occurrence - b.occurrence);
  }

  /** @throws ConfigError for a tape that cannot be read, with the line. */
  static async open(setup: TapeFileSetup): Promise<TapeFile> {
    const leftBehind = await findLeftBehind(setup.path);
    return new TapeFile(setup, await readEntries(setup), leftBehind);
  }

  /** Everything it held, for those who look for something near. */
  get entries(): readonly TapeEntry[] {
    return this.#entries;
  }

  /** The next answer to this request in this scope that was not played yet; the same host's first. */
  take(scope: TapeScope, key: string, host: string): TapeEntry | undefined {
    const left = this.#held.get(`${scopeId(scope)} ${key}`)?.filter((entry) => !this.#played.has(entry));
    const entry = left?.find(({ request }) => request.host === host) ?? left?.[0];
    if (entry !== undefined) this.#played.add(entry);
    return entry;
  }

  /** The number of the next request of this kind, for one that is about to be recorded. */
  nextOccurrence(scope: TapeScope, key: string, fromStart: boolean): number {
    const id = `${scopeId(scope)} ${key}`;
    const held = fromStart ? 0 : 1 + Math.max(-1, ...(this.#held.get(id) ?? []).map((e) => e.occurrence));
    const next = Math.max(this.#occurrences.get(id) ?? 0, held);
    this.#occurrences.set(id, next + 1);
    return next;
  }

  /**
   * Makes sure that it can be written, before anything is paid for.
   *
   * @throws ConfigError for a folder that is read-only.
   */
  async makeWritable(): Promise<void> {
    this.#writable ??= this.#probe();
    await this.#writable;
    if (this.#unsaved.problem !== undefined) throw this.#unwritable(this.#unsaved.problem);
  }

  #unwritable(error: unknown): ConfigError {
    return new ConfigError(
      `${this.shown} cannot be written: ${reasonOf(error)}. Nothing was sent: what it would have cost could not be kept.`,
      { option: 'tape', cause: error },
    );
  }

  add(entry: TapeEntry): void {
    this.#fresh.set(entryId(entry), entry);
    if (this.#mayWrite(entry)) this.#unsaved.add(entry);
  }

  /** From the next write on, a trial is what was recorded of it now and nothing else. */
  replaceTrial(scope: TapeScope): void {
    this.#replaced.add(trialId(scope));
  }

  get changed(): boolean {
    return this.#fresh.size > 0 || this.#leftBehind !== undefined;
  }

  /**
   * Writes what was recorded. What holds a secret is left out and named in `refused`.
   *
   * @throws ConfigError when it cannot be written. What was recorded is kept for another try.
   */
  save(): Promise<void> {
    const saved = this.#writing.then(() => this.#save());
    this.#writing = saved.catch(() => {});
    return saved;
  }

  async #save(): Promise<void> {
    if (!this.changed) return;
    const { path, clock, shown } = this.#setup;
    try {
      await mkdir(dirname(path), { recursive: true });
      await withFileLock(path, clock, async () => {
        const fresh = new Map(this.#fresh);
        const replaced = new Set(this.#replaced);
        const leftBehind = this.#leftBehind;
        const merged = new Map<string, TapeEntry>();
        const before = mergeEntries(await readEntries(this.#setup), leftBehind?.entries ?? []);
        for (const entry of before) {
          if (!replaced.has(trialId(entry)) || this.#isNew(entry)) merged.set(entryId(entry), entry);
        }
        for (const [id, entry] of fresh) if (this.#mayWrite(entry)) merged.set(id, entry);
        await writeWhole(path, formatTape(merged.values()));
        // Recorded while it was being written: those are for the next time.
        for (const [id, entry] of fresh) {
          if (this.#fresh.get(id) === entry && merged.has(id)) this.#written.add(id);
        }
        this.#fresh = new Map([...this.#fresh].filter(([id, entry]) => fresh.get(id) !== entry));
        this.#unsaved.keepOnly([...this.#fresh.values()].filter((entry) => this.#mayWrite(entry)));
        leftBehind?.remove();
        this.#leftBehind = undefined;
      });
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      const fate =
        this.#unsaved.problem === undefined
          ? 'What was recorded lies beside it, and the next recording puts it on the tape'
          : 'Some of what was recorded is lost';
      throw new ConfigError(`${shown} could not be written: ${reasonOf(error)}. ${fate}.`, {
        option: 'tape',
        cause: error,
      });
    }
  }

  /** What this run itself has written before: it is not what it replaces. */
  readonly #written: Set<string> = new Set();

  #isNew(entry: TapeEntry): boolean {
    return this.#written.has(entryId(entry));
  }

  /** Entries without a secret, and how many secrets were known when they were searched. */
  readonly #clean: WeakMap<TapeEntry, number> = new WeakMap();

  #mayWrite(entry: TapeEntry): boolean {
    const { scan } = this.#setup;
    if (this.#clean.get(entry) === scan.learned) return true;
    const secret = scan.find(searchable(entry));
    if (secret === undefined) {
      this.#clean.set(entry, scan.learned);
      return true;
    }
    const { request } = entry;
    const whose = whoseOf(entry);
    const message = `${this.shown}: a request of ${whose} to ${request.host}${pathOf(request)} was not put on tape, because ${secret} is in it or in its answer. Take it out of the prompt, or out of the tape with a redaction hook.`;
    if (!this.refused.includes(message)) this.refused.push(message);
    return false;
  }

  async #probe(): Promise<void> {
    const { path, clock } = this.#setup;
    try {
      await mkdir(dirname(path), { recursive: true });
      await access(dirname(path), constants.W_OK);
      await withFileLock(path, clock, () => makeSureOfRoom(path));
    } catch (error) {
      throw this.#unwritable(error);
    }
  }
}

/** As much as a few answers need: on a disk that is full, empty files can still be made. */
const roomBytes = 65_536;

async function makeSureOfRoom(path: string): Promise<void> {
  const file = `${path}.${ownMark()}.room`;
  try {
    await writeFile(file, Buffer.alloc(roomBytes));
  } finally {
    await rm(file, { force: true });
  }
}

/** What a process left behind is newer than what the tape holds. */
function mergeEntries(held: readonly TapeEntry[], newer: readonly TapeEntry[]): TapeEntry[] {
  return [...new Map([...held, ...newer].map((entry) => [entryId(entry), entry])).values()];
}

async function readEntries({ path, shown }: TapeFileSetup): Promise<readonly TapeEntry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ConfigError(`${shown} cannot be read: ${reasonOf(error)}.`, { option: 'tape', cause: error });
  }
  return parseTape(text, shown);
}

/** Text as it was, and as JSON has it: a key with a quote in it looks different. */
function searchable(entry: TapeEntry): string {
  const { answer } = entry;
  const chunks = 'chunks' in answer ? answer.chunks.map(([, data]) => data).join('') : '';
  const parts = [JSON.stringify(entry.request), JSON.stringify({ ...answer, chunks: [] }), chunks];
  return [...parts, ...streamedTexts(chunks)].join('\n');
}

function pathOf({ path }: TapedRequest): string {
  return path.replace(/\?.*/, '');
}

function reasonOf(error: unknown): string {
  const { code, message } = Object(error) as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    EACCES: 'no permission',
    EPERM: 'no permission',
    EROFS: 'the disk is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota of the disk is used up',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of its path is a file',
  };
  return code !== undefined && known[code] !== undefined
    ? `${known[code]} (${code})`
    : String(message ?? error);
}
