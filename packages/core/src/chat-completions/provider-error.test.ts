import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { ProviderErrorKind } from '../errors.ts';
import { failedOutcome } from './outcome.ts';
import { toProviderError } from './provider-error.ts';
import { nothingReceived } from './received.ts';
import { WireFailure } from './wire-failure.ts';

interface WireError {
  message?: string;
  type?: string;
  code?: string | number | null;
}

/** The error classes of openai and groq-sdk, as far as anybody can see of them. */
class ApiError extends Error {
  readonly status: number | undefined;
  readonly headers: Headers | undefined;
  readonly error: unknown;
  readonly code: unknown;

  constructor(status: number | undefined, error: unknown, headers?: Headers, options?: ErrorOptions) {
    super('from the SDK', options);
    this.status = status;
    this.headers = headers;
    this.error = error;
    this.code = (error as WireError | undefined)?.code;
  }
}

const openai = (status: number | undefined, error?: WireError, headers = {}) =>
  new ApiError(status, error, new Headers(headers));
const groq = (status: number, error: WireError, headers = {}) =>
  new ApiError(status, { error }, new Headers(headers));

const context = {
  llm: { provider: 'groq', model: 'm', id: 'groq/m' },
  attemptId: 'attempt-1',
  nowMs: 0,
  answered: false,
  emitted: false,
  sensitive: { prompt: 'The secret recipe of Ms Weatherwax', secrets: ['the-key'] },
};
const translate = (error: unknown, more: object = {}) => toProviderError(error, { ...context, ...more });

test.each<[string, unknown, ProviderErrorKind]>([
  ['401', openai(401, { code: 'invalid_api_key' }), 'auth'],
  ['402', openai(402, {}), 'quota'],
  ['403', groq(403, { type: 'permissions_error', code: 'permission_denied' }), 'permission'],
  ['404 of a model', groq(404, { code: 'model_not_found' }), 'model-not-found'],
  ['403 of a model', openai(403, { code: 'model_not_found' }), 'model-not-found'],
  ['400 of a retired model', groq(400, { code: 'model_decommissioned' }), 'model-not-found'],
  ['400 with a code that is a word of JavaScript', openai(400, { code: 'constructor' }), 'bad-request'],
  ['408', openai(408), 'server'],
  ['409', openai(409), 'conflict'],
  ['425', openai(425), 'conflict'],
  ['400', openai(400, { type: 'invalid_request_error' }), 'bad-request'],
  ['422', groq(422, { type: 'invalid_request_error' }), 'bad-request'],
  ['429', groq(429, { type: 'tokens', code: 'rate_limit_exceeded' }), 'rate-limit'],
  ['429 without a word', openai(429), 'rate-limit'],
  ['429 without money', openai(429, { code: 'insufficient_quota', type: 'insufficient_quota' }), 'quota'],
  ['429 of a limit that was set', openai(429, { code: 'project_spend_limit_exceeded' }), 'quota'],
  ['400 of a blocked account', groq(400, { code: 'blocked_api_access' }), 'quota'],
  ['413', groq(413, { message: 'Request Entity Too Large' }), 'too-large'],
  [
    '413 for more than the whole limit',
    groq(413, {
      message: 'Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 14810',
      code: 'rate_limit_exceeded',
    }),
    'too-large',
  ],
  [
    '429 for more than the whole limit',
    openai(429, {
      message: 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 342389.',
      code: 'rate_limit_exceeded',
    }),
    'too-large',
  ],
  ['498', groq(498, { code: 'capacity_exceeded' }), 'capacity'],
  ['498 without a word', groq(498, {}), 'capacity'],
  ['500', openai(500, { type: 'server_error' }), 'server'],
  ['502 with a web page', openai(502), 'server'],
  ['529', openai(529), 'server'],
  ['503, too many', openai(503, { code: 'slow_down' }), 'rate-limit'],
  ['503, too many for everybody', openai(503, { code: 'server_is_overloaded' }), 'server'],
  ['400 too long', openai(400, { code: 'context_length_exceeded' }), 'context-length'],
  [
    '400 too long without a code',
    openai(400, {
      message: "This model's maximum context length is 8192 tokens. However, you requested 9000.",
    }),
    'context-length',
  ],
  [
    '500 that is too long in disguise',
    openai(500, { type: 'server_error', message: 'Your input exceeds the context window of this model.' }),
    'context-length',
  ],
  ['400 by the filter', openai(400, { code: 'content_policy_violation' }), 'content-filter'],
  ['in-band, groq-sdk', new ApiError(undefined, { message: 'm', type: 'internal_server_error' }), 'server'],
  ['in-band, openai', openai(undefined, { message: 'm', type: 'server_error', code: null }), 'server'],
  ['in-band limit', openai(undefined, { code: 'rate_limit_exceeded' }), 'rate-limit'],
  ['in-band bad request', openai(undefined, { type: 'invalid_request_error' }), 'bad-request'],
  ['in-band with a number for a code', openai(undefined, { code: 429 }), 'rate-limit'],
  [
    'a broken connection',
    new ApiError(undefined, undefined, undefined, { cause: fetchFailed('ECONNRESET') }),
    'connection',
  ],
  ['a connection lost in a stream', fetchFailed('UND_ERR_SOCKET'), 'connection'],
  ['a body without an answer', new WireFailure('malformed', 'JSON without an answer in it'), 'malformed'],
  ['a stream without an end', new WireFailure('truncated', 'a stream without an end'), 'truncated'],
  [
    'an error in the body',
    new WireFailure('in-band', 'an error', { body: { error: { code: 502 } } }),
    'server',
  ],
  [
    'an error in words',
    new WireFailure('in-band', 'an error', { body: { error: 'over capacity' } }),
    'server',
  ],
])('%s', (_, error, kind) => {
  expect(translate(error).kind).toBe(kind);
});

