import { util } from './node-builtins.ts';

/** One cell of a table. */
export interface Cell {
  readonly text: string;
  readonly align?: 'left' | 'right';
  readonly style?: 'red' | 'yellow';
}

/** Text of others, such as a key, with its control characters written out: it must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return character === '\n' ? '\\n' : `\\u${code}`;
  });
}

/** A table for a terminal or a pipe: columns as wide as they need to be, two spaces between them. */
export function formatRows(
  head: readonly string[],
  given: readonly (readonly Cell[])[],
  color: boolean,
): string {
  const rows = given.map((row) => row.map((cell) => ({ ...cell, text: printable(cell.text) })));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.text.length ?? 0)),
  );
  const paint = (style: 'red' | 'yellow' | 'dim', text: string): string =>
    color ? util.styleText(style, text, { validateStream: false }) : text;
  const format = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, align, style }, column) => {
        const width = widths[column] ?? 0;
        const padded = align === 'right' ? text.padStart(width) : text.padEnd(width);
        return style === undefined ? padded : paint(style, padded);
      })
      .join('  ')
      .trimEnd();
  const titles = head.map((text, column): Cell => ({ text, align: rows[0]?.[column]?.align ?? 'left' }));
  return `${[paint('dim', format(titles)), ...rows.map(format)].join('\n')}\n`;
}
