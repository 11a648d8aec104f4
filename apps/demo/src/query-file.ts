import { readFile } from 'node:fs/promises';
import { UsageError } from './usage-error.ts';

/** A line of a query file: a query, or what is wrong with it. */
export type QueryLine =
  | { readonly line: number; readonly query: string; readonly problem?: undefined }
  | { readonly line: number; readonly problem: string; readonly query?: undefined };

/** @throws UsageError when the file cannot be read or has no line. */
export async function readQueryFile(path: string): Promise<QueryLine[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new UsageError(`--file ${path}: ${reason}.`);
  }
  const lines = parseQueryLines(text);
  if (lines.length === 0)
    throw new UsageError(`--file ${path}: it has no queries. Write one per line: "text".`);
  return lines;
}

/** Reads JSON Lines, `"text"` or `{ "query": "text" }`. Blank lines are skipped and counted. */
export function parseQueryLines(text: string): QueryLine[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((each, index) => ({ each: each.trim(), line: index + 1 }))
    .filter(({ each }) => each !== '')
    .map(({ each, line }) => parseLine(each, line));
}

function parseLine(text: string, line: number): QueryLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { line, problem: 'not JSON' };
  }
  const query = typeof value === 'string' ? value : (value as { query?: unknown } | null)?.query;
  if (typeof query !== 'string') return { line, problem: 'neither a text nor an object with a "query"' };
  return query.trim() === '' ? { line, problem: 'the query is empty' } : { line, query };
}
