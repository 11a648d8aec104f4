import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { ConfigError, isSynapseError } from '@synapsekit/core';
import { GainModel } from '@synapsekit/router';
import { type CliIo, exitCodes, interruptedCode } from './io.ts';
import { writeWholeFile } from './whole-file.ts';

/** Runs what a `route` command does: wrong data is a sentence and exit code 2, not a stack. */
export async function routeWork(io: CliIo, work: (progress: StepLine) => Promise<number>): Promise<number> {
  const progress = new StepLine(io);
  try {
    return await work(progress);
  } catch (error) {
    progress.hide();
    if (io.signal.aborted) {
      io.stderr.write('Interrupted: nothing was written.\n');
      return interruptedCode(io.signal);
    }
    if (!isSynapseError(error)) throw error;
    io.stderr.write(`${error.message}\n`);
    return exitCodes.unusable;
  } finally {
    progress.hide();
  }
}

/** One line on a terminal that says how far the work is. Nothing where nobody watches. */
export class StepLine {
  readonly #io: CliIo;
  #shown = false;

  constructor(io: CliIo) {
    this.#io = io;
  }

  readonly show = (share: number, step: string): void => {
    const { stderr } = this.#io;
    if (stderr.isTTY !== true) return;
    const line = `${String(Math.round(share * 100)).padStart(3)} % · ${step}`;
    stderr.write(`\r\u001b[2K${line.slice(0, (stderr.columns || 80) - 1)}`);
    this.#shown = true;
  };

  hide(): void {
    if (this.#shown) this.#io.stderr.write('\r\u001b[2K');
    this.#shown = false;
  }
}

/** A path as the user means it. */
export function pathIn(io: CliIo, path: string): string {
  return isAbsolute(path) ? path : join(io.cwd, path);
}

/**
 * Reads a model that `route train` wrote.
 *
 * @throws ConfigError for a file that is none, naming it.
 */
export async function readModel(io: CliIo, path: string): Promise<GainModel> {
  const fail = (reason: string, cause: unknown): Error =>
    new ConfigError(`${path}: ${reason}`, { option: 'model', cause });
  let text: string;
  try {
    text = await readFile(pathIn(io, path), 'utf8');
  } catch (error) {
    throw fail(`it cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`, error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fail('it is no JSON.', error);
  }
  try {
    return new GainModel(json);
  } catch (error) {
    throw isSynapseError(error) ? fail(error.message, error) : error;
  }
}

/**
 * Writes a file that a `route` command was asked for, as a whole or not at all.
 *
 * @throws ConfigError when it cannot be written.
 */
export function writeOutput(io: CliIo, path: string, text: string): void {
  try {
    writeWholeFile(pathIn(io, path), text);
  } catch (error) {
    throw new ConfigError(
      `${path}: it cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)}).`,
      { option: 'output', cause: error },
    );
  }
}
