import type { ProviderErrorKind } from '../errors.ts';
import type { ErrorFacts } from './error-facts.ts';

/** Codes and types that say what is meant, whatever the status beside them. */
const byCode: ReadonlyMap<string, ProviderErrorKind> = new Map(
  Object.entries<ProviderErrorKind>({
    insufficient_quota: 'quota',
    billing_hard_limit_reached: 'quota',
    billing_not_active: 'quota',
    billing_error: 'quota',
    credit_balance_exhausted: 'quota',
    organization_usage_limit_exceeded: 'quota',
    enforced_spend_limit_reached: 'quota',
    blocked_api_access: 'quota', // Groq: the organization's spend limit is reached
    context_length_exceeded: 'context-length',
    content_policy_violation: 'content-filter',
    content_filter: 'content-filter',
    model_not_found: 'model-not-found',
    model_decommissioned: 'model-not-found',
    invalid_api_key: 'auth',
    rate_limit_exceeded: 'rate-limit',
    slow_down: 'rate-limit',
    capacity_exceeded: 'capacity',
  }),
);

/** Coarser words, for errors that come without a status. */
const byType: ReadonlyMap<string, ProviderErrorKind> = new Map(
  Object.entries<ProviderErrorKind>({
    authentication_error: 'auth',
    permission_error: 'permission',
    permissions_error: 'permission',
    rate_limit_error: 'rate-limit',
    tokens: 'rate-limit',
    requests: 'rate-limit',
    invalid_request_error: 'bad-request',
  }),
);

/** Whether this is a code or type of the providers' own. */
export function isKnownCode(code: string): boolean {
  return byCode.has(code) || byType.has(code);
}

const byStatus: Readonly<Record<number, ProviderErrorKind>> = {
  401: 'auth',
  402: 'quota',
  403: 'permission',
  404: 'model-not-found',
  408: 'server',
  409: 'conflict',
  413: 'too-large',
  425: 'conflict',
  429: 'rate-limit',
  498: 'capacity',
};

/** How providers say that a prompt is longer than the context window, also under other codes and as a 500. */
const tooLong = [
  /\bmaximum context length\b/i,
  /\bexceeds? (?:the |this )?(?:model'?s? )?(?:maximum )?context (?:window|length)\b/i,
  /\bcontext[_ ]length[_ ]exceeded\b/i,
  /\breduce the length of the (?:messages|prompt|input)\b/i,
  /\bprompt is too long\b/i,
];

/** What went wrong, by what the provider said. The table of `reference` kinds is `failureRules` in core. */
export function errorKind({ origin, status, code = '', type = '', message }: ErrorFacts): ProviderErrorKind {
  if (origin === 'connection') return 'connection';
  // A request above the whole rate limit never fits, and comes as a 413 from Groq, as a 429 from OpenAI.
  if ((status === 413 || status === 429) && /^request too large\b/i.test(message)) return 'too-large';
  const known = byCode.get(code) ?? byCode.get(type);
  if (known !== undefined) return known;
  if (/_spend_limit_exceeded$/.test(code)) return 'quota';
  const couldBeLength = status === undefined || status === 400 || status === 422 || status >= 500;
  if (couldBeLength && tooLong.some((pattern) => pattern.test(message))) return 'context-length';
  if (status === undefined) return byType.get(type) ?? 'server';
  const listed = byStatus[status];
  if (listed !== undefined) return listed;
  if (status >= 500) return 'server';
  return status >= 400 ? 'bad-request' : 'malformed';
}
