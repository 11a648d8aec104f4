import { failoverGenerate, failoverStream, type LLM } from '@synapsekit/core';

/** A chain, as routers and fallback chains are built. */
export function chain(...candidates: LLM[]): LLM {
  return {
    provider: 'chain',
    model: 'chain',
    id: 'chain',
    candidates: () => candidates,
    generate: (prompt, options) => failoverGenerate(candidates, prompt, options),
    stream: (prompt, options) => failoverStream(candidates, prompt, options),
  };
}
