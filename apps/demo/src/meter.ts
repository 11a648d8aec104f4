import { usdDecimal } from '@synapsekit/core';
import type { SimulatedProvider } from '@synapsekit/testing';

/** Reads the provider's own bill and request log from here on: the other side of every claim about money. */
export class Meter {
  readonly #provider: SimulatedProvider;
  readonly #startPico: bigint;
  readonly #startRequests: number;

  constructor(provider: SimulatedProvider) {
    this.#provider = provider;
    this.#startPico = provider.bill.totalPico;
    this.#startRequests = provider.requests.length;
  }

  /** What the provider charges since then, in dollars, exact. */
  get billedUsd(): string {
    return usdDecimal(this.#provider.bill.totalPico - this.#startPico);
  }

  /** How many requests have arrived since then. */
  get requests(): number {
    return this.#provider.requests.length - this.#startRequests;
  }

  /** How many of them one provider got. */
  requestsTo(name: 'openai' | 'groq'): number {
    return this.#provider.requests.slice(this.#startRequests).filter(({ provider }) => provider === name)
      .length;
  }
}
