import {
  type AdapterOptions,
  type ChatClient,
  checkBaseURL,
  findApiKey,
  importPeer,
  isHostOf,
  lazyClient,
  requireApiKey,
} from '@synapsekit/core/chat-completions';

/** How a client is made. */
export type ClientSource = Pick<AdapterOptions, 'client' | 'apiKey' | 'baseURL' | 'fetch'>;

/** Gives the user's client, or makes one at the first call. */
export function groqClient(source: ClientSource): () => Promise<ChatClient> {
  const { client } = source;
  return client === undefined ? lazyClient(() => makeClient(source)) : () => Promise.resolve(client);
}

async function makeClient({ apiKey, baseURL, fetch }: ClientSource): Promise<ChatClient> {
  // Read together: a key must not go to an address that the environment names only later.
  const variable = 'GROQ_BASE_URL';
  const host = checkBaseURL(
    withoutPath(baseURL ?? process.env[variable]) ?? 'https://api.groq.com',
    baseURL === undefined ? variable : 'baseURL',
  );
  const key = groqKey(apiKey, host);
  const { Groq } = await importPeer(
    'groq-sdk',
    () => import('groq-sdk'),
    '@synapsekit/llm-groq works with it',
  );
  return new Groq({
    apiKey: key,
    baseURL: host,
    ...(fetch !== undefined && { fetch }),
    maxRetries: 0,
    // At its default level the SDK writes chunks that it cannot read, and so answers, to the console.
    logLevel: 'off',
  });
}

/** The SDK appends `/openai/v1` itself; the base URL for OpenAI clients, which everybody has at hand, ends in it. */
function withoutPath(baseURL: string | undefined): string | undefined {
  return baseURL?.trim().replace(/\/openai\/v1\/?$/, '') || undefined;
}

/** Groq itself needs a key; a gateway or a test server under its name may not. */
function groqKey(apiKey: string | undefined, host: string): string {
  const variable = 'GROQ_API_KEY';
  // The SDK insists on some key.
  if (!isHostOf(host, 'groq.com')) return findApiKey({ apiKey, variable }) ?? 'none';
  return requireApiKey({
    service: 'Groq',
    apiKey,
    variable,
    page: 'https://console.groq.com/keys',
    prefix: 'gsk_',
  });
}
