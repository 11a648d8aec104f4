import type { Capabilities } from '@synapsekit/core';
import { baseName } from './dialect.ts';

/** Context window, longest answer, and what the model lacks of: tools, images, JSON schemas, log-probabilities. */
type Row = readonly [contextWindow: number, maxOutputTokens: number, lacks?: string];

/**
 * OpenAI's chat models. Windows and answers from the model pages at https://developers.openai.com/api/docs/models,
 * November 2026; what GPT-6 lacks over chat-completions from the deployment checklist there.
 */
const models: ReadonlyMap<string, Row> = new Map(
  Object.entries<Row>({
    'gpt-3.5-turbo': [16_385, 4_096, 'images json-schema'],
    'gpt-4': [8_192, 8_192, 'images json-schema'],
    'gpt-4-turbo': [128_000, 4_096, 'json-schema'],
    'gpt-4o': [128_000, 16_384],
    'gpt-4o-mini': [128_000, 16_384],
    'gpt-4.1': [1_047_576, 32_768],
    'gpt-4.1-mini': [1_047_576, 32_768],
    'gpt-4.1-nano': [1_047_576, 32_768],
    o1: [200_000, 100_000, 'logprobs'],
    o3: [200_000, 100_000, 'logprobs'],
    'o3-mini': [200_000, 100_000, 'images logprobs'],
    'o4-mini': [200_000, 100_000, 'logprobs'],
    'gpt-5': [400_000, 128_000, 'logprobs'],
    'gpt-5-mini': [400_000, 128_000, 'logprobs'],
    'gpt-5-nano': [400_000, 128_000, 'logprobs'],
    'gpt-5.1': [400_000, 128_000],
    'gpt-5.2': [400_000, 128_000],
    'gpt-5.4': [1_050_000, 128_000],
    'gpt-5.4-mini': [400_000, 128_000],
    'gpt-5.4-nano': [400_000, 128_000],
    'gpt-6-luna': [1_050_000, 128_000],
    'gpt-6-sol': [1_050_000, 128_000],
    'gpt-6-astra': [1_050_000, 128_000, 'tools logprobs'],
    'gpt-6.1-sol': [1_050_000, 128_000, 'tools logprobs'],
  }),
);

/** What is known of a model or one of its dated snapshots; `undefined` when nothing is. */
export function openaiCapabilities(model: string): Capabilities | undefined {
  const row = models.get(baseName(model).replace(/-\d{4}-\d\d-\d\d$/, ''));
  if (row === undefined) return undefined;
  const [contextWindow, maxOutputTokens, lacks = ''] = row;
  const has = (what: string): boolean => !lacks.split(' ').includes(what);
  return {
    contextWindow,
    maxOutputTokens,
    tools: has('tools'),
    images: has('images'),
    jsonSchema: has('json-schema'),
    logprobs: has('logprobs'),
  };
}
