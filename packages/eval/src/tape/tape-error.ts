import type { TapedError } from './tape-entry.ts';

/** User and password of a URL: errors repeat the URL that they complain about. */
const userInfo = /(?<=:\/\/)[^\s/?#]+@/g;

/** An error of the connection as a tape keeps it. */
export function tapeError(error: unknown): TapedError {
  const { name = 'Error', message = String(error), cause } = Object(error) as Error;
  const { code, name: causeName, message: causeMessage } = Object(cause) as NodeJS.ErrnoException;
  return {
    name,
    message: withoutUserInfo(message),
    ...(typeof code === 'string' && { code }),
    ...(typeof causeName === 'string' && { causeName }),
    ...(typeof causeMessage === 'string' && { causeMessage: withoutUserInfo(causeMessage) }),
  };
}

function withoutUserInfo(text: string): string {
  return text.replace(userInfo, '');
}
