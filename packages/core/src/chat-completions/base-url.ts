import { ConfigError } from '../errors.ts';

/**
 * Checks a base URL, given as an option or found in an environment variable.
 *
 * @throws ConfigError for one that no request can be sent to. It is not repeated in the message when it holds
 * credentials.
 */
export function checkBaseURL(baseURL: unknown, name = 'baseURL'): string {
  let url: URL | undefined;
  try {
    url = typeof baseURL === 'string' ? new URL(baseURL) : undefined;
  } catch {
    // Told below.
  }
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(`${name} must be an http: or https: URL, like "http://localhost:11434/v1".`, {
      option: 'baseURL',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(`${name} must not hold a user name or password; pass the key as \`apiKey\`.`, {
      option: 'baseURL',
    });
  }
  return baseURL as string;
}

/** Whether a base URL leads to a host of this domain; what cannot be read does not. */
export function isHostOf(baseURL: string | undefined, domain: string): boolean {
  try {
    const { hostname } = new URL(baseURL ?? '');
    return hostname === domain || hostname.endsWith(`.${domain}`);
  } catch {
    return false;
  }
}
