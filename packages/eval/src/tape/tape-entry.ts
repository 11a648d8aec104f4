/** Version of the lines of a tape. */
export const tapeVersion = 1;

/** Whose request it was. */
export interface TapeScope {
  readonly suite?: string | undefined;
  /** Name of the case; absent for requests that loading the file made, and of metrics on the whole suite. */
  readonly case?: string | undefined;
  /** Which run of the case, from 0. */
  readonly trial: number;
  readonly role: 'load' | 'case' | 'judge';
}

/** A request as it is kept. */
export interface TapedRequest {
  readonly method: string;
  /** For people: requests are told apart by all else. */
  readonly host: string;
  /** Path and query, without credentials. */
  readonly path: string;
  /** JSON, its keys in order; the text itself for anything else. */
  readonly body?: unknown;
  /** Instead of a body that is long or no text. */
  readonly bodySha256?: string | undefined;
}

/** A piece of a body: after how many milliseconds, and what. */
export type TapedChunk = readonly [afterMs: number, data: string];

/** An error of the connection. */
export interface TapedError {
  readonly name: string;
  readonly message: string;
  /** Of its cause: `"ECONNRESET"`, `"UND_ERR_SOCKET"`. */
  readonly code?: string | undefined;
  readonly causeName?: string | undefined;
  readonly causeMessage?: string | undefined;
}

/** How an answer ended: in full; its client left first; the connection broke. */
export type TapedEnd = 'complete' | 'left' | TapedError;

/** An answer as it is kept: as it came, faults too. */
export interface TapedAnswer {
  readonly status: number;
  readonly statusText?: string | undefined;
  /** Those of the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds from sending to the headers. */
  readonly afterMs: number;
  readonly chunks: readonly TapedChunk[];
  /** How chunks are written that are no text. */
  readonly encoding?: 'base64' | undefined;
  readonly end: TapedEnd;
}

/** No answer came: the connection failed, or the client left before. */
export interface TapedSilence {
  readonly afterMs: number;
  readonly end: 'left' | TapedError;
}

/** One line of a tape: a request and what came of it. */
export interface TapeEntry extends TapeScope {
  /** Tells requests apart: a hash of method, path and body. */
  readonly key: string;
  /** Which of the requests of this key within the trial, from 0. */
  readonly occurrence: number;
  /** ISO 8601. */
  readonly recordedAt: string;
  readonly request: TapedRequest;
  readonly answer: TapedAnswer | TapedSilence;
}

/** The scope as a text: a key of maps. */
export function scopeId({ suite = '', case: name, trial, role }: TapeScope): string {
  return JSON.stringify([suite, name ?? null, trial, role]);
}

/** The trial of a scope, its judges included. */
export function trialId({ suite = '', case: name, trial, role }: TapeScope): string {
  return JSON.stringify([suite, name ?? [role], trial]);
}

/** What identifies a line of a tape. */
export function entryId(entry: TapeEntry): string {
  return `${scopeId(entry)} ${entry.key} ${entry.occurrence}`;
}

/** Whose it is, for people. */
export function whoseOf({ suite, case: name, trial, role }: TapeScope): string {
  if (name !== undefined) return `the case "${name}" (trial ${trial})`;
  if (role === 'load') return 'loading the file';
  return suite === undefined ? 'the metrics on the suite' : `the metrics on the suite "${suite}"`;
}

/** The order of lines: it does not depend on who was faster, so that a tape can be compared with an earlier one. */
export function compareEntries(a: TapeEntry, b: TapeEntry): number {
  return (
    compare(a.suite ?? '', b.suite ?? '') ||
    compare(a.case ?? '', b.case ?? '') ||
    a.trial - b.trial ||
    compare(a.role, b.role) ||
    compare(a.request.path, b.request.path) ||
    compare(a.key, b.key) ||
    a.occurrence - b.occurrence
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
