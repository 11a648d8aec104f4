import {
  createGenerationStream,
  type LLMMiddleware,
  logAttempts,
  raceAbort,
  relayTry,
} from '@synapsekit/core';
import { type RetryOptions, RetryPolicy } from './retry-policy.ts';

/**
 * Asks a model again when it fails in a way that may pass: lost connections, 5xx, 429, timeouts. Waits at least as
 * long as the provider asks, or fails at once where that is too long. Streams are started over only before their
 * first content. `Generation.attempts` lists every attempt that may have cost something.
 *
 * Put it outermost: each attempt is then a call of its own for budget, breaker and tracker.
 *
 * @throws ConfigError for an unknown option or a value out of range.
 */
export function retry(options: RetryOptions = {}): LLMMiddleware {
  const policy = new RetryPolicy(options);
  return (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,

    async generate(prompt, callOptions = {}) {
      const run = policy.begin(callOptions.signal);
      const attempts = logAttempts(callOptions);
      for (;;) {
        try {
          const generation = await next.generate(prompt, attempts.options);
          run.succeeded();
          return attempts.addTo(generation);
        } catch (error) {
          await run.failed(error, next);
        }
      }
    },

    stream(prompt, callOptions = {}) {
      return createGenerationStream(
        async function* (context) {
          const run = policy.begin(context.signal);
          const attempts = logAttempts({ ...callOptions, signal: context.signal });
          for (;;) {
            let emitted = false;
            try {
              const generation = yield* relayTry(context, next.stream(prompt, attempts.options), {
                onContent: () => {
                  emitted = true;
                },
                finish: (answer) => attempts.addTo(answer),
              });
              run.succeeded();
              return generation;
            } catch (error) {
              if (emitted) throw error;
              await run.failed(error, next);
            }
          }
        },
        { signal: callOptions.signal },
      );
    },
  });
}

/** What a retried function is given. */
export interface RetryContext {
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** The caller's signal, if there is one. Hand it on. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Calls a function of yours until it succeeds, under the same rules as `retry` has for models. Errors that
 * SynapseKit does not know are not retried unless `retryOn` says so.
 *
 * ```ts
 * const page = await withRetry(({ signal }) => download(url, signal), { retryOn: isNetworkError, signal });
 * ```
 *
 * @throws the error of the last attempt; `signal.reason` as soon as `signal` aborts; ConfigError for wrong options.
 */
export async function withRetry<T>(
  fn: (context: RetryContext) => T | PromiseLike<T>,
  options: RetryOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const { signal, ...rules } = options;
  const run = new RetryPolicy(rules).begin(signal);
  for (;;) {
    try {
      signal?.throwIfAborted();
      const result = await raceAbort(callAsync(fn, { attempt: run.attempt, signal }), signal);
      run.succeeded();
      return result;
    } catch (error) {
      await run.failed(error);
    }
  }
}

async function callAsync<C, T>(fn: (context: C) => T | PromiseLike<T>, context: C): Promise<T> {
  return fn(context);
}
