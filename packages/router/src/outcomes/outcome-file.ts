import { open } from 'node:fs/promises';
import type { OutcomeRow } from './outcome.ts';
import { checkOutcomeRow } from './parse-outcome.ts';

/**
 * Appends rows to an outcomes file (plain JSON lines), each as one whole line, in the order in which they were given,
 * whoever else appends meanwhile. The file is made with the first row; prompts and answers go to it as they are.
 */
export class OutcomeFile {
  readonly path: string;
  #next: { readonly lines: string[]; readonly written: Promise<void> } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Appends a row. Resolves when it is written.
   *
   * @throws OutcomesError for what is no row; the file system's own error when it cannot be written.
   */
  async append(row: OutcomeRow): Promise<void> {
    const line = `${JSON.stringify(checkOutcomeRow(row))}\n`;
    if (this.#next !== undefined) this.#next.lines.push(line);
    else this.#next = this.#begin([line]);
    await this.#next.written;
  }

  /** Rows that come while others are being written go together into the next write. */
  #begin(lines: string[]): { readonly lines: string[]; readonly written: Promise<void> } {
    const written = this.#last.then(async () => {
      this.#next = undefined;
      const file = await open(this.path, 'a');
      try {
        await file.writeFile(lines.join(''));
      } finally {
        await file.close();
      }
    });
    this.#last = written.catch(() => {});
    return { lines, written };
  }
}
