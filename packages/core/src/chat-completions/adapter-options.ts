import type { Clock } from '../clock.ts';
import { ConfigError } from '../errors.ts';
import type { Capabilities } from '../llm.ts';
import type { LLMConfig } from '../options.ts';
import type { IdSource } from '../random.ts';
import { rejectUnknownKeys } from '../validate.ts';
import { checkBaseURL } from './base-url.ts';
import { checkDialect, type Dialect } from './dialect.ts';
import type { ChatClient } from './sdk.ts';

/** What every adapter on this wire is built from. Only `model` is needed. */
export interface AdapterOptions {
  /** Model id as the provider names it. It may contain slashes. */
  readonly model: string;
  /** What calls get that say nothing: temperature, maxTokens, time limits, trackTokens. */
  readonly config?: LLMConfig | undefined;
  readonly apiKey?: string | undefined;
  readonly baseURL?: string | undefined;
  readonly provider?: string | undefined;
  /** The name for people and summaries. @default `model` for openai, `provider/model` otherwise */
  readonly id?: string | undefined;
  /** A configured client of the official package, to be used instead of one of our own. */
  readonly client?: ChatClient | undefined;
  /** Sends the requests. @default the global `fetch` */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** What the model can do. @default what is known of the provider's models */
  readonly capabilities?: Capabilities | undefined;
  /** What the host accepts, where it differs from what the model's name suggests. */
  readonly dialect?: Dialect | undefined;
  /** Send the attempt's id in this header, to find it in a gateway's log. @default none is sent */
  readonly attemptIdHeader?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: IdSource | undefined;
}

const adapterOptionKeys: readonly (keyof AdapterOptions)[] = [
  'model',
  'config',
  'apiKey',
  'baseURL',
  'provider',
  'id',
  'client',
  'fetch',
  'capabilities',
  'dialect',
  'attemptIdHeader',
  'clock',
  'ids',
];

/**
 * Checks what an adapter is built from, as far as `ChatCompletionsLLM` does not do it.
 *
 * @throws ConfigError for an unknown option, one that is wrong, or two that contradict each other.
 */
export function checkAdapterOptions(
  options: AdapterOptions,
  {
    adapter,
    sdk,
    own = [],
  }: {
    readonly adapter: string;
    readonly sdk: string;
    /** Options that only this adapter has; it checks them itself. */
    readonly own?: readonly string[] | undefined;
  },
): void {
  rejectUnknownKeys(options, [...own, ...adapterOptionKeys], adapter);
  const { apiKey, baseURL, client, fetch, dialect } = options;
  if (apiKey !== undefined && typeof apiKey !== 'string') {
    throw new ConfigError('apiKey must be a string.', { option: 'apiKey' });
  }
  if (fetch !== undefined && typeof fetch !== 'function') {
    throw new ConfigError('fetch must be a function like the global one.', { option: 'fetch' });
  }
  if (baseURL !== undefined) checkBaseURL(baseURL);
  if (dialect !== undefined) checkDialect(dialect);
  if (client === undefined) return;
  if (typeof client?.chat?.completions?.create !== 'function') {
    throw new ConfigError(`client must be a client of the ${sdk} package.`, { option: 'client' });
  }
  if ((apiKey ?? baseURL ?? fetch) !== undefined) {
    throw new ConfigError('Give apiKey, baseURL and fetch to the client, or leave the client out.', {
      option: 'client',
    });
  }
}
