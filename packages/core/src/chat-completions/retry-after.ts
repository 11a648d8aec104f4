import { parseDuration } from './duration.ts';

/** Headers of an answer: a `Headers`, or anything with the same `get`. */
export interface HeaderReader {
  get(name: string): string | null | undefined;
}

/** No wait is longer: `setTimeout` fires at once beyond it (24.8 days). */
const maxWaitMs = 2_147_483_647;

/**
 * How long the provider asks to wait, in milliseconds, or `undefined` when it does not say. One total function:
 * never NaN, never negative, never above 2^31-1.
 *
 * In this order: `retry-after-ms`, `x-ms-retry-after-ms` and `retry-after` (seconds, or an HTTP date, taken against
 * the answer's own `date` so that skewed clocks do no harm); the longest of them when they contradict each other,
 * since asking too early costs more than waiting. Then "try again in 5.289s" in the message. Then the
 * `x-ratelimit-reset-*` of whatever has nothing left.
 *
 * @param nowMs Unix milliseconds, for HTTP dates without a `date` beside them.
 */
export function parseRetryAfter(
  headers: HeaderReader | undefined,
  bodyMessage: string | undefined,
  nowMs: number,
): number | undefined {
  const waitMs = fromRetryHeaders(headers, nowMs) ?? fromMessage(bodyMessage) ?? fromResets(headers);
  return waitMs === undefined ? undefined : Math.min(Math.max(0, Math.ceil(waitMs)), maxWaitMs);
}

function fromRetryHeaders(headers: HeaderReader | undefined, nowMs: number): number | undefined {
  const exact = decimal(header(headers, 'retry-after-ms')) ?? decimal(header(headers, 'x-ms-retry-after-ms'));
  const text = header(headers, 'retry-after');
  const seconds = decimal(text);
  const coarse = seconds === undefined ? untilDate(text, headers, nowMs) : seconds * 1_000;
  if (exact === undefined || coarse === undefined) return exact ?? coarse;
  // Whole seconds are the milliseconds rounded; anything further apart is a contradiction.
  return Math.abs(coarse - exact) <= 1_000 ? exact : Math.max(exact, coarse);
}

function untilDate(
  text: string | undefined,
  headers: HeaderReader | undefined,
  nowMs: number,
): number | undefined {
  // Every form of an HTTP date names the weekday; `Date.parse` alone would also accept "-5" and "soon 7".
  if (text === undefined || !/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined;
  const untilMs = Date.parse(text);
  if (Number.isNaN(untilMs)) return undefined;
  const sentMs = Date.parse(header(headers, 'date') ?? '');
  return Math.max(0, untilMs - (Number.isNaN(sentMs) ? nowMs : sentMs));
}

function fromMessage(message: string | undefined): number | undefined {
  const match =
    /\b(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|[dhms]))+|\d+(?:\.\d+)? seconds?)/i.exec(
      message?.slice(0, 2_000) ?? '',
    );
  return match?.[1] === undefined ? undefined : parseDuration(match[1].replace(/ seconds?$/i, 's'));
}

function fromResets(headers: HeaderReader | undefined): number | undefined {
  const waits = ['requests', 'tokens'].map((what) => {
    const left = header(headers, `x-ratelimit-remaining-${what}`);
    if (left !== undefined && decimal(left) !== 0) return undefined;
    return parseDuration(header(headers, `x-ratelimit-reset-${what}`) ?? '');
  });
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** A plain decimal number; signs, exponents and words are none. */
function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function header(headers: HeaderReader | undefined, name: string): string | undefined {
  return headers?.get(name)?.trim() || undefined;
}
