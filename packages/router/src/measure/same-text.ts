/**
 * Rows by their text. A traffic log holds a query once for each time it was asked: such rows are one draw, not several, and
 * what has seen one of them has seen them all.
 */
export interface TextGroups {
  /** How many different texts there are. */
  readonly count: number;
  /** The text of each row, numbered in the order of their first rows. */
  readonly of: Int32Array;
  /** The first row of each text. */
  readonly first: Int32Array;
}

/** Puts rows with the very same text together. Where no text stands twice, a row's text has the row's number. */
export function textGroups(texts: readonly string[]): TextGroups {
  const numbers = new Map<string, number>();
  const of = new Int32Array(texts.length);
  const first: number[] = [];
  for (const [row, text] of texts.entries()) {
    let number = numbers.get(text);
    if (number === undefined) {
      number = first.length;
      numbers.set(text, number);
      first.push(row);
    }
    of[row] = number;
  }
  return { count: first.length, of, first: Int32Array.from(first) };
}

/** The mean of a column over the rows of each text. */
export function textMeans({ count, of }: TextGroups, column: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(count);
  const rows = new Int32Array(count);
  for (const [row, text] of of.entries()) {
    sums[text] = (sums[text] as number) + (column[row] as number);
    rows[text] = (rows[text] as number) + 1;
  }
  return sums.map((sum, text) => sum / (rows[text] as number));
}

/** Whole texts dealt out in turn, in the order in which their first rows stand in `order`. The part of each row. */
export function dealTexts(
  { count, of, first }: TextGroups,
  order: Iterable<number>,
  parts: number,
): Int32Array {
  const partOf = new Int32Array(count);
  let place = 0;
  for (const row of order) {
    const text = of[row] as number;
    if (first[text] === row) partOf[text] = place++ % parts;
  }
  return of.map((text) => partOf[text] as number);
}
