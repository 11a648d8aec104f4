import {
  createGenerationStream,
  isAbandonment,
  isContent,
  type LLMMiddleware,
  passOn,
} from '@synapsekit/core';
import type { CircuitBreaker } from './breaker/circuit-breaker.ts';
import type { Permit } from './breaker/permit.ts';

/**
 * Guards a model with a circuit breaker; models of one provider may share one. Give each provider its own.
 *
 * Streams are guarded to their last chunk: truncation, stalls and errors on the way count. A probe is settled by the
 * first content; what happens after it counts in the state that the circuit is in then. A consumer who leaves after
 * some content has seen the provider work (success), one who leaves before has not (neutral), an abort is neutral.
 *
 * Routers and chains see an open circuit through `availability()` and skip the model without a call.
 */
export function breakOn(breaker: CircuitBreaker): LLMMiddleware {
  return (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,

    availability() {
      const own = breaker.availability();
      return own.available ? (next.availability?.() ?? own) : own;
    },

    async generate(prompt, options) {
      const signal = options?.signal;
      signal?.throwIfAborted();
      const permit = breaker.acquire();
      try {
        const generation = await next.generate(prompt, options);
        if (signal?.aborted === true) permit.neutral();
        else permit.succeed(generation);
        return generation;
      } catch (error) {
        if (signal?.aborted === true) permit.neutral();
        else permit.fail(error);
        throw error;
      }
    },

    stream(prompt, options) {
      return createGenerationStream(
        async function* (context) {
          const { signal } = context;
          // Undefined once there is nothing left to settle.
          let permit: Permit | undefined = breaker.acquire();
          let emitted = false;
          try {
            const generation = yield* passOn(context, next.stream(prompt, { ...options, signal }), {
              came(event) {
                if (!isContent(event)) return true;
                emitted = true;
                if (permit?.probe === true) permit = settleProbe(breaker, permit);
                return false;
              },
            });
            // SDK iterators end normally when they are aborted.
            if (!signal.aborted) permit?.succeed(generation);
            return generation;
          } catch (error) {
            if (!signal.aborted) permit?.fail(error);
            throw error;
          } finally {
            if (emitted && !isAbort(signal)) permit?.succeed();
            permit?.neutral();
          }
        },
        { signal: options?.signal },
      );
    },
  });
}

/** The provider is well: whoever waits for the probe may go. The rest of the stream is an ordinary call. */
function settleProbe(breaker: CircuitBreaker, probe: Permit): Permit | undefined {
  probe.succeed();
  // While other probes are out, or after somebody shut it by hand, there is nothing to take part in.
  return breaker.state === 'CLOSED' ? breaker.tryAcquire() : undefined;
}

/** Aborted by the caller, as opposed to left by the consumer. */
function isAbort(signal: AbortSignal): boolean {
  return signal.aborted && !isAbandonment(signal.reason);
}
