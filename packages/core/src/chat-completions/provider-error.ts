import { ProviderError, type ProviderErrorKind } from '../errors.ts';
import type { LLM } from '../llm.ts';
import { type ErrorFacts, innermostError, networkCode, peek, readErrorFacts } from './error-facts.ts';
import { errorKind, isKnownCode } from './error-kind.ts';
import { redact, type Sensitive } from './redact.ts';
import { type HeaderReader, parseRetryAfter } from './retry-after.ts';
import { WireFailure } from './wire-failure.ts';

/** What is known about the attempt that failed. */
export interface FailureContext {
  readonly llm: Pick<LLM, 'provider' | 'model' | 'id'>;
  readonly attemptId: string;
  /** Unix milliseconds, for waits that are given as a date. */
  readonly nowMs: number;
  /** Whether an answer had begun: from then on, errors that nobody knows are errors of reading it. */
  readonly answered: boolean;
  readonly headers?: HeaderReader | undefined;
  readonly requestId?: string | undefined;
  /** Whether content was handed to a consumer. */
  readonly emitted: boolean;
  readonly sensitive: Sensitive;
}

/** What any error of an SDK means, as a `ProviderError` without keys, headers or words of the prompt. */
export function toProviderError(error: unknown, context: FailureContext): ProviderError {
  const { llm, attemptId, emitted } = context;
  const facts = readErrorFacts(error);
  const headers = facts.headers ?? context.headers;
  const kind = kindOf(error, facts, context);
  const status = facts.origin === 'status' ? facts.status : undefined;
  const providerCode = safeCode(facts.code ?? facts.type, context.sensitive);
  const retryAfterMs = waits.has(kind) ? parseRetryAfter(headers, facts.message, context.nowMs) : undefined;
  const cause =
    kind === 'connection' || facts.origin === 'other' ? safeCause(error, context.sensitive) : undefined;
  return new ProviderError(
    message({ kind, facts, error, status, providerCode, retryAfterMs }, context),
    {
      kind,
      provider: llm.provider,
      model: llm.model,
      ...(status !== undefined && { status }),
      ...(providerCode !== undefined && { providerCode }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      requestId: requestId(headers) ?? context.requestId,
      attemptId,
      emitted,
    },
    cause === undefined ? undefined : { cause },
  );
}

/** The provider's request id in the headers of an answer. */
export function requestId(headers: HeaderReader | undefined): string | undefined {
  return headers?.get('x-request-id') ?? headers?.get('request-id') ?? undefined;
}

/** Kinds that a wait can help with. */
const waits: ReadonlySet<ProviderErrorKind> = new Set([
  'rate-limit',
  'capacity',
  'quota',
  'server',
  'conflict',
]);

function kindOf(error: unknown, facts: ErrorFacts, { answered }: FailureContext): ProviderErrorKind {
  if (error instanceof WireFailure && error.reason !== 'in-band') return error.reason;
  if (facts.origin === 'other') return answered ? 'malformed' : 'bad-request';
  return errorKind(facts);
}

interface Told {
  readonly kind: ProviderErrorKind;
  readonly facts: ErrorFacts;
  readonly error: unknown;
  readonly status: number | undefined;
  readonly providerCode: string | undefined;
  readonly retryAfterMs: number | undefined;
}

function message(told: Told, { llm, headers, sensitive }: FailureContext): string {
  const { kind, facts, error, status, providerCode, retryAfterMs } = told;
  const [what, advice] = explain(told, headers, sensitive);
  // In an answer, whatever looks like the code of a lost connection was written by the provider.
  const lost = facts.origin === 'connection' || facts.origin === 'other' ? networkCode(error) : undefined;
  const given = [status, providerCode, lost].filter((fact) => fact !== undefined).join(' ');
  const wait = retryAfterMs === undefined ? '' : ` It asks to wait ${(retryAfterMs / 1_000).toFixed(1)} s.`;
  const said = quoted.has(kind) ? redact(facts.message, sensitive) : '';
  return `${llm.id}: ${what}${given === '' ? '' : ` (${given})`}.${wait}${said === '' ? '' : ` It says: "${said}"`} ${advice}`;
}

/** Refusals that nobody can mend without the provider's own words. */
const quoted: ReadonlySet<ProviderErrorKind> = new Set([
  'bad-request',
  'context-length',
  'too-large',
  'permission',
]);

function explain(
  { kind, facts, error }: Told,
  headers: HeaderReader | undefined,
  sensitive: Sensitive,
): [what: string, advice: string] {
  if (kind === 'bad-request' && facts.origin === 'other') {
    return [
      'the request could not be built, nothing was sent',
      'Look at the options of the call; `cause` has more.',
    ];
  }
  if (kind === 'malformed') {
    const found = error instanceof WireFailure ? error.found : 'a body that cannot be read';
    const type = redact(headers?.get('content-type')?.split(';')[0] ?? '', sensitive);
    return [
      `answered with ${found}${type ? ` as ${type.slice(0, 60)}` : ''} instead of a completion`,
      'Look at the base URL and at proxies in between.',
    ];
  }
  return explanations[kind];
}

const explanations: Readonly<
  Record<Exclude<ProviderErrorKind, 'malformed'>, [what: string, advice: string]>
> = {
  connection: ['the connection failed', 'Check the network and the base URL, or try again.'],
  server: ['the provider failed', 'Try again later, or ask another provider.'],
  'rate-limit': ['the rate limit is reached', 'Slow down, or ask another provider.'],
  capacity: ['there is no capacity in this service tier', 'Try again later, or in another tier.'],
  quota: [
    'the quota or credit of the account is used up',
    'Look at its plan and billing; waiting does not help.',
  ],
  auth: ['the API key was not accepted', 'Check the key: it may be wrong, revoked, or of another account.'],
  permission: ['the API key may not do this', 'Check what the key and its project may use.'],
  'model-not-found': ['there is no such model', 'Check its name, whether it was retired, and the base URL.'],
  'bad-request': ['the provider refused the request', 'Change the request; sending it again does not help.'],
  'too-large': [
    "the request is larger than the provider lets through at once, by size or by the account's rate limit",
    'Shorten the prompt, lower maxTokens, or ask another provider.',
  ],
  'context-length': [
    "the prompt is longer than the model's context window",
    'Shorten it, or ask a larger model.',
  ],
  'content-filter': ["the provider's content filter refused", 'Sending it again does not help.'],
  conflict: ['the provider reports a conflict', 'Try again.'],
  truncated: [
    'the stream ended before the answer was complete',
    'Ask again; what came until then is incomplete.',
  ],
};

/**
 * Codes are short words; anything longer is no code and could hold anything. So could a word that nobody knows, and
 * that stands in the prompt or looks like a key.
 */
function safeCode(code: string | undefined, sensitive: Sensitive): string | undefined {
  if (code === undefined || !/^[\w.:-]{1,64}$/.test(code)) return undefined;
  return isKnownCode(code) || redact(code, sensitive) === code ? code : undefined;
}

/** A copy of the innermost cause that is safe to print: its name, code, redacted message and the frames. */
function safeCause(error: unknown, sensitive: Sensitive): Error | undefined {
  const innermost = innermostError(error);
  if (innermost === undefined) return undefined;
  const copy = new Error(redact(String(peek(innermost, 'message')), sensitive));
  copy.name = String(peek(innermost, 'name'));
  const frames = String(peek(innermost, 'stack'))
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  copy.stack = [`${copy.name}: ${copy.message}`, ...frames].join('\n');
  const code = networkCode(innermost);
  return code === undefined ? copy : Object.assign(copy, { code });
}
