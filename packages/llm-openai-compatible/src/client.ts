import { ConfigError } from '@synapsekit/core';
import {
  type AdapterOptions,
  type ChatClient,
  checkBaseURL,
  findApiKey,
  importPeer,
  lazyClient,
  requireApiKey,
  withoutOpenAIEnvironment,
} from '@synapsekit/core/chat-completions';
import type { Host } from './hosts.ts';

/** How a client is made. */
export type ClientSource = Pick<AdapterOptions, 'client' | 'apiKey' | 'baseURL' | 'fetch'>;

/** Gives the user's client, or makes one at the first call. */
export function hostClient(host: Host, source: ClientSource): () => Promise<ChatClient> {
  const { client } = source;
  return client === undefined ? lazyClient(() => makeClient(host, source)) : () => Promise.resolve(client);
}

async function makeClient(host: Host, { apiKey, fetch, ...source }: ClientSource): Promise<ChatClient> {
  // Read together: a key must not go to an address that the environment names only later.
  const baseURL = addressOf(host, source.baseURL);
  const key = keyFor(host, apiKey, baseURL);
  const { OpenAI } = await importPeer(
    'openai',
    () => import('openai'),
    '@synapsekit/llm-openai-compatible works with it',
  );
  return new OpenAI({
    apiKey: key,
    baseURL,
    ...(fetch !== undefined && { fetch }),
    ...withoutOpenAIEnvironment(),
    maxRetries: 0,
    // At its default level the SDK writes chunks that it cannot read, and so answers, to the console.
    logLevel: 'off',
  });
}

function addressOf(host: Host, given: string | undefined): string {
  if (given !== undefined) return given; // checked at construction
  const { service, baseURLVariable: variable } = host;
  const found = variable === undefined ? undefined : process.env[variable]?.trim();
  if (found) return checkBaseURL(found, variable);
  if (host.baseURL !== undefined) return host.baseURL;
  const or = variable === undefined ? '' : `, or set ${variable}`;
  throw new ConfigError(
    `${service} has no address that is the same for all. Pass yours as \`baseURL\`${or}.`,
    {
      option: 'baseURL',
    },
  );
}

/** A host that needs a key needs it at its own address; a gateway or a test server under its name may not. */
function keyFor(host: Host, apiKey: string | undefined, baseURL: string): string {
  const { service, apiKeyVariable: variable, apiKeyPage: page, apiKeyPrefix: prefix } = host;
  const elsewhere = host.baseURL !== undefined && new URL(baseURL).host !== new URL(host.baseURL).host;
  // The SDK insists on some key.
  if (page === undefined || elsewhere) return findApiKey({ apiKey, variable }) ?? 'none';
  return requireApiKey({ service, apiKey, variable, page, prefix });
}
