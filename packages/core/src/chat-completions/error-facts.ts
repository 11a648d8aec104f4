import { isNetworkError } from '../failure-rules.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import type { HeaderReader } from './retry-after.ts';
import { WireFailure } from './wire-failure.ts';

/** What an error says, whoever threw it. Only `message` may hold what users wrote: it is never shown as it is. */
export interface ErrorFacts {
  /** HTTP status, or one that an in-band error names. */
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  readonly message: string;
  readonly headers?: HeaderReader | undefined;
  /**
   * - `"status"`: the provider answered with an error status.
   * - `"in-band"`: it answered with an error under status 200.
   * - `"connection"`: there was no answer, or it broke off.
   * - `"other"`: neither came from a provider nor from the network.
   */
  readonly origin: 'status' | 'in-band' | 'connection' | 'other';
}

/**
 * Reads any error of the official SDKs. By shape, not by class or name: names die in minified bundles, and each
 * installed copy of an SDK has classes of its own. Total: survives hostile errors.
 *
 * openai puts the inner error object on `error`; groq-sdk the whole body, except for in-band errors.
 */
export function readErrorFacts(error: unknown): ErrorFacts {
  if (error instanceof WireFailure) {
    return error.reason === 'in-band'
      ? inBand(error.body ?? {}, undefined)
      : { message: '', origin: 'other' };
  }
  const thrown = asObject(error);
  if (thrown === undefined) return { message: '', origin: 'other' };
  const { status, body, headers, isApiError } = read(thrown);
  if (typeof status === 'number') {
    return { ...bodyFacts(body), ...(headers && { headers }), status, origin: 'status' };
  }
  if (body !== undefined) return inBand({ error: body }, headers);
  return { message: '', origin: isApiError || isNetworkError(error) ? 'connection' : 'other' };
}

/** The first error code along the chain of causes: `"ECONNREFUSED"`, `"UND_ERR_SOCKET"`. */
export function networkCode(error: unknown): string | undefined {
  // Deep enough for every SDK; bounded, since chains may be cyclic.
  let cause: unknown = error;
  for (let depth = 0; depth < 10; depth++) {
    const link = asObject(cause);
    if (link === undefined) return undefined;
    const code = peek(link, 'code');
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
    cause = peek(link, 'cause');
  }
  return undefined;
}

/** The last error along the chain of causes. */
export function innermostError(error: unknown): Error | undefined {
  let innermost: Error | undefined;
  let link: unknown = error;
  for (let depth = 0; depth < 10 && link instanceof Error; depth++) {
    innermost = link;
    link = peek(link, 'cause');
  }
  return innermost;
}

function read(thrown: JsonObject): {
  status: unknown;
  body: unknown;
  headers: HeaderReader | undefined;
  isApiError: boolean;
} {
  const headers = asObject(peek(thrown, 'headers'));
  return {
    status: peek(thrown, 'status'),
    body: peek(thrown, 'error'),
    headers: typeof headers?.get === 'function' ? (headers as unknown as HeaderReader) : undefined,
    isApiError: has(thrown, 'status') && has(thrown, 'headers'),
  };
}

function inBand(body: JsonObject, headers: HeaderReader | undefined): ErrorFacts {
  return { ...bodyFacts(body.error), ...(headers && { headers }), origin: 'in-band' };
}

/** No message that explains anything is longer; megabytes of it would be searched and redacted for nothing. */
const longestMessage = 10_000;

function bodyFacts(body: unknown): Omit<ErrorFacts, 'origin'> {
  const outer = asObject(body);
  const inner = asObject(outer?.error) ?? outer;
  if (inner === undefined) return { message: messageText(body) ?? '' };
  const { code, type, message } = inner;
  // OpenRouter writes the status as a number into `code`, Groq into `status_code`.
  const named = [code, inner.status_code, inner.status].find((value) => Number.isInteger(value));
  return {
    message: messageText(message) ?? messageText(outer?.error) ?? '',
    ...(asText(code) !== undefined && { code: asText(code) }),
    ...(asText(type) !== undefined && { type: asText(type) }),
    ...(typeof named === 'number' && named >= 400 && named < 600 && { status: named }),
  };
}

function messageText(value: unknown): string | undefined {
  return asText(value)?.slice(0, longestMessage);
}

/** A property of an error that may throw when it is read. */
export function peek(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}

function has(object: JsonObject, key: string): boolean {
  try {
    return key in object;
  } catch {
    return false;
  }
}
