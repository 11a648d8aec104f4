import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Clock, ConfigError } from '@synapsekit/core';
import type { SecretScan } from './secret-scan.ts';
import { TapeFile } from './tape-file.ts';

/** How long recordings wait at most until they are written, in milliseconds, while trials come to their end. */
const saveEveryMs = 1_000;

/** The tapes of a run, one for each eval file, opened when they are needed. */
export class TapeLibrary {
  readonly #cwd: string;
  readonly #dir: string | undefined;
  readonly #clock: Clock;
  readonly #scan: SecretScan;
  readonly #tapes: Map<string, Promise<TapeFile>> = new Map();
  #savedMs: number;

  constructor(options: {
    readonly cwd: string;
    readonly dir: string | undefined;
    readonly clock: Clock;
    readonly scan: SecretScan;
  }) {
    this.#cwd = options.cwd;
    this.#dir = options.dir;
    this.#clock = options.clock;
    this.#scan = options.scan;
    this.#savedMs = this.#clock.monotonic();
  }

  /**
   * The tape of an eval file.
   *
   * @param file as reports name it; `undefined` for requests that belong to none.
   * @throws ConfigError for a tape that cannot be read.
   */
  of(file: string | undefined): Promise<TapeFile> {
    const path = this.#pathOf(file);
    let tape = this.#tapes.get(path);
    if (tape === undefined) {
      const shown = relative(this.#cwd, path).replaceAll('\\', '/') || path;
      tape = TapeFile.open({ path, shown, clock: this.#clock, scan: this.#scan });
      tape.catch(() => {});
      this.#tapes.set(path, tape);
    }
    return tape;
  }

  /** Writes what was recorded, if that was not done just now. */
  async saveSometimes(): Promise<void> {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#savedMs < saveEveryMs) return;
    this.#savedMs = nowMs;
    for (const tape of await this.#opened()) await tape.save();
  }

  /**
   * Writes what was recorded.
   *
   * @throws ConfigError for what could not be written, or must not be.
   */
  async save(): Promise<void> {
    const problems: string[] = [];
    for (const tape of await this.#opened()) {
      try {
        await tape.save();
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
      problems.push(...tape.refused);
    }
    if (problems.length > 0) throw new ConfigError(problems.join('\n'), { option: 'tape' });
  }

  /** Those that could be read: of the others everybody was told who asked for them. */
  async #opened(): Promise<readonly TapeFile[]> {
    const tapes = await Promise.allSettled(this.#tapes.values());
    return tapes.flatMap((tape) => (tape.status === 'fulfilled' ? [tape.value] : []));
  }

  #pathOf(file: string | undefined): string {
    if (file === undefined) {
      return join(
        this.#dir === undefined ? join(this.#cwd, '__tapes__') : resolve(this.#cwd, this.#dir),
        'no-file.jsonl',
      );
    }
    const path = isAbsolute(file) ? file : resolve(this.#cwd, file);
    if (this.#dir === undefined) return join(dirname(path), '__tapes__', `${basename(path)}.jsonl`);
    // Files of one name in different folders have different tapes.
    const inside = relative(this.#cwd, path).replaceAll(/\.\.[\\/]/g, '');
    return join(resolve(this.#cwd, this.#dir), `${inside}.jsonl`);
  }
}
