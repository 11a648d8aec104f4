import {
  type Attempt,
  type CallOptions,
  createGenerationStream,
  estimatePromptTokens,
  type Generation,
  isSynapseError,
  type LLM,
  type LLMMiddleware,
  type Prompt,
  passOn,
  RateLimitedError,
  type TokenCounts,
  tellAttempt,
} from '@synapsekit/core';
import { type RateGrant, RateLimiter, type RateLimiterOptions } from './rate-limiter.ts';

/** How long an answer is taken to be where nobody limits it. */
const usualAnswerTokens = 1_024;

/**
 * Keeps a model under its provider's limits per minute: calls wait their turn, or are refused where the wait would
 * exceed `maxWaitMs`. A call takes an estimate (prompt, and `maxTokens` in full, as providers count it) and is settled
 * by what it used. A 429 pauses everything for as long as it asks, and the provider's rate-limit headers are heeded.
 *
 * @param limits options for a limiter of its own, or a `RateLimiter` shared by everything that uses the same key.
 * @throws ConfigError without a limit, for an unknown option or a value out of range.
 */
export function rateLimit(limits: RateLimiterOptions | RateLimiter): LLMMiddleware {
  const limiter = limits instanceof RateLimiter ? limits : new RateLimiter(limits);
  return (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,

    availability() {
      const waitMs = limiter.waitMs();
      if (waitMs <= limiter.maxWaitMs) return next.availability?.() ?? { available: true };
      const retryAfterMs = Math.ceil(waitMs);
      const error = new RateLimitedError(
        `The rate limit of ${next.id} leaves no room for ${retryAfterMs} ms. Come back then, or ask another provider.`,
        { resource: 'requests', retryAfterMs },
      );
      return { available: false, retryAfterMs, error };
    },

    async generate(prompt, options = {}) {
      const call = new LimitedCall(limiter, options);
      await call.admit(next, prompt, options.signal);
      try {
        return call.served(await next.generate(prompt, call.options));
      } catch (error) {
        throw call.failed(error);
      } finally {
        call.settle();
      }
    },

    stream(prompt, options = {}) {
      return createGenerationStream(
        async function* (context) {
          const call = new LimitedCall(limiter, { ...options, signal: context.signal });
          await call.admit(next, prompt, context.signal);
          try {
            return call.served(yield* passOn(context, next.stream(prompt, call.options)));
          } catch (error) {
            throw call.failed(error);
          } finally {
            call.settle();
          }
        },
        { signal: options.signal },
      );
    },
  });
}

/** One call under a limiter: counts what its attempts use. */
class LimitedCall {
  readonly options: CallOptions;
  readonly #limiter: RateLimiter;
  #grant: RateGrant | undefined;
  #requests = 0;
  #tokens = 0;

  constructor(limiter: RateLimiter, options: CallOptions) {
    this.#limiter = limiter;
    this.options = {
      ...options,
      onAttempt: (attempt) => {
        this.#count(attempt);
        tellAttempt(options.onAttempt, attempt);
      },
    };
  }

  async admit(llm: LLM, prompt: Prompt, signal: AbortSignal | undefined): Promise<void> {
    const tokens = this.#estimate(llm, prompt);
    this.#grant = await this.#limiter.acquire({ tokens, signal });
  }

  served(generation: Generation): Generation {
    // A model that reports no attempts has made one all the same.
    if (this.#requests === 0) {
      this.#requests = 1;
      this.#tokens = tokensOf(generation.usage);
    }
    this.settle();
    if (generation.rateLimit !== undefined) this.#limiter.sync(generation.rateLimit);
    return generation;
  }

  /** Heeds a throttle; no other failure says anything about the limits. */
  failed<E>(error: E): E {
    this.settle();
    if (isSynapseError(error, 'provider') && error.kind === 'rate-limit') {
      this.#limiter.throttled(error.retryAfterMs);
    }
    return error;
  }

  /** Before anything that the provider says is heeded: what it says is newer. */
  settle(): void {
    this.#grant?.settle({ requests: this.#requests, tokens: this.#tokens });
  }

  #count({ outcome, usage }: Attempt): void {
    if (outcome === 'unsent') return;
    this.#requests++;
    if (usage !== undefined) this.#tokens += tokensOf(usage);
  }

  #estimate(llm: LLM, prompt: Prompt): number {
    const promptTokens = estimatePromptTokens(prompt, this.options);
    const maxTokens = this.options.maxTokens ?? llm.defaults?.maxTokens;
    if (maxTokens !== undefined) return promptTokens + maxTokens;
    // A guess must not make a call too large that nobody limited.
    const { tokenCapacity } = this.#limiter;
    return Math.max(promptTokens, Math.min(promptTokens + usualAnswerTokens, tokenCapacity));
  }
}

function tokensOf({ inputTokens, outputTokens }: TokenCounts): number {
  return inputTokens + outputTokens;
}
