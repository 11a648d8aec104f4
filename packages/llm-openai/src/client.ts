import {
  type AdapterOptions,
  type ChatClient,
  checkBaseURL,
  findApiKey,
  importPeer,
  isHostOf,
  lazyClient,
  requireApiKey,
  withoutOpenAIEnvironment,
} from '@synapsekit/core/chat-completions';

/** How a client is made. */
export type ClientSource = Pick<AdapterOptions, 'client' | 'apiKey' | 'baseURL' | 'fetch'> & {
  readonly provider: string;
};

/** The SDK insists on a key; hosts that need none ignore it. */
const noKey = 'none';

/** Gives the user's client, or makes one at the first call. */
export function openaiClient(source: ClientSource): () => Promise<ChatClient> {
  const { client } = source;
  return client === undefined ? lazyClient(() => makeClient(source)) : () => Promise.resolve(client);
}

async function makeClient({ provider, apiKey, fetch, ...source }: ClientSource): Promise<ChatClient> {
  const foreign = provider !== 'openai';
  // Read together: a key must not go to an address that the environment names only later.
  const variable = 'OPENAI_BASE_URL';
  const baseURL =
    source.baseURL ?? checkBaseURL(process.env[variable]?.trim() || 'https://api.openai.com/v1', variable);
  const key = foreign ? (findApiKey({ apiKey, variable: undefined }) ?? noKey) : openaiKey(apiKey, baseURL);
  const { OpenAI } = await importPeer(
    'openai',
    () => import('openai'),
    '@synapsekit/llm-openai works with it',
  );
  return new OpenAI({
    apiKey: key,
    baseURL,
    ...(fetch !== undefined && { fetch }),
    ...(foreign && withoutOpenAIEnvironment()),
    maxRetries: 0,
    // At its default level the SDK writes chunks that it cannot read, and so answers, to the console.
    logLevel: 'off',
  });
}

/** OpenAI itself needs a key; a gateway, a test server or a local host under its name may not. */
function openaiKey(apiKey: string | undefined, baseURL: string): string {
  const variable = 'OPENAI_API_KEY';
  if (!isHostOf(baseURL, 'openai.com')) return findApiKey({ apiKey, variable }) ?? noKey;
  return requireApiKey({
    service: 'OpenAI',
    apiKey,
    variable,
    page: 'https://platform.openai.com/api-keys',
    prefix: 'sk-',
  });
}
