import { type BudgetExceededError, isSynapseError, type LedgerError } from '@synapsekit/core';

/** What to answer over HTTP. */
export interface HttpRefusal {
  /**
   * - `429`: waiting helps (calls in flight will settle, or the window ends).
   * - `402`: waiting does not help (larger than the limit, or a limit that never resets).
   * - `503`: the budget's ledger could not be asked.
   */
  readonly status: 402 | 429 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** RFC 9457 problem details, to be sent as JSON. Without amounts: they are nobody's business outside. */
  readonly body: Readonly<Record<string, string | number>>;
}

/** How long to wait for a ledger that is away, seconds. */
const ledgerRetrySeconds = 5;

/**
 * The HTTP answer for a call that a budget refused, or `undefined` for any other error.
 *
 * ```ts
 * const refusal = refusalToHttp(error);
 * if (refusal) return Response.json(refusal.body, refusal);
 * ```
 */
export function refusalToHttp(error: unknown): HttpRefusal | undefined {
  if (isSynapseError(error, 'budget-exceeded')) return fromBudget(error);
  if (isSynapseError(error, 'ledger')) return fromLedger(error);
  return undefined;
}

function fromBudget({ limit, fits, retryAfterMs, resetsAtMs }: BudgetExceededError): HttpRefusal {
  const status = fits === 'never' ? 402 : 429;
  const details = {
    'in-flight': 'The budget is held by requests that are still running.',
    window: 'The budget is spent until its window ends.',
    never: 'The request needs more than the budget can give.',
  };
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(retryAfterMs !== undefined && { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) }),
    },
    body: {
      title: 'Budget exceeded',
      status,
      detail: details[fits],
      code: 'budget-exceeded',
      limit,
      fits,
      // Nobody should wait for what never fits.
      ...(fits !== 'never' && resetsAtMs !== undefined && { resetsAt: new Date(resetsAtMs).toISOString() }),
    },
  };
}

function fromLedger({ transient }: LedgerError): HttpRefusal {
  return {
    status: 503,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(transient && { 'Retry-After': String(ledgerRetrySeconds) }),
    },
    body: {
      title: 'Budget not available',
      status: 503,
      detail: 'The budget could not be checked, so nothing was sent.',
      code: 'ledger',
    },
  };
}
