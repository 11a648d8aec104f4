import type { TapedError } from './tape-entry.ts';

/** An error of the connection as a tape keeps it. */
export function tapeError(error: unknown): TapedError {
  const { name = 'Error', message = String(error), cause } = Object(error) as Error;
  const { code, name: causeName, message: causeMessage } = Object(cause) as NodeJS.ErrnoException;
  return {
    name,
    message,
    ...(typeof code === 'string' && { code }),
    ...(typeof causeName === 'string' && { causeName }),
    ...(typeof causeMessage === 'string' && { causeMessage }),
  };
}
