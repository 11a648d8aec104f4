import { fileURLToPath } from 'node:url';
import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { checkRow, type DatasetOptions, unreadable } from './dataset-lines.ts';
import { fs } from './node-builtins.ts';
import { shownPath } from './source-position.ts';

/**
 * The rows of a JSON Lines file: one JSON value a line, empty lines left out. Read line by line, so that its size does
 * not matter.
 *
 * ```ts
 * import { evalCase, jsonl } from '@synapsekit/eval';
 *
 * const rows = jsonl<{ question: string; answer: string }>(new URL('capitals.jsonl', import.meta.url));
 * export const capitals = await evalCase.each(rows)('$question', ({ question, answer }, { expect }) => {
 *   expect(question).toContain(answer);
 * });
 * ```
 *
 * @param path from the working folder, or a `file:` URL.
 * @throws ConfigError, when it is read: for a line that is no JSON or does not fit the schema, with its number.
 */
export async function* jsonl<Row = Record<string, unknown>>(
  path: string | URL,
  options: DatasetOptions<Row> = {},
): AsyncGenerator<Row, void, undefined> {
  rejectUnknownKeys(options, ['schema', 'limit'], 'options of jsonl');
  const { schema, limit = Number.POSITIVE_INFINITY } = options;
  if (limit !== Number.POSITIVE_INFINITY) requireNumber(limit, 'limit', { integer: true, min: 1 });
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const { createInterface } = await import('node:readline');
  const stream = fs.createReadStream(file, 'utf8');
  let failure: unknown;
  stream.on('error', (error) => {
    failure = error;
  });
  let line = 0;
  let rows = 0;
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      line++;
      const json = line === 1 ? text.replace(/^\uFEFF/, '') : text;
      if (json.trim() === '') continue;
      if (rows++ >= limit) break;
      yield await checkRow(parse(json, file, line), schema, { path: file, line });
    }
  } catch (error) {
    throw failure === undefined ? error : unreadable(file, failure);
  } finally {
    stream.destroy();
  }
  if (failure !== undefined) throw unreadable(file, failure);
}

function parse(json: string, path: string, line: number): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const shown = json.length > 80 ? `${json.slice(0, 80)}…` : json;
    throw new ConfigError(`${shownPath(path)}:${line}: this line is no JSON (${why}): ${shown}`, {
      option: 'path',
    });
  }
}
