import type { ExchangePoint, Fault, FaultResponse } from './fault.ts';
import type { KnownError, WireError } from './provider-error.ts';

/** What can be said about an error answer. */
export interface ErrorAnswerOptions {
  /** `retry-after` in whole or fractional seconds, or any text (an HTTP date, nonsense). */
  readonly retryAfter?: number | string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An error answer with the provider's own body. */
function answerError(error: KnownError, { retryAfter, headers }: ErrorAnswerOptions = {}): Fault {
  const wait = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return { name: error, respond: { error, headers: { ...wait, ...headers } } };
}

/** The usual faults, by name. Each is plain data: see `Fault` for what can be changed and combined. */
export const faults = {
  /** Any status with any body and headers. A string body goes out as it is. */
  status(status: number, response: Omit<FaultResponse, 'status'> = {}): Fault {
    return { name: `status ${status}`, respond: { status, ...response } };
  },
  /** 429, slow down. */
  rateLimited: (options: ErrorAnswerOptions = {}): Fault => answerError('rate_limit_exceeded', options),
  /** 429, the account's money is used up: waiting does not help. */
  outOfQuota: (options: ErrorAnswerOptions = {}): Fault => answerError('insufficient_quota', options),
  /** 500. */
  serverError: (options: ErrorAnswerOptions = {}): Fault => answerError('server_error', options),
  /** 503. */
  overloaded: (options: ErrorAnswerOptions = {}): Fault => answerError('overloaded', options),
  /** Groq's 498: no capacity in this service tier. */
  capacityExceeded: (options: ErrorAnswerOptions = {}): Fault => answerError('capacity_exceeded', options),
  /** 401. */
  unauthorized: (options: ErrorAnswerOptions = {}): Fault => answerError('invalid_api_key', options),
  /** 403. */
  permissionDenied: (options: ErrorAnswerOptions = {}): Fault => answerError('permission_denied', options),
  /** 404. */
  modelNotFound: (options: ErrorAnswerOptions = {}): Fault => answerError('model_not_found', options),
  /** Groq's 400 for a model that has ended; OpenAI's 404. */
  modelDecommissioned: (options: ErrorAnswerOptions = {}): Fault =>
    answerError('model_decommissioned', options),
  /** 400, the prompt is too long. */
  contextLengthExceeded: (options: ErrorAnswerOptions = {}): Fault =>
    answerError('context_length_exceeded', options),
  /** 400, refused by the safety system. */
  contentPolicyViolation: (options: ErrorAnswerOptions = {}): Fault =>
    answerError('content_policy_violation', options),

  /** Status 200 with half a JSON document. */
  malformedJson: (): Fault =>
    answer200('malformed JSON', 'application/json', '{"id":"chatcmpl-broken","choices":[{"ind'),
  /** Status 200 with `{}`. */
  emptyObject: (): Fault => answer200('empty object', 'application/json', '{}'),
  /** Status 200 with a web page, as proxies and captive portals answer. */
  html: (): Fault =>
    answer200('HTML', 'text/html; charset=utf-8', '<!doctype html><title>Sign in</title><h1>Sign in</h1>'),

  /** The connection is dropped before the model is asked. Nothing is billed. */
  dropped: (): Fault => ({ name: 'dropped', cut: { at: 'arrival', how: 'reset' } }),
  /** The connection is reset (at first: before anything of the answer is sent). */
  reset: (at: ExchangePoint = 'headers'): Fault => ({ name: `reset at ${at}`, cut: { at, how: 'reset' } }),
  /** The stream is reset after so many content deltas. */
  resetAfter: (chunks: number): Fault => ({
    name: `reset after ${chunks}`,
    cut: { at: chunks, how: 'reset' },
  }),
  /** The stream ends after so many content deltas as if it were complete: no finish reason, no `[DONE]`. */
  endAfter: (chunks: number): Fault => ({ name: `end after ${chunks}`, cut: { at: chunks, how: 'end' } }),
  /** The socket is closed after so many content deltas, within the HTTP body. */
  hangUpAfter: (chunks: number): Fault => ({
    name: `hang-up after ${chunks}`,
    cut: { at: chunks, how: 'hang-up' },
  }),
  /** The body is shorter than its `content-length`. */
  shortBody: (): Fault => ({ name: 'short body', cut: { at: 'midway', how: 'hang-up' } }),
  /** Nothing comes any more from this point on, or for so many milliseconds. */
  stall: (at: ExchangePoint = 'headers', forMs?: number): Fault => ({
    name: `stall at ${at}`,
    cut: { at, how: 'stall', ...(forMs === undefined ? {} : { forMs }) },
  }),
  /** An error event in the stream after so many content deltas, in the provider's own shape. */
  errorAfter: (chunks: number, error: KnownError | WireError = 'server_error'): Fault => ({
    name: `error after ${chunks}`,
    cut: { at: chunks, how: 'error', error },
  }),

  /** The answer tells no usage. */
  missingUsage: (): Fault => ({ name: 'missing usage', omit: ['usage'] }),
  /** The answer has no finish reason. */
  missingFinishReason: (): Fault => ({ name: 'missing finish reason', omit: ['finish-reason'] }),
  /** The stream ends without `[DONE]`. */
  missingDone: (): Fault => ({ name: 'missing [DONE]', omit: ['done'] }),

  /** So many keep-alive comments before each content delta. */
  keepAlives: (comments = 1): Fault => ({ name: 'keep-alives', noise: { comments } }),
  /** So many deltas without content before each one with content. */
  emptyDeltas: (emptyDeltas = 1): Fault => ({ name: 'empty deltas', noise: { emptyDeltas } }),
  /** The body drips: so many bytes at a time, so many milliseconds apart. */
  drip: (bytes = 7, everyMs = 1): Fault => ({ name: 'drip', drip: { bytes, everyMs } }),
} as const;

function answer200(name: string, contentType: string, body: string): Fault {
  return { name, respond: { status: 200, headers: { 'content-type': contentType }, body } };
}
