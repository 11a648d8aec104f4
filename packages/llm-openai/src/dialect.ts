import type { Dialect } from '@synapsekit/core/chat-completions';

/** Models that think before they answer; the `chat` variants of GPT-5 do not. */
const reasoning = /^(?:o\d|gpt-[5-9])(?!.*-chat)/;

/**
 * Generations that call tools over chat-completions only without reasoning: GPT-5.4 and later.
 *
 * @see https://developers.openai.com/api/docs/guides/deployment-checklist
 */
const toolsWithoutReasoning = /^gpt-(?:5\.(?:[4-9]|\d\d)|[6-9])/;

/**
 * What OpenAI's models accept. Reasoning models refuse `max_tokens` altogether, and temperature, top-p,
 * log-probabilities and stop sequences unless their reasoning is switched off.
 *
 * @see https://platform.openai.com/docs/guides/reasoning
 */
export function openaiDialect(model: string): Dialect {
  const name = baseName(model);
  if (!reasoning.test(name)) return {};
  return {
    maxTokensField: 'max_completion_tokens',
    sampling: 'without-reasoning',
    ...(toolsWithoutReasoning.test(name) && { effortWithTools: 'none' }),
  };
}

/** `"gpt-4o"` of the fine-tuned `"ft:gpt-4o:acme::id"`. */
export function baseName(model: string): string {
  return model.startsWith('ft:') ? (model.split(':')[1] ?? model) : model;
}
