import { ConfigError } from '../errors.ts';

/**
 * Loads an optional package at the moment it is needed.
 *
 * @throws ConfigError with the command that installs it, when it is missing.
 */
export async function importPeer<T>(name: string, load: () => Promise<T>, why: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new ConfigError(`The package "${name}" is not installed; ${why}. Run: npm install ${name}`, {
      cause: error,
    });
  }
}

/** True when this very package is missing, not something that it needs itself. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return missing && new RegExp(`['"]${name}(?:/[^'"]*)?['"]`).test(error.message);
}
