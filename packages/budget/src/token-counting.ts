import { createTokenCounter, type LLM, type TokenCounter } from '@synapsekit/core';

type Encoding = 'cl100k_base' | 'o200k_base' | 'o200k_harmony';

const counters = new Map<Encoding, Promise<TokenCounter | undefined>>();

/**
 * The exact counter for models whose tokenizer is public, if `gpt-tokenizer` is installed. Loaded when first needed: it
 * takes some hundred milliseconds.
 */
export function exactCounter(
  llm: Pick<LLM, 'provider' | 'model'>,
): Promise<TokenCounter | undefined> | undefined {
  const encoding = encodingOf(llm);
  if (encoding === undefined) return undefined;
  let counter = counters.get(encoding);
  if (counter === undefined) {
    counter = load(encoding);
    counters.set(encoding, counter);
  }
  return counter;
}

async function load(encoding: Encoding): Promise<TokenCounter | undefined> {
  try {
    return createTokenCounter(await modules[encoding]());
  } catch {
    return undefined; // not installed: the upper bound has to do
  }
}

const modules = {
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  o200k_harmony: () => import('gpt-tokenizer/encoding/o200k_harmony'),
};

/** OpenAI's encodings by model (tiktoken's table, openai/tiktoken `model.py`). */
function encodingOf({ provider, model }: Pick<LLM, 'provider' | 'model'>): Encoding | undefined {
  const name = model.startsWith('openai/') ? model.slice('openai/'.length) : model;
  if (name.startsWith('gpt-oss')) return 'o200k_harmony';
  if (provider !== 'openai') return undefined;
  if (/^(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|chatgpt-4o|o[134](-|$))/.test(name)) return 'o200k_base';
  if (/^(gpt-4|gpt-3\.5)/.test(name)) return 'cl100k_base';
  return undefined;
}
