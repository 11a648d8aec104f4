import {
  type CallOptions,
  type Capabilities,
  type ImagePart,
  type Message,
  type Prompt,
  type TextPart,
  toMessages,
} from '@synapsekit/core';
import { roughTextTokens } from './rough-tokens.ts';

/** What a request asks of whoever serves it. */
export interface RequestNeeds {
  /** A cautious count of the prompt's tokens: it may well be more. */
  readonly inputTokens: number;
  readonly maxTokens: number | undefined;
  readonly tools: boolean;
  readonly images: boolean;
  readonly jsonSchema: boolean;
  readonly logprobs: boolean;
}

/**
 * Text has 4 bytes a token or so; dense text more. Only what is too long by any tokenizer is ruled out here: a prompt
 * that is a little too long fails over to a larger window when the provider says so.
 */
const surelyShare = 0.75;
/** What the smallest picture costs (OpenAI's `detail: "low"`). */
const leastTokensPerImage = 85;

/** Reads off a request what a model has to be able to do. */
export function needsOf(prompt: Prompt, options: CallOptions): RequestNeeds {
  let textTokens = 0;
  let images = 0;
  let toolTurns = false;
  for (const { role, content } of toMessages(prompt)) {
    if (role === 'tool') toolTurns = true;
    for (const part of partsOf(content)) {
      if (part.type === 'image') images++;
      else textTokens += roughTextTokens(part.text);
    }
  }
  return {
    inputTokens: Math.max(1, Math.floor(textTokens * surelyShare)) + images * leastTokensPerImage,
    maxTokens: options.maxTokens,
    tools: toolTurns || (options.tools !== undefined && options.tools.length > 0),
    images: images > 0,
    jsonSchema: options.responseFormat?.type === 'json-schema',
    logprobs: options.logprobs !== undefined && options.logprobs !== false,
  };
}

function partsOf(content: Message['content']): readonly (TextPart | ImagePart)[] {
  return typeof content === 'object' ? content : [{ type: 'text', text: content ?? '' }];
}

/** Why a model cannot serve a request. Empty: nothing is known against it. What a model does not tell, it may be able to do. */
export function capabilityGaps(needs: RequestNeeds, capabilities: Capabilities = {}): readonly string[] {
  const { contextWindow, maxOutputTokens, tools, images, jsonSchema, logprobs } = capabilities;
  const gaps: string[] = [];
  const neededTokens = needs.inputTokens + (needs.maxTokens ?? 1);
  if (contextWindow !== undefined && neededTokens > contextWindow) {
    gaps.push(
      `its context window has ${contextWindow} tokens, the request needs at least ${neededTokens} (${needs.inputTokens} of prompt)`,
    );
  }
  if (maxOutputTokens !== undefined && needs.maxTokens !== undefined && needs.maxTokens > maxOutputTokens) {
    gaps.push(`it answers with at most ${maxOutputTokens} tokens, maxTokens is ${needs.maxTokens}`);
  }
  if (needs.tools && tools === false) gaps.push('it calls no tools');
  if (needs.images && images === false) gaps.push('it takes no images');
  if (needs.jsonSchema && jsonSchema === false) gaps.push('it keeps to no JSON schema');
  if (needs.logprobs && logprobs === false) gaps.push('it returns no log-probabilities');
  return gaps;
}
