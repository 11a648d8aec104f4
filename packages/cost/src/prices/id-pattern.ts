import { ConfigError } from '@synapsekit/core';

/**
 * An id as it is compared: trimmed, in lower case.
 *
 * @throws ConfigError when it is no text or an empty one.
 */
export function requireId(value: unknown, option: string): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new ConfigError(`${option} must be a text that is not empty, got ${String(value)}.`, { option });
  }
  return value.trim().toLowerCase();
}

/** Whether `pattern`, an id or a `prefix*` in lower case, covers an id in lower case. */
export function appliesTo(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}
