import type { PriceLookup } from '@synapsekit/core';
import { CallPrices, type PriceAs } from './call-prices.ts';

/** Prices, loaded once, at the first call of a model. */
export class PriceSource {
  readonly #prices: PriceLookup | (() => PriceLookup | Promise<PriceLookup>) | undefined;
  readonly #as: PriceAs | undefined;
  #loading: Promise<CallPrices | undefined> | undefined;
  /** There once they are loaded. */
  loaded: CallPrices | undefined;
  /** Why they could not be loaded. */
  failure: unknown;

  constructor(
    prices: PriceLookup | (() => PriceLookup | Promise<PriceLookup>) | undefined,
    as: PriceAs | undefined,
  ) {
    this.#prices = prices;
    this.#as = as;
  }

  /** Never rejects: without prices no cost is known. A failure is kept, and loading is tried again. */
  async load(): Promise<CallPrices | undefined> {
    if (this.loaded !== undefined) return this.loaded;
    this.#loading ??= this.#read();
    try {
      this.loaded = await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      this.failure ??= error;
    }
    return this.loaded;
  }

  async #read(): Promise<CallPrices | undefined> {
    const prices = typeof this.#prices === 'function' ? await this.#prices() : this.#prices;
    return prices && new CallPrices(prices, this.#as);
  }
}
