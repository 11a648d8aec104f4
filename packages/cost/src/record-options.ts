import { type Attributes, ConfigError, rejectUnknownKeys } from '@synapsekit/core';
import type { AttemptOptions, RecordOptions } from './scope.ts';
import { requireAttributes } from './scope-frame.ts';
import { isName } from './usage-facts.ts';

/**
 * Returns the attributes of a record.
 *
 * @throws ConfigError for an unknown option, or attributes that are not flat.
 */
export function requireRecordOptions(options: RecordOptions | undefined): Attributes | undefined {
  if (options === undefined) return undefined;
  rejectUnknownKeys(options, ['attributes'], 'RecordOptions');
  return requireAttributes(options.attributes);
}

/**
 * Returns the attributes of an attempt's record.
 *
 * @throws ConfigError for an unknown or wrong option.
 */
export function requireAttemptOptions(options: AttemptOptions): Attributes | undefined {
  rejectUnknownKeys(options, ['attributes', 'scope'], 'AttemptOptions');
  requireScopeOption(options.scope);
  return requireAttributes(options.attributes);
}

/** @throws ConfigError unless it is a name, a function, or nothing. */
export function requireScopeOption(scope: unknown): void {
  if (scope === undefined || typeof scope === 'function' || isName(scope)) return;
  throw new ConfigError('scope must be a non-empty name, or a function that makes one of the call.', {
    option: 'scope',
  });
}

/** @throws ConfigError unless it names a model. */
export function requireModel(ref: unknown): void {
  if (isName(ref)) return;
  const { provider, model, id } = (typeof ref === 'object' && ref !== null ? ref : {}) as Record<
    string,
    unknown
  >;
  if (isName(provider) && isName(model) && (id === undefined || isName(id))) return;
  throw new ConfigError(
    'model must be a model id such as "gpt-4o" or "groq/llama-3.1-8b-instant", or { provider, model }.',
    { option: 'model' },
  );
}
