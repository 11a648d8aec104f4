import { createGenerationStream, type LLMMiddleware, passOn } from '@synapsekit/core';
import { Bulkhead, type BulkheadOptions } from './bulkhead.ts';

/**
 * Bounds how many calls of a model run at once; streams hold their place to the last chunk.
 *
 * @param places options for a bulkhead of its own, or a `Bulkhead` shared by several models.
 * @throws ConfigError for an unknown option or a value out of range.
 */
export function bulkhead(places: BulkheadOptions | Bulkhead): LLMMiddleware {
  const shared = places instanceof Bulkhead ? places : new Bulkhead(places);
  return (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,

    availability() {
      if (!shared.full) return next.availability?.() ?? { available: true };
      return { available: false, error: shared.refusal() };
    },

    async generate(prompt, options) {
      const leave = await shared.enter({ signal: options?.signal });
      try {
        return await next.generate(prompt, options);
      } finally {
        leave();
      }
    },

    stream(prompt, options) {
      return createGenerationStream(
        async function* (context) {
          const leave = await shared.enter({ signal: context.signal });
          try {
            return yield* passOn(context, next.stream(prompt, { ...options, signal: context.signal }));
          } finally {
            leave();
          }
        },
        { signal: options?.signal },
      );
    },
  });
}
