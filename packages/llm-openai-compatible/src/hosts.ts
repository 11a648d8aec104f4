import type { Capabilities } from '@synapsekit/core';
import type { Dialect } from '@synapsekit/core/chat-completions';

/** A host that speaks chat-completions, and how it differs from OpenAI. */
export interface Host {
  /** Its name in ids, records and the price book: `"mistral"`. */
  readonly provider: string;
  /** Its name for people: `"Mistral"`. */
  readonly service: string;
  /** Its address; absent where everybody has one of their own. */
  readonly baseURL?: string | undefined;
  /** The environment variable that holds another address. */
  readonly baseURLVariable?: string | undefined;
  /** The environment variable that holds the key. */
  readonly apiKeyVariable?: string | undefined;
  /** Where to get a key. Set for hosts that answer nobody without one. */
  readonly apiKeyPage?: string | undefined;
  /** How a key begins, where all of them begin alike. */
  readonly apiKeyPrefix?: string | undefined;
  /** What all of its models have in common. */
  readonly capabilities?: Capabilities | undefined;
  /** What it accepts. */
  readonly dialect?: Dialect | undefined;
}

/** Hosts that are known by name. */
export type HostName =
  | 'azure'
  | 'cerebras'
  | 'deepseek'
  | 'fireworks'
  | 'google'
  | 'lm-studio'
  | 'mistral'
  | 'ollama'
  | 'openrouter'
  | 'together'
  | 'vllm'
  | 'x-ai';

/**
 * The hosts that are known by name. Gathered in November 2026 from what is written about each, not tried against it: look
 * into the host's documentation where it matters. Names of providers are those of the price book.
 */
export const hosts: Readonly<Record<HostName, Host>> = {
  /**
   * The v1 API, which takes the plain `openai` client; `model` is the name of the deployment. That may be of a reasoning
   * model, which refuses `max_tokens`; the other field is taken by all of OpenAI's.
   *
   * @see https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
   */
  azure: {
    provider: 'azure',
    service: 'Azure OpenAI',
    baseURLVariable: 'AZURE_OPENAI_BASE_URL',
    apiKeyVariable: 'AZURE_OPENAI_API_KEY',
    apiKeyPage: 'https://ai.azure.com',
    dialect: { maxTokensField: 'max_completion_tokens' },
  },
  /** @see https://inference-docs.cerebras.ai/resources/openai */
  cerebras: {
    provider: 'cerebras',
    service: 'Cerebras',
    baseURL: 'https://api.cerebras.ai/v1',
    apiKeyVariable: 'CEREBRAS_API_KEY',
    apiKeyPage: 'https://cloud.cerebras.ai',
    apiKeyPrefix: 'csk-',
    dialect: { maxTokensField: 'max_completion_tokens' },
  },
  /** @see https://api-docs.deepseek.com and …/guides/json_mode: JSON, but no schemas */
  deepseek: {
    provider: 'deepseek',
    service: 'DeepSeek',
    baseURL: 'https://api.deepseek.com',
    apiKeyVariable: 'DEEPSEEK_API_KEY',
    apiKeyPage: 'https://platform.deepseek.com/api_keys',
    apiKeyPrefix: 'sk-',
    capabilities: { jsonSchema: false },
  },
  /** @see https://docs.fireworks.ai/tools-sdks/openai-compatibility */
  fireworks: {
    provider: 'fireworks',
    service: 'Fireworks',
    baseURL: 'https://api.fireworks.ai/inference/v1',
    apiKeyVariable: 'FIREWORKS_API_KEY',
    apiKeyPage: 'https://fireworks.ai/account/api-keys',
    apiKeyPrefix: 'fw_',
  },
  /** Gemini. @see https://ai.google.dev/gemini-api/docs/openai */
  google: {
    provider: 'google',
    service: 'Gemini',
    baseURL: 'https://generativelanguage.googleapis.com/v1beta/openai',
    apiKeyVariable: 'GEMINI_API_KEY',
    apiKeyPage: 'https://aistudio.google.com/apikey',
  },
  /** Holds answers to schemas, but has no JSON mode without one. @see https://lmstudio.ai/docs/developer/openai-compat */
  'lm-studio': {
    provider: 'lm-studio',
    service: 'LM Studio',
    baseURL: 'http://localhost:1234/v1',
    baseURLVariable: 'LM_STUDIO_BASE_URL',
  },
  /**
   * Refuses fields that it does not know with 422: `stream_options` (usage comes unasked) and `seed` are two of them.
   *
   * @see https://docs.mistral.ai/api/endpoint/chat
   */
  mistral: {
    provider: 'mistral',
    service: 'Mistral',
    baseURL: 'https://api.mistral.ai/v1',
    apiKeyVariable: 'MISTRAL_API_KEY',
    apiKeyPage: 'https://console.mistral.ai/api-keys',
    dialect: { streamUsage: false, seedField: 'random_seed' },
  },
  /** On this machine; at `https://ollama.com/v1` with a key. @see https://docs.ollama.com/api/openai-compatibility */
  ollama: {
    provider: 'ollama',
    service: 'Ollama',
    baseURL: 'http://localhost:11434/v1',
    baseURLVariable: 'OLLAMA_BASE_URL',
    apiKeyVariable: 'OLLAMA_API_KEY',
  },
  /** @see https://openrouter.ai/docs/api-reference/overview */
  openrouter: {
    provider: 'openrouter',
    service: 'OpenRouter',
    baseURL: 'https://openrouter.ai/api/v1',
    apiKeyVariable: 'OPENROUTER_API_KEY',
    apiKeyPage: 'https://openrouter.ai/settings/keys',
    apiKeyPrefix: 'sk-or-',
  },
  /** @see https://docs.together.ai/docs/inference/openai-compatibility */
  together: {
    provider: 'together',
    service: 'Together',
    baseURL: 'https://api.together.ai/v1',
    apiKeyVariable: 'TOGETHER_API_KEY',
    apiKeyPage: 'https://api.together.ai/settings/api-keys',
  },
  /** A key is needed when the server was started with one. @see https://docs.vllm.ai/en/latest/serving/openai_compatible_server */
  vllm: {
    provider: 'vllm',
    service: 'vLLM',
    baseURL: 'http://localhost:8000/v1',
    baseURLVariable: 'VLLM_BASE_URL',
    apiKeyVariable: 'VLLM_API_KEY',
  },
  /** @see https://docs.x.ai/docs/api-reference */
  'x-ai': {
    provider: 'x-ai',
    service: 'xAI',
    baseURL: 'https://api.x.ai/v1',
    apiKeyVariable: 'XAI_API_KEY',
    apiKeyPage: 'https://console.x.ai',
    apiKeyPrefix: 'xai-',
  },
};
