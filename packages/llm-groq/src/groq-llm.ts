import {
  type AdapterOptions,
  ChatCompletionsLLM,
  checkAdapterOptions,
} from '@synapsekit/core/chat-completions';
import { groqClient } from './client.ts';
import { groqCapabilities, groqDialect } from './models.ts';

/** What a `GroqLLM` is built from. Only `model` is needed. */
export interface GroqLLMOptions extends AdapterOptions {
  /** @default the environment variable `GROQ_API_KEY`, read at the first call */
  readonly apiKey?: string | undefined;
  /**
   * With or without the path `/openai/v1`.
   * @default the environment variable `GROQ_BASE_URL`, read at the first call, else Groq's own
   */
  readonly baseURL?: string | undefined;
  /** Who serves, where it is not Groq itself. @default "groq" */
  readonly provider?: string | undefined;
}

/**
 * A chat model served by Groq, through the official `groq-sdk` client.
 *
 * Making one costs nothing: the client is loaded and the key read at the first call. One call is one request; put
 * `retry()` and the like around it with `wrap`.
 */
export class GroqLLM extends ChatCompletionsLLM {
  /** @throws ConfigError for an unknown option or one that is wrong. */
  constructor(options: GroqLLMOptions) {
    checkAdapterOptions(options, { adapter: 'GroqLLM', sdk: 'groq-sdk' });
    const { model, provider = 'groq', capabilities, dialect } = options;
    const name = String(model);
    super({
      ...options,
      provider,
      capabilities: capabilities ?? groqCapabilities(name),
      dialect: { ...groqDialect(name), ...dialect },
      client: groqClient(options),
      loadTokenizer: () => import('gpt-tokenizer/encoding/o200k_base'),
    });
  }
}
