import { goDuration } from './go-duration.ts';
import type { ProviderName } from './model.ts';

/**
 * What each provider's limits look like. OpenAI's are per minute; Groq's request limit is per **day** and only its
 * token limit per minute. The simulated ones never refuse: order `faults.rateLimited()` for that.
 */
const limits = {
  openai: { requests: 10_000, requestsPerMs: 60_000, tokens: 2_000_000 },
  groq: { requests: 14_400, requestsPerMs: 86_400_000, tokens: 250_000 },
} as const;

/** Facts that appear in headers. */
export interface HeaderFacts {
  readonly provider: ProviderName;
  readonly requestId: string;
  readonly nowMs: number;
  /** Tokens that the request counts against the token limit. */
  readonly tokens?: number | undefined;
  /** Time from the request to now. */
  readonly processingMs: number;
}

/** The headers of every answer of this provider. */
export function answerHeaders(facts: HeaderFacts): Record<string, string> {
  const { provider, requestId, nowMs, processingMs } = facts;
  return {
    date: new Date(nowMs).toUTCString(),
    'x-request-id': requestId,
    ...(provider === 'openai' && {
      'openai-version': '2020-10-01',
      'openai-processing-ms': String(Math.max(1, Math.round(processingMs))),
    }),
    ...(facts.tokens === undefined ? {} : rateLimitHeaders(provider, facts.tokens)),
  };
}

function rateLimitHeaders(provider: ProviderName, tokens: number): Record<string, string> {
  const limit = limits[provider];
  const used = Math.min(tokens, limit.tokens);
  return {
    'x-ratelimit-limit-requests': String(limit.requests),
    'x-ratelimit-limit-tokens': String(limit.tokens),
    'x-ratelimit-remaining-requests': String(limit.requests - 1),
    'x-ratelimit-remaining-tokens': String(limit.tokens - used),
    'x-ratelimit-reset-requests': goDuration(limit.requestsPerMs / limit.requests),
    'x-ratelimit-reset-tokens': goDuration((used / limit.tokens) * 60_000),
  };
}
