import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { createGunzip } from 'node:zlib';
import { rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { OutcomeRow } from './outcome.ts';
import { OutcomesError } from './outcomes-error.ts';
import { type ParseOptions, parseOutcomeRow } from './parse-outcome.ts';

/** Options of `readOutcomes`. */
export interface ReadOutcomesOptions extends ParseOptions {
  /** Stops reading. */
  readonly signal?: AbortSignal | undefined;
}

const newline = 0x0a;
/** A line that is longer than this is no line, but a file of another kind. */
const maxLineBytes = 256 * 1024 * 1024;

/**
 * Reads an outcomes file: JSON lines, gzipped or not (told by its content). Empty lines are passed over. Lines with the
 * same id are one row: feedback on another model, or a corrected score, comes later; the later outcome of a model counts.
 *
 * @throws OutcomesError naming file and line, for a file that cannot be read, a line that is no row, an id that stands
 *   for two prompts, and a file without rows.
 * @throws `signal.reason` when the signal aborts.
 */
export async function readOutcomes(path: string, options: ReadOutcomesOptions = {}): Promise<OutcomeRow[]> {
  rejectUnknownKeys(options, ['maxScore', 'responses', 'signal'], 'readOutcomes');
  const { maxScore = 1, responses = true, signal } = options;
  requireNumber(maxScore, 'maxScore', { above: 0 });
  const rows = new Map<string, OutcomeRow>();
  let line = 0;
  const take = (text: string): void => {
    line++;
    const trimmed = (line === 1 ? text.replace(/^\uFEFF/, '') : text).trim();
    if (trimmed === '') return;
    const row = parseOutcomeRow(trimmed, { maxScore, responses }, { file: path, line });
    const before = rows.get(row.id);
    if (before === undefined) {
      rows.set(row.id, row);
      return;
    }
    if (!isDeepStrictEqual(before.prompt, row.prompt)) {
      throw new OutcomesError('malformed', `the id "${row.id}" stands for another prompt further up.`, {
        file: path,
        line,
      });
    }
    rows.set(row.id, { ...before, ...row, outcomes: { ...before.outcomes, ...row.outcomes } });
  };
  try {
    await readLines(path, take, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof OutcomesError) throw error;
    throw new OutcomesError('unreadable', `it cannot be read: ${reason(error)}.`, {
      file: path,
      cause: error,
    });
  }
  if (rows.size === 0) {
    throw new OutcomesError('empty', 'there is no row in it. Log outcomes first: one JSON object a line.', {
      file: path,
    });
  }
  return [...rows.values()];
}

async function readLines(
  path: string,
  take: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const zipped = await isGzip(path);
  const source = createReadStream(path, { highWaterMark: 1 << 18 });
  const sink = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    let rest: Buffer[] = [];
    let restBytes = 0;
    for await (const chunk of chunks) {
      let from = 0;
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
        rest.push(chunk.subarray(from, at));
        take(Buffer.concat(rest).toString('utf8'));
        rest = [];
        restBytes = 0;
        from = at + 1;
      }
      if (from === chunk.length) continue;
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > maxLineBytes) throw new Error(`a line of more than ${maxLineBytes} bytes`);
    }
    if (rest.length > 0) take(Buffer.concat(rest).toString('utf8'));
  };
  const options = signal === undefined ? {} : { signal };
  if (zipped) await pipeline(source, createGunzip(), sink, options);
  else await pipeline(source, sink, options);
}

async function isGzip(path: string): Promise<boolean> {
  for await (const chunk of createReadStream(path, { start: 0, end: 1 })) {
    const [first, second] = chunk as Buffer;
    return first === 0x1f && second === 0x8b;
  }
  return false;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code?.startsWith('Z_') === true) return `its gzip data is broken or cut off (${code})`;
  return error.message;
}