test('what cannot be read once an answer has begun is malformed; before that, the request could not be built', () => {
  expect(translate(new SyntaxError('Unexpected token'), { answered: true }).kind).toBe('malformed');
  expect(translate(new TypeError('Do not know how to serialize a BigInt')).kind).toBe('bad-request');
});

test('carries the facts', () => {
  const error = groq(
    429,
    { message: 'Please try again in 5.289s.', code: 'rate_limit_exceeded' },
    { 'x-request-id': 'req_1' },
  );
  expect(translate(error)).toMatchObject({
    kind: 'rate-limit',
    provider: 'groq',
    model: 'm',
    status: 429,
    providerCode: 'rate_limit_exceeded',
    retryAfterMs: 5289,
    requestId: 'req_1',
    attemptId: 'attempt-1',
    emitted: false,
    message:
      'groq/m: the rate limit is reached (429 rate_limit_exceeded). It asks to wait 5.3 s. Slow down, or ask another provider.',
  });
  expect(translate(openai(400, {}, { 'retry-after': '5' })).retryAfterMs).toBeUndefined();
});

test('a number in the body of a status-200 answer is no HTTP status', () => {
  expect(translate(openai(undefined, { code: 502 })).status).toBeUndefined();
});

test('says what the provider objects to, but neither keys nor words of the prompt', () => {
  const error = openai(400, {
    message: "Invalid 'tools[0]': the secret recipe of Ms Weatherwax, with the-key and sk-proj-abcdef123456",
    code: 'x'.repeat(100),
  });
  error.stack += '\nAuthorization: Bearer the-key';
  const translated = translate(error);
  expect(translated.message).toContain("Invalid 'tools[0]'");
  const everything = inspect(translated, { depth: 10, showHidden: true }) + JSON.stringify(translated);
  for (const secret of ['the-key', 'sk-proj', 'recipe', 'Weatherwax', 'xxxxxxxx']) {
    expect(everything).not.toContain(secret);
  }
});

