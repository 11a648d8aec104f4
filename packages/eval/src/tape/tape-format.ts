import { ConfigError } from '@synapsekit/core';
import { compareEntries, entryId, type TapeEntry, tapeVersion } from './tape-entry.ts';

/** A line that says what the file is, and one line for each entry. */
export function formatTape(entries: Iterable<TapeEntry>): string {
  const lines = [...entries].sort(compareEntries).map(formatEntry);
  return `${[JSON.stringify({ tape: 'synapsekit', version: tapeVersion }), ...lines].join('\n')}\n`;
}

/** Members in the order in which people read them. */
function formatEntry(entry: TapeEntry): string {
  const { suite, case: name, trial, role, occurrence, key, recordedAt, request, answer } = entry;
  return JSON.stringify({ suite, case: name, trial, role, occurrence, key, recordedAt, request, answer });
}

/**
 * Reads a tape.
 *
 * @param path names it in messages.
 * @throws ConfigError with the line that cannot be read.
 */
export function parseTape(text: string, path: string): readonly TapeEntry[] {
  const entries: TapeEntry[] = [];
  const known = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  let begun = false;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const broken = (why: string): ConfigError =>
      new ConfigError(
        `${path}:${index + 1}: the tape is broken: ${why}. Take the file back from version control, or delete the line and record what it held again.`,
        { option: 'tape' },
      );
    const value = parseLine(line, broken);
    if (!begun) {
      checkHeader(value, broken);
      begun = true;
      continue;
    }
    const entry = readEntry(value, broken);
    const id = entryId(entry);
    const earlier = known.get(id);
    if (earlier !== undefined)
      throw broken(`it says the same as line ${earlier}, as a merge of two tapes does`);
    known.set(id, index + 1);
    entries.push(entry);
  }
  return entries;
}

type Broken = (why: string) => ConfigError;

function parseLine(line: string, broken: Broken): Record<string, unknown> {
  if (/^(<{7}|={7}|>{7})/.test(line)) throw broken('a conflict of a merge is in it');
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    // What V8 says of broken JSON quotes it, and it holds prompts.
    const place = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw broken(`no valid JSON${place === undefined ? '' : ` (column ${Number(place) + 1})`}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken('no JSON object');
  return value as Record<string, unknown>;
}

function checkHeader(value: Record<string, unknown>, broken: Broken): void {
  if (value.tape !== 'synapsekit')
    throw broken('its first line does not say that it is a tape of synapsekit');
  if (value.version === tapeVersion) return;
  throw broken(
    `it has version ${String(value.version)}, and this version of @synapsekit/eval reads ${tapeVersion}; update it`,
  );
}

function readEntry(value: Record<string, unknown>, broken: Broken): TapeEntry {
  const { suite, case: name, trial, role, occurrence, key, recordedAt, request, answer } = value;
  const check = (holds: boolean, field: string): void => {
    if (!holds) throw broken(`"${field}" is missing or makes no sense`);
  };
  const isText = (each: unknown): boolean => typeof each === 'string';
  const isCount = (each: unknown): boolean => Number.isSafeInteger(each) && (each as number) >= 0;
  check(suite === undefined || isText(suite), 'suite');
  check(name === undefined || isText(name), 'case');
  check(isCount(trial), 'trial');
  check(role === 'load' || role === 'case' || role === 'judge', 'role');
  check(isCount(occurrence), 'occurrence');
  check(isText(key), 'key');
  check(isText(recordedAt) && !Number.isNaN(Date.parse(String(recordedAt))), 'recordedAt');
  const { method, host, path } = Object(request) as Record<string, unknown>;
  check(isText(method) && isText(host) && isText(path), 'request');
  const told = Object(answer) as Record<string, unknown>;
  check(typeof told.afterMs === 'number', 'answer.afterMs');
  check(isEnd(told.end), 'answer.end');
  if (told.status === undefined) {
    check(told.end !== 'complete', 'answer.status');
  } else {
    const { status, headers, chunks } = told;
    check(Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599, 'answer.status');
    check(
      typeof headers === 'object' && headers !== null && Object.values(headers).every(isText),
      'answer.headers',
    );
    check(Array.isArray(chunks) && chunks.every(isChunk), 'answer.chunks');
    check(told.encoding === undefined || told.encoding === 'base64', 'answer.encoding');
  }
  return value as unknown as TapeEntry;
}

function isEnd(end: unknown): boolean {
  if (end === 'complete' || end === 'left') return true;
  const { name, message } = Object(end) as Record<string, unknown>;
  return typeof name === 'string' && typeof message === 'string';
}

function isChunk(chunk: unknown): boolean {
  return (
    Array.isArray(chunk) && chunk.length === 2 && typeof chunk[0] === 'number' && typeof chunk[1] === 'string'
  );
}
