import { ConfigError } from '@synapsekit/core';
import type { ProviderPrefix } from '../relay/address.ts';

/**
 * Providers by the beginning of their URLs, for gateways and machines of your own, the longest first.
 *
 * @throws ConfigError for what is no URL.
 */
export function readProviders(baseURLs: Readonly<Record<string, string>>): readonly ProviderPrefix[] {
  return Object.entries(baseURLs)
    .map(([base, provider]) => ({ base: readBase(base), provider }))
    .sort((a, b) => b.base.length - a.base.length);
}

function readBase(base: string): string {
  try {
    const { origin, pathname } = new URL(base);
    return `${origin}${pathname.replace(/\/*$/, '/')}`;
  } catch {
    throw new ConfigError(
      `providers must name base URLs such as "http://localhost:11434/v1", got "${base}".`,
      {
        option: 'providers',
      },
    );
  }
}
