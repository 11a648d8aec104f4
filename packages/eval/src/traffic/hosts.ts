import { ConfigError } from '@synapsekit/core';

/** Whose domains these are, under the names that price lists use. */
const domains: readonly (readonly [domain: string, provider: string])[] = [
  ['openai.azure.com', 'azure'],
  ['services.ai.azure.com', 'azure'],
  ['openai.com', 'openai'],
  ['groq.com', 'groq'],
  ['anthropic.com', 'anthropic'],
  ['mistral.ai', 'mistral'],
  ['deepseek.com', 'deepseek'],
  ['openrouter.ai', 'openrouter'],
  ['together.xyz', 'together'],
  ['together.ai', 'together'],
  ['fireworks.ai', 'fireworks'],
  ['x.ai', 'x-ai'],
  ['generativelanguage.googleapis.com', 'google'],
  ['aiplatform.googleapis.com', 'google'],
  ['cohere.com', 'cohere'],
  ['cohere.ai', 'cohere'],
  ['perplexity.ai', 'perplexity'],
  ['cerebras.ai', 'cerebras'],
  ['moonshot.ai', 'moonshotai'],
  ['moonshot.cn', 'moonshotai'],
];

/** The provider that a host belongs to; `undefined` for all others: proxies, gateways, machines of your own. */
function providerOfHost(hostname: string): string | undefined {
  if (/^bedrock-runtime\..*\.amazonaws\.com$/.test(hostname)) return 'aws';
  const known = domains.find(([domain]) => hostname === domain || hostname.endsWith(`.${domain}`));
  return known?.[1];
}

/** Tells by its URL whose model a request asks. */
export type ProviderFinder = (url: URL) => string | undefined;

/**
 * @param baseURLs providers by the beginning of their URLs, for gateways and machines of your own; the longest counts.
 * @throws ConfigError for what is no URL.
 */
export function createProviderFinder(baseURLs: Readonly<Record<string, string>>): ProviderFinder {
  const prefixes = Object.entries(baseURLs)
    .map(([base, provider]) => ({ base: readBase(base), provider }))
    .sort((a, b) => b.base.length - a.base.length);
  return (url) => {
    const asked = `${url.origin}${url.pathname}/`;
    return prefixes.find(({ base }) => asked.startsWith(base))?.provider ?? providerOfHost(url.hostname);
  };
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
