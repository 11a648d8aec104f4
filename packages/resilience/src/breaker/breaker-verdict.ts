import { failureRule, isSynapseError } from '@synapsekit/core';

/**
 * What a failed call says about the provider behind a breaker.
 * - `"failure"`: it is ill. Counts towards opening; ends a probe badly.
 * - `"neutral"`: says nothing about its health (a bad request, a 429, our own refusals). Changes nothing, and gives
 *   a probe's place back.
 * - `"success"`: it is well after all.
 * - `{ openMs }`: leave it alone for so many milliseconds, from now on. At most a day.
 */
export type BreakerVerdict = 'failure' | 'neutral' | 'success' | { readonly openMs: number };

/** How long a quota or credit that ran out is left alone when the provider does not say: 15 minutes. */
const exhaustedMs = 15 * 60_000;
/** Asked to wait longer than this, it is asked again all the same: quotas are raised, credit is paid in. */
const maxExhaustedMs = 60 * 60_000;

/**
 * The default `classify`: core's `failureRules`. A throttle (429) says that the provider is well, so it is neutral;
 * a quota that ran out opens the circuit for as long as the provider asks (at most an hour), or 15 minutes.
 */
export function classifyFailure(error: unknown): BreakerVerdict {
  switch (failureRule(error).health) {
    case 'failure':
      return 'failure';
    case 'exhausted':
      return { openMs: Math.min(waitOf(error) ?? exhaustedMs, maxExhaustedMs) };
    default:
      return 'neutral';
  }
}

function waitOf(error: unknown): number | undefined {
  return isSynapseError(error, 'provider') ? error.retryAfterMs : undefined;
}
