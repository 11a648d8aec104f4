import type { ProviderPrefix } from './address.ts';

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

/** @param prefixes the longest first; what they say counts before what is known of domains. */
export function finderOf(prefixes: readonly ProviderPrefix[]): ProviderFinder {
  return (url) => {
    const asked = `${url.origin}${url.pathname}/`;
    return prefixes.find(({ base }) => asked.startsWith(base))?.provider ?? providerOfHost(url.hostname);
  };
}
