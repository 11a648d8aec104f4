import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attempt,
  type Attributes,
  type CostRecord,
  createGenerationStream,
  type LLMMiddleware,
  type PriceLookup,
  relay,
  type SpendSource,
  type Usage,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import { prices as tutorialPrices } from './flat-prices.ts';

/** A source of spend, as small as can be. */
export class TestTracker implements SpendSource {
  readonly prices: PriceLookup;
  /** What was recorded, once per attempt; a later actual replaces an estimate. Pico-dollars. */
  readonly booked: Map<string, bigint> = new Map();
  readonly #scope = new AsyncLocalStorage<Attributes>();
  readonly #listeners = new Set<(record: CostRecord) => void>();

  constructor(prices: PriceLookup = tutorialPrices) {
    this.prices = prices;
  }

  get totalPico(): bigint {
    return [...this.booked.values()].reduce((sum, pico) => sum + pico, 0n);
  }

  onRecord(listener: (record: CostRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs `fn` where everything is for somebody. */
  scope<T>(attributes: Attributes, fn: () => T): T {
    return this.#scope.run({ ...this.scopeAttributes(), ...attributes }, fn);
  }

  scopeAttributes(): Attributes {
    return this.#scope.getStore() ?? {};
  }

  record(provider: string, model: string, usage: Usage): CostRecord {
    const price = this.prices.find({ provider, model });
    const pico = price?.costPico(usage) ?? 0n;
    const attemptId = usage.attemptId ?? `recorded-${this.booked.size}`;
    this.booked.set(attemptId, pico);
    const record: CostRecord = {
      version: 1,
      attemptId,
      atMs: 0,
      provider,
      model,
      modelId: `${provider}/${model}`,
      usage,
      costUsd: usdNumber(pico),
      costUsdExact: usdDecimal(pico),
      unpriced: price === undefined,
      estimated: usage.source === 'estimated',
      scopePath: [],
      attributes: this.scopeAttributes(),
    };
    for (const listener of this.#listeners) listener(record);
    return record;
  }
}

/** Records every attempt that has a usage. */
export function track(tracker: TestTracker): LLMMiddleware {
  return (next) => {
    const listen = (onAttempt?: (attempt: Attempt) => void) => (attempt: Attempt) => {
      if (attempt.usage !== undefined) tracker.record(attempt.provider, attempt.model, attempt.usage);
      onAttempt?.(attempt);
    };
    return {
      provider: next.provider,
      model: next.model,
      id: next.id,
      generate: (prompt, options = {}) =>
        next.generate(prompt, { ...options, onAttempt: listen(options.onAttempt) }),
      stream: (prompt, options = {}) =>
        createGenerationStream(
          (context) =>
            relay(
              context,
              next.stream(prompt, {
                ...options,
                signal: context.signal,
                onAttempt: listen(options.onAttempt),
              }),
            ),
          { signal: options.signal },
        ),
    };
  };
}
