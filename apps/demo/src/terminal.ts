import { styleText } from 'node:util';
import { wrapText } from './text.ts';

/** A style by the names of `node:util`'s `styleText`. */
export type Style = Parameters<typeof styleText>[0];

/** Where text goes: a stream of the process, a buffer, or nowhere. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** No line is wider: that is comfortable to read, and fits beside an editor. */
const maxColumns = 100;
const minColumns = 60;

/** Whether colours are wanted: on a terminal that has them, unless `NO_COLOR`; anywhere with `FORCE_COLOR`. */
export function wantsColor(sink: Sink, env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = env;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  if (refused !== undefined && refused !== '') return false;
  return sink.isTTY === true && terminal !== 'dumb';
}

/** Prints for people: coloured where colours are wanted, plain everywhere else. */
export class Terminal {
  readonly color: boolean;
  readonly columns: number;
  readonly isTTY: boolean;
  readonly #sink: Sink;

  constructor(sink: Sink, env: NodeJS.ProcessEnv = {}) {
    this.#sink = sink;
    this.color = wantsColor(sink, env);
    this.isTTY = sink.isTTY === true;
    this.columns = Math.min(maxColumns, Math.max(minColumns, sink.columns ?? maxColumns));
  }

  /** A terminal that nobody sees. */
  static silent(): Terminal {
    return new Terminal({ write() {} });
  }

  paint(style: Style, text: string): string {
    return this.color && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Text as it is, without an end of line. */
  write(text: string): void {
    this.#sink.write(text);
  }

  line(text = ''): void {
    this.#sink.write(`${text.trimEnd()}\n`);
  }

  /** The title of a chapter, with a rule below it. */
  heading(title: string): void {
    this.line();
    this.line(this.paint('bold', title));
    this.line(this.paint('dim', '─'.repeat(this.columns)));
  }

  /** Calm prose, wrapped. */
  prose(text: string, style: Style = 'reset'): void {
    for (const each of wrapText(text, this.columns - 2)) this.line(`  ${this.paint(style, each)}`);
  }
}