test.each<[string, Error, object]>([
  ['the code', openai(400, { code: 'the-key' }), {}],
  ['the code', openai(400, { code: 'WEATHERWAX' }), {}],
  ['the type', groq(400, { type: 'recipe' }), {}],
  ['the code of an error in the stream', openai(undefined, { code: 'WEATHERWAX' }), { answered: true }],
  [
    'the content type',
    new WireFailure('malformed', 'text'),
    { headers: new Headers({ 'content-type': 'text/weatherwax; the-key' }) },
  ],
])('%s may hold anything, too', (_, error, more) => {
  const everything = inspect(translate(error, more), { depth: 10, showHidden: true });
  for (const secret of [/the-key/, /weatherwax/i, /recipe/]) expect(everything).not.toMatch(secret);
});

test('a code that providers are known for is told, also to somebody who asks about it', () => {
  const sensitive = { prompt: 'What does model_not_found mean, and what odd_code?', secrets: [] };
  const codeOf = (code: string) => translate(openai(404, { code }), { sensitive }).providerCode;
  expect(codeOf('model_not_found')).toBe('model_not_found');
  expect(codeOf('other_code')).toBe('other_code');
  expect(codeOf('odd_code')).toBeUndefined();
});

test('no more of an endless message is looked at than anybody would read', () => {
  const message = `${'a '.repeat(100_000)}maximum context length`;
  expect(translate(openai(400, { message })).kind).toBe('bad-request');
});

test('keeps the cause of a failed connection, without what it may tell', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9 for Ms Weatherwax with the-key'), {
    code: 'ECONNREFUSED',
  });
  const error = translate(
    new ApiError(undefined, undefined, undefined, { cause: new TypeError('fetch failed', { cause }) }),
  );
  expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  expect(error.message).toContain('ECONNREFUSED');
  const everything = inspect(error, { depth: 10, showHidden: true });
  for (const secret of ['Weatherwax', 'the-key']) expect(everything).not.toContain(secret);
});

test('survives hostile errors', () => {
  const cyclic = new Error('a');
  cyclic.cause = cyclic;
  const hostile = new Proxy(new Error('b'), {
    get() {
      throw new Error('no');
    },
    has() {
      throw new Error('no');
    },
  });
  for (const thrown of [
    undefined,
    null,
    'text',
    7,
    {},
    { status: 'x' },
    cyclic,
    hostile,
    Object.freeze(new Error('c')),
  ]) {
    expect(translate(thrown)).toMatchObject({ code: 'provider', attemptId: 'attempt-1' });
  }
});

test.each<[string, unknown, string, object]>([
  ['an error status', openai(500), 'refused', {}],
  ['an error in place of an answer', openai(undefined, { message: 'm' }), 'refused', { answered: true }],
  ['a refused connection', fetchFailed('ECONNREFUSED'), 'unsent', {}],
  ['an unknown host', fetchFailed('ENOTFOUND'), 'unsent', {}],
  ['a bad certificate', fetchFailed('SELF_SIGNED_CERT_IN_CHAIN'), 'unsent', {}],
  ['a connection that was reset', fetchFailed('ECONNRESET'), 'unanswered', {}],
  ['a request that could not be built', new TypeError('BigInt'), 'unsent', {}],
  ['a body that cannot be read', new SyntaxError('JSON'), 'unanswered', { answered: true }],
  ['no answer in it', new WireFailure('malformed', 'x'), 'unanswered', { answered: true }],
  [
    'no answer in it, but usage',
    new WireFailure('malformed', 'x', { usage: { inputTokens: 1, outputTokens: 1 } }),
    'partial',
    { answered: true },
  ],
])('for money, %s is "%s"', (...[, error, outcome, more]) => {
  expect(failedOutcome(error, { answered: false, received: nothingReceived, ...more })).toBe(outcome);
});

function fetchFailed(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}
