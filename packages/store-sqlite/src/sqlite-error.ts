import { LedgerError } from '@synapsekit/core';

/** Primary result codes of SQLite. @see https://sqlite.org/rescode.html */
const codes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notADatabase: 26,
} as const;

/** The primary result code of an error of `node:sqlite`, or undefined for any other error. */
function codeOf(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Somebody else holds a lock: asking again soon helps. */
export function isLocked(error: unknown): boolean {
  const code = codeOf(error);
  return code === codes.busy || code === codes.locked || code === codes.protocol;
}

/** The file cannot be written to. */
export function isReadOnly(error: unknown): boolean {
  return codeOf(error) === codes.readOnly;
}

/** The file cannot even be opened. */
export function isUnopenable(error: unknown): boolean {
  return codeOf(error) === codes.cannotOpen;
}

/** What is in the file is no database at all. */
export function isNotADatabase(error: unknown): boolean {
  return codeOf(error) === codes.notADatabase;
}

/** What is in the file is no sound database. */
export function isCorrupt(error: unknown): boolean {
  return codeOf(error) === codes.corrupt;
}

/** An error of SQLite in words that help. Nothing of the transaction was booked. */
export function toLedgerError(error: unknown, path: string): LedgerError {
  if (error instanceof LedgerError) return error;
  const because = error instanceof Error ? error.message : String(error);
  const failed = (what: string, transient: boolean): LedgerError =>
    new LedgerError(`The ledger ${path} ${what} Nothing was booked by this request. (${because})`, {
      transient,
      cause: error,
    });
  switch (codeOf(error)) {
    case codes.full:
      return failed('could not be written: the disk is full. Make room, then ask again.', true);
    case codes.readOnly:
      return failed('cannot be written: it is read-only now. Check its permissions and its disk.', true);
    case codes.ioError:
    case codes.cannotOpen:
      return failed('could not be read or written. Check its disk.', true);
    case codes.corrupt:
    case codes.notADatabase:
      return failed('is damaged. Nothing is overwritten; restore it from a copy, or move it away.', false);
    default:
      return failed('could not carry out a request.', true);
  }
}
