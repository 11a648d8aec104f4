import { fileURLToPath } from 'node:url';
import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { checkRow, type DatasetOptions, unreadable } from './dataset-lines.ts';
import { fs } from './node-builtins.ts';
import { shownPath } from './source-position.ts';

/** How a CSV file is read. */
export interface CsvOptions<Row> extends DatasetOptions<Row> {
  /** What stands between two fields. @default "," */
  readonly delimiter?: string | undefined;
}

/**
 * The rows of a CSV file (RFC 4180) as objects of texts, by the names in its first line. Numbers stay texts: a schema
 * that coerces makes them numbers.
 *
 * ```ts
 * import { csv, evalCase } from '@synapsekit/eval';
 *
 * const rows = csv<{ a: string; b: string; sum: string }>(new URL('sums.csv', import.meta.url));
 * export const sums = await evalCase.each(rows)('$a + $b', ({ a, b, sum }, { expect }) => {
 *   expect(Number(a) + Number(b)).toBe(Number(sum));
 * });
 * ```
 *
 * @param path from the working folder, or a `file:` URL.
 * @throws ConfigError, when it is read: for a row with too few or too many fields, an open quote, two columns of one
 *   name, or a row that does not fit the schema, with its line.
 */
export async function* csv<Row = Record<string, string>>(
  path: string | URL,
  options: CsvOptions<Row> = {},
): AsyncGenerator<Row, void, undefined> {
  rejectUnknownKeys(options, ['schema', 'limit', 'delimiter'], 'options of csv');
  const { schema, limit, delimiter = ',' } = options;
  if (limit !== undefined) requireNumber(limit, 'limit', { integer: true, min: 1 });
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const { parse } = await import('csv-parse');
  const parser = parse({
    bom: true,
    columns: (names: string[]) => checkColumns(names, file),
    delimiter,
    info: true,
    skip_empty_lines: true,
    ...(limit !== undefined && { to: limit }),
  });
  const stream = fs.createReadStream(file);
  let failure: unknown;
  stream.on('error', (error) => {
    failure = error;
    parser.destroy(error);
  });
  stream.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      yield await checkRow(record, schema, { path: file, line: info.lines });
    }
  } catch (error) {
    if (failure !== undefined) throw unreadable(file, failure);
    throw broken(error, file);
  } finally {
    stream.destroy();
  }
}

interface CsvRecord {
  readonly record: unknown;
  readonly info: { readonly lines: number };
}

function checkColumns(names: readonly string[], file: string): string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ConfigError(
      `${shownPath(file)}:1: two columns are called "${twice}": the first would be lost.`,
      {
        option: 'path',
      },
    );
  }
  if (names.some((name) => name.trim() === '')) {
    throw new ConfigError(
      `${shownPath(file)}:1: a column has no name. The first line must name all of them.`,
      {
        option: 'path',
      },
    );
  }
  return [...names];
}

/** What the parser says, with the place in front of it. */
function broken(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !String(Reflect.get(error, 'code')).startsWith('CSV_')) return error;
  const line: unknown = Reflect.get(error, 'lines');
  return new ConfigError(`${shownPath(file)}:${line}: ${error.message.replace(/\.$/, '')}.`, {
    option: 'path',
  });
}
