import {
  anyAvailable,
  type Capabilities,
  type Clock,
  ConfigError,
  callListener,
  failoverGenerate,
  failoverStream,
  type LLM,
  type ProviderFailure,
  type Random,
  rejectUnknownKeys,
  requireNumber,
  warnOfListener,
  wrap,
} from '@synapsekit/core';
import { breakOn } from './break-on.ts';
import type { CircuitBreaker } from './breaker/circuit-breaker.ts';
import { retry } from './retry.ts';

/** A model of a chain, with the breaker that guards its provider. */
export interface GuardedModel {
  readonly llm: LLM;
  readonly breaker: CircuitBreaker;
}

/** How a chain falls back. */
export interface FallbackChainOptions {
  /**
   * Retries of each model before the next one is asked. A model that asks to wait longer than two seconds is not
   * waited for: the next one is at hand. @default 0
   */
  readonly retriesPerProvider?: number | undefined;
  /** Is told of each model that failed or was skipped, and why. */
  readonly onFailover?: ((failure: ProviderFailure) => unknown) | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

const retryWaitMs = 2_000;

/**
 * A model made of several: asks the first, and the next one where the first fails in a way that another may make
 * good. Open circuits are skipped without a call; a stream falls back only before its first content.
 *
 * ```ts
 * const llm = fallbackChain([{ llm: gpt4o, breaker: openaiBreaker }, { llm: llama, breaker: groqBreaker }]);
 * const { text, servedBy, failures } = await llm.generate(prompt);
 * ```
 *
 * An abort and a bad request go nowhere; after a budget refusal only a model with a smaller hold is asked.
 * `servedBy` of the answer says who served, `failures` who did not and why, `attempts` everything that may have cost.
 *
 * @throws ConfigError for an empty list, an unknown option or a value out of range. Calls throw
 *   AllProvidersFailedError with one entry per model; BudgetExceededError when budgets alone refused; the error
 *   itself where nobody else may be asked; `signal.reason` on abort.
 */
export function fallbackChain(
  models: readonly (LLM | GuardedModel)[],
  options: FallbackChainOptions = {},
): LLM {
  const known = ['retriesPerProvider', 'onFailover', 'clock', 'random'];
  rejectUnknownKeys(options, known, 'FallbackChainOptions');
  const { retriesPerProvider = 0, onFailover, clock, random } = options;
  requireNumber(retriesPerProvider, 'retriesPerProvider', { integer: true, min: 0 });
  if (!Array.isArray(models) || models.length === 0) {
    throw new ConfigError('fallbackChain needs at least one model.', { option: 'models' });
  }
  const again = retry({
    maxAttempts: retriesPerProvider + 1,
    maxRetryAfterMs: retryWaitMs,
    clock,
    random,
  });
  const candidates = models.map((model) => {
    const guarded = 'breaker' in model ? wrap(model.llm, breakOn(model.breaker)) : model;
    return retriesPerProvider > 0 ? wrap(guarded, again) : guarded;
  });
  const hooks = {
    onFailure(failure: ProviderFailure): void {
      if (onFailover === undefined) return;
      callListener(onFailover, failure, (error) => warnOfListener('onFailover of fallbackChain()', error));
    },
  };
  const model = candidates.map(({ id }) => id).join(',');

  return {
    provider: 'fallback',
    model,
    id: `fallback(${model})`,
    capabilities: sharedCapabilities(candidates),
    defaults: { maxTokens: most(candidates.map(({ defaults }) => defaults?.maxTokens)) },
    candidates: () => candidates,
    availability: () => anyAvailable(candidates),
    generate: (prompt, callOptions) => failoverGenerate(candidates, prompt, callOptions, hooks),
    stream: (prompt, callOptions) => failoverStream(candidates, prompt, callOptions, hooks),

    /**
     * The smallest of the candidates' holds. After a refusal elsewhere the question is whether anybody in here may
     * fit; each candidate's own guard still refuses what does not. A candidate without a guard would go round the
     * budget, so with one among them there is no quote and the chain is not asked.
     */
    quoteHold(prompt, callOptions) {
      const holds = candidates.map((llm) => llm.quoteHold?.(prompt, callOptions));
      return holds.reduce((least, hold) =>
        least === undefined || hold === undefined ? undefined : hold.pico < least.pico ? hold : least,
      );
    },
  };
}

/** What a call may rely on whoever serves it; the context window is the largest, since overflow falls back to it. */
function sharedCapabilities(candidates: readonly LLM[]): Capabilities {
  const of = <K extends keyof Capabilities>(key: K): Capabilities[K][] =>
    candidates.map(({ capabilities }) => capabilities?.[key]);
  return {
    contextWindow: most(of('contextWindow')),
    maxOutputTokens: least(of('maxOutputTokens')),
    tools: all(of('tools')),
    images: all(of('images')),
    jsonSchema: all(of('jsonSchema')),
    logprobs: all(of('logprobs')),
  };
}

/** Unknown if one is. */
function most(values: readonly (number | undefined)[]): number | undefined {
  return values.includes(undefined) ? undefined : Math.max(...(values as number[]));
}

/** Of those that are known. */
function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** False if one is, unknown if one is. */
function all(values: readonly (boolean | undefined)[]): boolean | undefined {
  if (values.includes(false)) return false;
  return values.includes(undefined) ? undefined : true;
}
