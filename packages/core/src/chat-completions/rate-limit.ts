import type { RateLimitState } from '../generation.ts';
import { parseDuration } from './duration.ts';
import type { HeaderReader } from './retry-after.ts';

/**
 * What the `x-ratelimit-*` headers say, or `undefined` when there are none. OpenAI counts requests per minute; Groq's
 * request figures are per **day**, only its tokens are per minute.
 *
 * @see https://console.groq.com/docs/rate-limits
 */
export function readRateLimit(headers: HeaderReader | undefined): RateLimitState | undefined {
  const state: RateLimitState = {
    ...field('limitRequests', count(headers, 'limit-requests')),
    ...field('remainingRequests', count(headers, 'remaining-requests')),
    ...field('resetRequestsMs', duration(headers, 'reset-requests')),
    ...field('limitTokens', count(headers, 'limit-tokens')),
    ...field('remainingTokens', count(headers, 'remaining-tokens')),
    ...field('resetTokensMs', duration(headers, 'reset-tokens')),
  };
  return Object.keys(state).length > 0 ? state : undefined;
}

function field(name: keyof RateLimitState, value: number | undefined): Partial<RateLimitState> {
  return value === undefined ? {} : { [name]: value };
}

function count(headers: HeaderReader | undefined, name: string): number | undefined {
  const text = headers?.get(`x-ratelimit-${name}`)?.trim() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function duration(headers: HeaderReader | undefined, name: string): number | undefined {
  return parseDuration(headers?.get(`x-ratelimit-${name}`) ?? '');
}
