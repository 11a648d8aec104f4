import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';
import { readRateLimit } from './rate-limit.ts';
import { parseRetryAfter } from './retry-after.ts';

const nowMs = Date.parse('Mon, 23 Nov 2026 12:00:00 GMT');
const wait = (headers: Record<string, string>, message?: string) =>
  parseRetryAfter(new Headers(headers), message, nowMs);

test.each<[Record<string, string>, number | undefined]>([
  [{}, undefined],
  [{ 'retry-after-ms': '1500' }, 1500],
  [{ 'x-ms-retry-after-ms': '20' }, 20],
  [{ 'retry-after': '3' }, 3000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '0.25' }, 250],
  [{ 'retry-after': ' 7 ' }, 7000],
  // Milliseconds are the exact form of the seconds beside them; what contradicts is taken at its longest.
  [{ 'retry-after-ms': '1500', 'retry-after': '2' }, 1500],
  [{ 'retry-after-ms': '100', 'retry-after': '30' }, 30_000],
  [{ 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Monday, 23-Nov-26 12:00:30 GMT' }, 30_000],
  // A skewed clock of ours does not matter where the server tells its own time.
  [{ 'retry-after': 'Mon, 23 Nov 2026 10:00:30 GMT', date: 'Mon, 23 Nov 2026 10:00:00 GMT' }, 30_000],
  [{ 'retry-after': 'Mon, 23 Nov 2020 12:00:00 GMT' }, 0],
  // Longer than any timer can hold.
  [{ 'retry-after': '3000000' }, 2_147_483_647],
  [{ 'retry-after': '9'.repeat(400) }, 2_147_483_647],
  // Nonsense.
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': '1e400' }, undefined],
  [{ 'retry-after': 'NaN' }, undefined],
  [{ 'retry-after': 'Mon, 99 Nov 2026' }, undefined],
  [{ 'retry-after-ms': 'soon', 'retry-after': '2' }, 2000],
  // The limit that is used up tells when it is full again.
  [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m30s' }, 90_000],
  [
    {
      'x-ratelimit-remaining-requests': '9',
      'x-ratelimit-reset-requests': '8h',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6.5s',
    },
    6500,
  ],
  [{ 'x-ratelimit-reset-tokens': '12ms' }, 12],
  [{ 'x-ratelimit-remaining-tokens': '5000', 'x-ratelimit-reset-tokens': '12ms' }, undefined],
])('%j asks to wait %j ms', (headers, expected) => {
  expect(wait(headers)).toBe(expected);
});

test.each<[string, number | undefined]>([
  ['Rate limit reached. Please try again in 5.289s. Visit our page.', 5289],
  ['Please try again in 20ms.', 20],
  ['Please retry in 10h17m5.7s.', 37_025_700],
  ['Please try again in 7m12s', 432_000],
  ['try again after 30 seconds', 30_000],
  ['Please try again later.', undefined],
])('the message %j asks to wait %j ms', (message, expected) => {
  expect(wait({}, message)).toBe(expected);
});

test('a header goes before the message, the message before the limits', () => {
  const resets = { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '60s' };
  expect(wait({ 'retry-after': '1', ...resets }, 'try again in 2s')).toBe(1000);
  expect(wait(resets, 'try again in 2s')).toBe(2000);
  expect(parseRetryAfter(undefined, 'try again in 2s', nowMs)).toBe(2000);
});

test('is total: whatever comes, a wait is a whole number that a timer can hold', () => {
  const value = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.constantFrom('0', '1e309', '-1', 'Infinity', '1h-3s', '99999999999999999999h'),
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      'retry-after-ms',
      'x-ms-retry-after-ms',
      'retry-after',
      'date',
      'x-ratelimit-reset-requests',
      'x-ratelimit-remaining-tokens',
      'x-ratelimit-reset-tokens',
    ),
    value,
  );
  fc.assert(
    fc.property(headers, fc.option(value, { nil: undefined }), fc.maxSafeInteger(), (given, message, now) => {
      const waitMs = parseRetryAfter({ get: (name) => given[name] }, message, now);
      if (waitMs === undefined) return;
      expect(Number.isInteger(waitMs)).toBe(true);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThanOrEqual(2_147_483_647);
    }),
  );
});

test.each<[string, number | undefined]>([
  ['1s', 1000],
  ['6m0s', 360_000],
  ['12ms', 12],
  ['2m59.56s', 179_560],
  ['1h2m3s', 3_723_000],
  ['150µs', 0.15],
  ['7', 7000],
  ['', undefined],
  ['s', undefined],
  ['1s x', undefined],
  ['-1s', undefined],
])('the duration %j is %j ms', (text, expected) => {
  expect(parseDuration(text)).toEqual(expected);
});

test('reads what is left of the limits', () => {
  expect(
    readRateLimit(
      new Headers({
        'x-ratelimit-limit-requests': '14400',
        'x-ratelimit-remaining-requests': '14399',
        'x-ratelimit-reset-requests': '6s',
        'x-ratelimit-limit-tokens': '250000',
        'x-ratelimit-remaining-tokens': 'many',
      }),
    ),
  ).toEqual({
    limitRequests: 14_400,
    remainingRequests: 14_399,
    resetRequestsMs: 6000,
    limitTokens: 250_000,
  });
  expect(readRateLimit(new Headers())).toBeUndefined();
  expect(readRateLimit(undefined)).toBeUndefined();
});
