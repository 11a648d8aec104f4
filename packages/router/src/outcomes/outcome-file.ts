import { type FileHandle, open } from 'node:fs/promises';
import { ConfigError } from '@synapsekit/core';
import { jsonPrompt } from './json-prompt.ts';
import type { OutcomeRow } from './outcome.ts';
import { checkOutcomeRow } from './parse-outcome.ts';

/**
 * Appends rows to an outcomes file (plain JSON lines), each as one whole line, in the order in which they were given,
 * whoever else appends meanwhile. The file is made with the first row; prompts and answers go to it as they are, pictures
 * that are bytes as `data:` URLs. A last line that was left without an end stays a line of its own.
 */
export class OutcomeFile {
  readonly path: string;
  #next: { readonly lines: string[]; readonly written: Promise<void> } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws ConfigError for what is no path. */
  constructor(path: string) {
    if (typeof path !== 'string' || path === '') {
      throw new ConfigError("OutcomeFile needs a path: new OutcomeFile('outcomes.jsonl').", {
        option: 'path',
      });
    }
    this.path = path;
  }

  /**
   * Appends a row. Resolves when it is written.
   *
   * @throws OutcomesError for what is no row; the file system's own error when it cannot be written.
   */
  async append(row: OutcomeRow): Promise<void> {
    const checked = checkOutcomeRow(row);
    const line = `${JSON.stringify({ ...checked, prompt: jsonPrompt(checked.prompt) })}\n`;
    if (this.#next !== undefined) this.#next.lines.push(line);
    else this.#next = this.#begin([line]);
    await this.#next.written;
  }

  /** Rows that come while others are being written go together into the next write. */
  #begin(lines: string[]): { readonly lines: string[]; readonly written: Promise<void> } {
    const written = this.#last.then(async () => {
      this.#next = undefined;
      const file = await open(this.path, 'a+');
      try {
        await file.writeFile(`${(await endsInLine(file)) ? '\n' : ''}${lines.join('')}`);
      } finally {
        await file.close();
      }
    });
    this.#last = written.catch(() => {});
    return { lines, written };
  }
}

/** True where the last line has no end: a file made by hand, or a process that was killed while it wrote. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return bytesRead === 1 && buffer[0] !== newline;
}

const newline = 0x0a;
