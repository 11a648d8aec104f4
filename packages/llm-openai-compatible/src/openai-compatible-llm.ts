import {
  type AdapterOptions,
  ChatCompletionsLLM,
  checkAdapterOptions,
} from '@synapsekit/core/chat-completions';
import { hostClient } from './client.ts';
import { findHost } from './find-host.ts';
import type { Host, HostName } from './hosts.ts';

/** What an `OpenAICompatibleLLM` is built from. `host` and `model` are needed. */
export interface OpenAICompatibleLLMOptions extends AdapterOptions {
  /** Who serves: the name of a known host, or a description of another. */
  readonly host: HostName | Host;
  /** @default the host's environment variable, read at the first call */
  readonly apiKey?: string | undefined;
  /** @default the host's environment variable, read at the first call, else its own address */
  readonly baseURL?: string | undefined;
  /** The name in ids, records and the price book. @default the host's */
  readonly provider?: string | undefined;
}

/**
 * A chat model of a host that speaks the chat-completions wire of OpenAI, through the official `openai` client.
 *
 * Making one costs nothing: the client is loaded and the key read at the first call. One call is one request; put
 * `retry()` and the like around it with `wrap`. What `OPENAI_…` variables hold is never sent to such a host.
 */
export class OpenAICompatibleLLM extends ChatCompletionsLLM {
  /** @throws ConfigError for an unknown host, an unknown option or one that is wrong. */
  constructor(options: OpenAICompatibleLLMOptions) {
    checkAdapterOptions(options, { adapter: 'OpenAICompatibleLLM', sdk: 'openai', own: ['host'] });
    const { host: given, capabilities, ...rest } = options;
    const host = findHost(given);
    super({
      ...rest,
      provider: rest.provider ?? host.provider,
      capabilities: { ...host.capabilities, ...capabilities },
      dialect: { ...host.dialect, ...rest.dialect },
      client: hostClient(host, rest),
      loadTokenizer: () => import('gpt-tokenizer/encoding/o200k_base'),
    });
  }
}
