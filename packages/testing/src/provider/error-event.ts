import type { ProviderName } from './model.ts';
import { errorBody, type KnownError, knownError, Refusal, type WireError } from './provider-error.ts';

/** An error as a refusal, whether it is known by name or given in full. */
export function toRefusal(
  error: KnownError | WireError,
  provider: ProviderName,
  model: string,
  status = 500,
): Refusal {
  return typeof error === 'string' ? knownError(error, provider, model) : new Refusal(status, error);
}

/** An error within a stream, as each provider sends it. */
export function errorEvent(provider: ProviderName, { status, facts }: Refusal): string {
  const { error } = errorBody(provider, facts);
  if (provider === 'openai') return `data: ${JSON.stringify({ error })}\n\n`;
  return `event: error\ndata: ${JSON.stringify({ error: { ...error, status_code: status } })}\n\n`;
}
