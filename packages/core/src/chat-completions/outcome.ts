import type { Attempt } from '../attempt.ts';
import type { TokenCounts } from '../usage.ts';
import { innermostError, networkCode, peek, readErrorFacts } from './error-facts.ts';
import { billedText, type Received } from './received.ts';
import { WireFailure } from './wire-failure.ts';

/** Codes of connections that never came about: the request did not leave. */
const neverConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|.*_CERT(_.*)?|UNABLE_TO_.*)$/;

/**
 * What a failure means for money.
 *
 * An error status is `"refused"`: providers do not bill it. So is an error in place of an answer, unless content or
 * usage came before it. An answer that cannot be read is `"partial"` when it tells its usage, else `"unanswered"` and
 * charged for its input, like silence: it may have been billed, and money must not vanish.
 */
export function failedOutcome(
  error: unknown,
  { answered, received }: { readonly answered: boolean; readonly received: Received },
): Attempt['outcome'] {
  const { origin } = readErrorFacts(error);
  const billed = billedText(received.answer()) !== '' || usageOf(error, received) !== undefined;
  if (origin === 'status') return 'refused';
  if (origin === 'in-band') return billed ? 'partial' : 'refused';
  if (billed || received.begun) return 'partial';
  const unsent = origin === 'connection' ? neverLeft(error) : !answered;
  return unsent ? 'unsent' : 'unanswered';
}

function neverLeft(error: unknown): boolean {
  // `fetch` refuses some ports by an error without a code.
  const cause = innermostError(error);
  const refusedPort = cause !== undefined && peek(cause, 'message') === 'bad port';
  return refusedPort || neverConnected.test(networkCode(error) ?? '');
}

/** Usage that the provider told before or with a failure. */
export function usageOf(error: unknown, received: Received): TokenCounts | undefined {
  return (error instanceof WireFailure ? error.usage : undefined) ?? received.answer().usage;
}
