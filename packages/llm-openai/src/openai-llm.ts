import { ConfigError } from '@synapsekit/core';
import {
  type AdapterOptions,
  ChatCompletionsLLM,
  checkAdapterOptions,
} from '@synapsekit/core/chat-completions';
import { openaiCapabilities } from './capabilities.ts';
import { openaiClient } from './client.ts';
import { openaiDialect } from './dialect.ts';

/** What an `OpenAILLM` is built from. Only `model` is needed. */
export interface OpenAILLMOptions extends AdapterOptions {
  /** @default the environment variable `OPENAI_API_KEY`, read at the first call */
  readonly apiKey?: string | undefined;
  /** @default the environment variable `OPENAI_BASE_URL`, read at the first call, else OpenAI's own */
  readonly baseURL?: string | undefined;
  /**
   * Who serves, where it is not OpenAI but a compatible host: `"ollama"`, `"openrouter"`, `"vllm"`. Needs `baseURL` or
   * `client`. What the `OPENAI_…` variables hold, keys first of all, is never sent to such a host.
   * @default "openai"
   */
  readonly provider?: string | undefined;
}

/**
 * A chat model of OpenAI, or of any host that speaks the same wire, through the official `openai` client.
 *
 * Making one costs nothing: the client is loaded and the key read at the first call. One call is one request; put
 * `retry()` and the like around it with `wrap`.
 */
export class OpenAILLM extends ChatCompletionsLLM {
  /** @throws ConfigError for an unknown option or one that is wrong. */
  constructor(options: OpenAILLMOptions) {
    checkAdapterOptions(options, { adapter: 'OpenAILLM', sdk: 'openai' });
    const { model, baseURL, client, capabilities, dialect, provider = 'openai' } = options;
    if (provider !== 'openai' && client === undefined && baseURL === undefined) {
      throw new ConfigError(
        `The provider "${provider}" needs a baseURL: without one, OpenAI would be asked.`,
        {
          option: 'baseURL',
        },
      );
    }
    const isOpenAI = provider === 'openai' && typeof model === 'string';
    super({
      ...options,
      provider,
      capabilities: capabilities ?? (isOpenAI ? openaiCapabilities(model) : undefined),
      dialect: { ...(isOpenAI && openaiDialect(model)), ...dialect },
      client: openaiClient({ ...options, provider }),
      loadTokenizer: () => import('gpt-tokenizer/encoding/o200k_base'),
    });
  }
}
