import type { Style, Terminal } from './terminal.ts';
import { clip, displayWidth, pad } from './text.ts';

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right' | undefined;
  /** In terminal columns. @default as wide as its widest cell */
  readonly width?: number | undefined;
  /** Gives way when the terminal is too narrow. @default only the last one does */
  readonly flexible?: boolean | undefined;
}

/** What stands in a cell: text, or text in a style. */
export type Cell = string | { readonly text: string; readonly style: Style };

const gap = '  ';
const narrowest = 8;

/** A table that is printed row by row; what is too wide is cut. Its columns are fixed, so rows may come while things happen. */
export class Table {
  readonly #terminal: Terminal;
  readonly #columns: readonly (Column & { readonly width: number })[];

  /** Prints the titles. `rows`: what columns without a width are measured by. */
  constructor(terminal: Terminal, columns: readonly Column[], rows: readonly (readonly Cell[])[] = []) {
    this.#terminal = terminal;
    this.#columns = fit(columns, rows, terminal.columns);
    this.row(this.#columns.map(({ title }) => ({ text: title, style: 'dim' })));
  }

  row(cells: readonly Cell[]): void {
    const texts = this.#columns.map(({ width, align }, index) => {
      const cell = cells[index] ?? '';
      const { text, style } = typeof cell === 'string' ? { text: cell, style: undefined } : cell;
      const clipped = clip(text, width);
      if (style === undefined) return pad(clipped, width, align);
      // Only the text is painted: padding has no colour, and goes where it ends a line.
      const painted = this.#terminal.paint(style, clipped);
      return pad(clipped, width, align).replace(clipped, () => painted);
    });
    this.#terminal.line(gap + texts.join(gap));
  }
}

/** Prints a whole table. */
export function printTable(
  terminal: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): void {
  const table = new Table(terminal, columns, rows);
  for (const row of rows) table.row(row);
}

/** Gives every column its width; one of them gives way when all together are too wide. */
function fit(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  limit: number,
): (Column & { readonly width: number })[] {
  const fitted = columns.map((column, index) => {
    const texts = [column.title, ...rows.map((row) => textOf(row[index]))];
    return { ...column, width: column.width ?? Math.max(...texts.map(displayWidth)) };
  });
  const excess = fitted.reduce((sum, { width }) => sum + gap.length + width, -limit);
  if (excess <= 0) return fitted;
  const named = columns.findIndex(({ flexible }) => flexible);
  const yielding = named === -1 ? columns.length - 1 : named;
  return fitted.map((column, index) =>
    index === yielding ? { ...column, width: Math.max(narrowest, column.width - excess) } : column,
  );
}

function textOf(cell: Cell = ''): string {
  return typeof cell === 'string' ? cell : cell.text;
}
