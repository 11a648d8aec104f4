import type { CliStream } from './io.ts';

// Taken when this is loaded: a case may leave others in their place.
const { setImmediate, clearImmediate } = globalThis;

/** Longer texts are not kept back, in characters. */
const enough = 16_384;

/**
 * Writes texts that come close together as one: a thousand cases that end in one turn of the event loop are one write.
 * Nothing is kept longer than that turn.
 */
export class BatchedOutput {
  readonly #stream: CliStream;
  #text = '';
  #scheduled: NodeJS.Immediate | undefined;
  #isMidLine = false;

  constructor(stream: CliStream) {
    this.#stream = stream;
  }

  /** Somebody else wrote on the same stream. @param end how that ended: what follows begins on a line of its own. */
  others(end: string): void {
    if (end !== '') this.#isMidLine = end !== '\n';
  }

  write(text: string): void {
    if (this.#isMidLine) this.#text += '\n';
    this.#isMidLine = false;
    this.#text += text;
    if (this.#text.length >= enough) this.flush();
    else this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** Writes what there is, before somebody else writes. */
  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#stream.write(text);
  }
}
