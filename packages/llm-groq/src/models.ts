import type { Capabilities } from '@synapsekit/core';
import type { Dialect } from '@synapsekit/core/chat-completions';

/**
 * Groq's chat models, from https://console.groq.com/docs/models and …/structured-outputs, November 2026. None of them
 * returns log-probabilities.
 */
const models: ReadonlyMap<string, Capabilities> = new Map(
  Object.entries<Capabilities>({
    'llama-3.1-8b-instant': {
      contextWindow: 131_072,
      maxOutputTokens: 131_072,
      images: false,
      jsonSchema: false,
    },
    'llama-3.3-70b-versatile': {
      contextWindow: 131_072,
      maxOutputTokens: 32_768,
      images: false,
      jsonSchema: false,
    },
    'openai/gpt-oss-20b': {
      contextWindow: 131_072,
      maxOutputTokens: 65_536,
      images: false,
      jsonSchema: true,
    },
    'openai/gpt-oss-120b': {
      contextWindow: 131_072,
      maxOutputTokens: 65_536,
      images: false,
      jsonSchema: true,
    },
    'qwen/qwen3-32b': { contextWindow: 131_072, maxOutputTokens: 40_960, images: false, jsonSchema: false },
  }),
);

/** What is known of a model; `undefined` when nothing is. */
export function groqCapabilities(model: string): Capabilities | undefined {
  const known = models.get(model);
  return known && { ...known, tools: true, logprobs: false };
}

/** Models whose thoughts come mixed into the answer unless asked for apart. GPT-OSS keeps them apart by itself. */
const thinksAloud = /qwen-?3|qwq|deepseek-r1/i;
/** Models that hold an answer to a schema exactly; the others refuse `strict`. */
const strict = /gpt-oss/i;

/**
 * What Groq's models accept. `max_tokens` is deprecated there for all of them; temperature is accepted by all.
 *
 * @see https://console.groq.com/docs/reasoning
 */
export function groqDialect(model: string): Dialect {
  return {
    maxTokensField: 'max_completion_tokens',
    strictSchemas: strict.test(model),
    ...(thinksAloud.test(model) && { extraBody: { reasoning_format: 'parsed' } }),
  };
}
