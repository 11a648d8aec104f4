import type { ProviderName } from './model.ts';

/** Facts of an error as providers report it in a body. */
export interface WireError {
  readonly message: string;
  /** The provider's coarse kind: `"invalid_request_error"`, `"server_error"`… */
  readonly type: string;
  readonly code?: string | undefined;
  /** The parameter at fault. */
  readonly param?: string | undefined;
}

/** Errors with a body of their own at each provider. */
export const knownErrors = [
  'missing_api_key',
  'invalid_api_key',
  'permission_denied',
  'model_not_found',
  'model_decommissioned',
  'rate_limit_exceeded',
  'insufficient_quota',
  'capacity_exceeded',
  'context_length_exceeded',
  'content_policy_violation',
  'server_error',
  'overloaded',
] as const;

/** An error with a body of its own at each provider. */
export type KnownError = (typeof knownErrors)[number];

/** A request that is answered with an error. */
export class Refusal extends Error {
  readonly status: number;
  readonly facts: WireError;

  constructor(status: number, facts: WireError) {
    super(facts.message);
    this.status = status;
    this.facts = facts;
  }
}

/** The body of an error answer in the provider's own shape. */
export function errorBody(
  provider: ProviderName,
  { message, type, code, param }: WireError,
): { error: object } {
  if (provider === 'openai') return { error: { message, type, param: param ?? null, code: code ?? null } };
  // Groq leaves out what does not apply.
  return {
    error: {
      message,
      type,
      ...(param === undefined ? {} : { param }),
      ...(code === undefined ? {} : { code }),
    },
  };
}

/** Status and facts of a known error, as this provider words it for this model. */
export function knownError(name: KnownError, provider: ProviderName, model = ''): Refusal {
  const [status, facts] = table[name](provider, model || 'this model');
  return new Refusal(status, facts);
}

const badRequest = 'invalid_request_error';

const table: Readonly<Record<KnownError, (provider: ProviderName, model: string) => [number, WireError]>> = {
  missing_api_key: (provider) => [
    401,
    provider === 'openai'
      ? {
          message: 'No API key came with the request. Send it as "Authorization: Bearer KEY".',
          type: badRequest,
        }
      : { message: 'Invalid API Key', type: badRequest, code: 'invalid_api_key' },
  ],
  invalid_api_key: (provider) => [
    401,
    {
      message: provider === 'openai' ? 'The API key is not correct.' : 'Invalid API Key',
      type: badRequest,
      code: 'invalid_api_key',
    },
  ],
  permission_denied: (provider) => [
    403,
    {
      message: 'The API key may not do this.',
      type: provider === 'openai' ? badRequest : 'permissions_error',
      ...(provider === 'openai' ? {} : { code: 'permission_denied' }),
    },
  ],
  model_not_found: (_, model) => [
    404,
    {
      message: `The model \`${model}\` does not exist, or this key has no access to it.`,
      type: badRequest,
      code: 'model_not_found',
    },
  ],
  model_decommissioned: (provider, model) =>
    provider === 'openai'
      ? [
          404,
          {
            message: `The model \`${model}\` is no longer served.`,
            type: badRequest,
            code: 'model_not_found',
          },
        ]
      : [
          400,
          {
            message: `The model \`${model}\` has been decommissioned and is no longer supported.`,
            type: badRequest,
            code: 'model_decommissioned',
          },
        ],
  rate_limit_exceeded: (provider, model) => [
    429,
    {
      message: `Rate limit reached for \`${model}\`. Slow down and try again.`,
      type: provider === 'openai' ? 'requests' : 'tokens',
      code: 'rate_limit_exceeded',
    },
  ],
  insufficient_quota: () => [
    429,
    {
      message: 'The quota of this account is used up. Check its plan and billing.',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    },
  ],
  capacity_exceeded: (_, model) => [
    498,
    {
      message: `There is no capacity for \`${model}\` in this service tier at the moment.`,
      type: 'capacity_error',
      code: 'capacity_exceeded',
    },
  ],
  context_length_exceeded: (provider, model) => [
    400,
    {
      message:
        provider === 'openai'
          ? `The messages are longer than the maximum context length of ${model}.`
          : 'Please reduce the length of the messages or completion.',
      type: badRequest,
      param: 'messages',
      code: 'context_length_exceeded',
    },
  ],
  content_policy_violation: () => [
    400,
    {
      message: 'The request was rejected by the safety system.',
      type: badRequest,
      code: 'content_policy_violation',
    },
  ],
  server_error: (provider) => [
    500,
    {
      message: 'The server had an error while processing the request.',
      type: provider === 'openai' ? 'server_error' : 'internal_server_error',
    },
  ],
  overloaded: (provider, model) => [
    503,
    provider === 'openai'
      ? {
          message: 'The server is overloaded at the moment. Try again later.',
          type: 'server_error',
          code: 'server_is_overloaded',
        }
      : { message: `${model} is over capacity at the moment.`, type: 'internal_server_error' },
  ],
};
