import type { KnownError, WireError } from './provider-error.ts';

/** Answers with this instead of what the model says. The model is not asked, so nothing is billed. */
export interface FaultResponse {
  /** @default the status of `error`, else 200 */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Body in the provider's own error shape: a known error by name, or the facts of any other. */
  readonly error?: KnownError | WireError | undefined;
  /** Any other body; a string goes out as it is, everything else as JSON. @default the error, else nothing */
  readonly body?: unknown;
}

/**
 * A moment of an exchange.
 *
 * - `"arrival"`: before the model is asked; nothing is billed.
 * - `"headers"`: the model has answered, nothing of the answer is sent.
 * - `"content"`: status and headers are sent (and the empty first delta of a stream), no content.
 * - `"midway"`: half of the content is sent.
 * - a number: so many content deltas of a stream are sent, or all where there are fewer. An answer in one piece
 *   knows only none (0) and half (more).
 */
export type ExchangePoint = 'arrival' | 'headers' | 'content' | 'midway' | number;

/** Breaks an exchange off, or holds it up. */
export interface FaultCut {
  readonly at: ExchangePoint;
  /**
   * - `"reset"`: TCP reset.
   * - `"hang-up"`: the socket is closed before the HTTP body is complete.
   * - `"end"`: the HTTP body ends properly, the rest of the stream is missing. In an answer in one piece, a hang-up.
   * - `"error"`: an error event in the stream, which then ends. An answer in one piece becomes the error itself.
   * - `"stall"`: nothing more comes, the connection stays open.
   */
  readonly how: 'reset' | 'hang-up' | 'end' | 'error' | 'stall';
  /** The error of `"error"`. @default "server_error" */
  readonly error?: KnownError | WireError | undefined;
  /** Go on after a stall of so many milliseconds. @default never: until the client leaves */
  readonly forMs?: number | undefined;
}

/**
 * What goes wrong in one exchange, as plain data. Members combine: `{ ...faults.keepAlives(2), ...faults.resetAfter(3) }`.
 * `faults` has the usual ones by name.
 */
export interface Fault {
  /** Shown in `SimulatedRequest.fault`. */
  readonly name?: string | undefined;
  /** Answer with something else, in one piece. */
  readonly respond?: FaultResponse | undefined;
  /** Break off or hold up. */
  readonly cut?: FaultCut | undefined;
  /** Leave parts of a proper answer out. They are billed all the same. */
  readonly omit?: readonly OmittedPart[] | undefined;
  /** Before each content delta of a stream, send so many keep-alive comments and deltas without content. */
  readonly noise?: { readonly comments?: number; readonly emptyDeltas?: number } | undefined;
  /** Send the body in pieces of so many bytes, so many milliseconds apart. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number } | undefined;
  /** More headers for a proper answer. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A part of an answer that a fault can leave out: all usage figures, the finish reason, the final `[DONE]`. */
export type OmittedPart = 'usage' | 'finish-reason' | 'done';
