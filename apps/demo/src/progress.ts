import type { Terminal } from './terminal.ts';

/** A line at the foot of a terminal that says how far things are. Prints nothing where nobody watches. */
export class Progress {
  readonly #terminal: Terminal;
  #shown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    if (!this.#terminal.isTTY) return;
    this.#terminal.write(`\r\u001b[2K${this.#terminal.paint('dim', text)}`);
    this.#shown = true;
  }

  /** Makes room for other lines. */
  clear(): void {
    if (this.#shown) this.#terminal.write('\r\u001b[2K');
    this.#shown = false;
  }
}
