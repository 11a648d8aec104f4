import {
  type Attempt,
  type CallOptions,
  type Generation,
  type LLM,
  type PicoUsd,
  type Price,
  type PriceLookup,
  parseUsd,
  tellAttempt,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import type { Classification } from './classifier.ts';
import type { Route, RouteCost, RoutedGeneration, RouteStep } from './routed.ts';

/** Collects what one routed call does, and tells it. */
export class RoutedCall {
  readonly #prices: PriceLookup | undefined;
  readonly #options: CallOptions;
  readonly #attempts = new Map<string, { readonly step: RouteStep; readonly attempt: Attempt }>();

  constructor(prices: PriceLookup | undefined, options: CallOptions) {
    this.#prices = prices;
    this.#options = options;
  }

  optionsFor(step: RouteStep): CallOptions {
    return {
      ...this.#options,
      onAttempt: (attempt) => {
        this.#note(step, attempt);
        tellAttempt(this.#options.onAttempt, attempt);
      },
    };
  }

  routed(
    generation: Generation,
    classification: Classification,
    candidates: readonly LLM[],
  ): RoutedGeneration {
    // Models that do not report their attempts as they end still list them in their answer.
    for (const attempt of classification.generation?.attempts ?? []) this.#note('classify', attempt);
    for (const attempt of generation.attempts) this.#note('answer', attempt);
    const costs = [...this.#attempts.values()].map((entry) => this.#cost(entry));
    const known = costs.every(({ costUsdExact }) => costUsdExact !== undefined);
    const total = costs.reduce((sum, { costUsdExact }) => sum + parseUsd(costUsdExact ?? 0), 0n);
    const route: Route = {
      complexity: classification.complexity,
      classifiedBy: classification.source ?? 'local',
      ...(classification.error !== undefined && { classifierError: classification.error }),
      planned: candidates.map(({ id }) => id),
      servedBy: generation.servedBy,
      failures: generation.failures,
      costs,
      costUsd: known ? usdNumber(total) : undefined,
    };
    return { ...generation, attempts: costs.map(({ attempt }) => attempt), route };
  }

  #note(step: RouteStep, attempt: Attempt): void {
    if (attempt.usage === undefined || this.#attempts.has(attempt.attemptId)) return;
    this.#attempts.set(attempt.attemptId, { step, attempt });
  }

  #cost({ step, attempt }: { readonly step: RouteStep; readonly attempt: Attempt }): RouteCost {
    const pico = this.#pico(attempt);
    const known = pico !== undefined;
    return {
      step,
      attempt,
      costUsd: known ? usdNumber(pico) : undefined,
      costUsdExact: known ? usdDecimal(pico) : undefined,
    };
  }

  #pico({ usage, provider, model }: Attempt): PicoUsd | undefined {
    if (usage === undefined) return undefined;
    const { servedModel, serviceTier } = usage;
    const find = (id: string): Price | undefined => this.#prices?.find({ provider, model: id, serviceTier });
    try {
      return ((servedModel !== undefined ? find(servedModel) : undefined) ?? find(model))?.costPico(usage);
    } catch {
      // Counts that are none. The answer is paid for, so it is handed out all the same.
      return undefined;
    }
  }
}
