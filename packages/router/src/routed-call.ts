import {
  type Attempt,
  type CallOptions,
  type PicoUsd,
  type Price,
  type PriceLookup,
  parseUsd,
  tellAttempt,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import type { RouteCost, RouteStep } from './routed.ts';

/** The attempts of a routed call and what they cost. */
export interface RoutedCosts {
  readonly attempts: readonly Attempt[];
  readonly costs: readonly RouteCost[];
  /** `undefined` as soon as one of them is unknown. */
  readonly costUsd: number | undefined;
}

/** Collects what one routed call does, in all its steps. */
export class RoutedCall {
  readonly #prices: PriceLookup | undefined;
  readonly #options: CallOptions;
  readonly #attempts = new Map<string, { readonly step: RouteStep; readonly attempt: Attempt }>();

  constructor(prices: PriceLookup | undefined, options: CallOptions) {
    this.#prices = prices;
    this.#options = options;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** What the models of a step are called with: the caller's options, and an ear on their attempts. */
  optionsFor(step: RouteStep): CallOptions {
    return {
      ...this.#options,
      onAttempt: (attempt) => {
        this.#note(step, attempt);
        tellAttempt(this.#options.onAttempt, attempt);
      },
    };
  }

  /** Models that do not report their attempts as they end still list them in their answer. */
  note(step: RouteStep, attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#note(step, attempt);
  }

  /** Everything until now. */
  costs(): RoutedCosts {
    const costs = [...this.#attempts.values()].map((entry) => this.#cost(entry));
    const known = costs.every(({ costUsdExact }) => costUsdExact !== undefined);
    const total = costs.reduce((sum, { costUsdExact }) => sum + parseUsd(costUsdExact ?? 0), 0n);
    return {
      attempts: costs.map(({ attempt }) => attempt),
      costs,
      costUsd: known ? usdNumber(total) : undefined,
    };
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
