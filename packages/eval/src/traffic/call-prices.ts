import {
  type CostRecord,
  modelId,
  type PicoUsd,
  type Price,
  type PriceLookup,
  type Usage,
  usdDecimal,
} from '@synapsekit/core';
import type { Reprice } from '../charge.ts';

/** Who was asked. */
export interface AskedModel {
  readonly provider: string | undefined;
  readonly model: string;
  readonly serviceTier?: string | undefined;
}

/** Models that are priced as if they were others: from id to id. */
export type PriceAs = Readonly<Record<string, string>>;

/** Finds prices of calls, and prices them as other models where that is asked for. */
export class CallPrices {
  readonly #prices: PriceLookup;
  readonly #as: PriceAs;

  constructor(prices: PriceLookup, as: PriceAs = {}) {
    this.#prices = prices;
    this.#as = as;
  }

  /** What is really paid for a model in a tier. */
  find({ provider, model, serviceTier }: AskedModel): Price | undefined {
    return this.#prices.find({ model, provider, serviceTier });
  }

  /** What an answer really cost: by the model and tier that served, else by what was asked for. */
  billed(asked: AskedModel, usage: Usage): PicoUsd | undefined {
    const { servedModel = asked.model, serviceTier = asked.serviceTier } = usage;
    const price =
      this.find({ ...asked, model: servedModel, serviceTier }) ?? this.find({ ...asked, serviceTier });
    return costOf(price, usage);
  }

  /** What it counts as: the same, unless it is priced as another model. */
  attributed(asked: AskedModel, usage: Usage): PicoUsd | undefined {
    const other = this.#other(asked, usage.servedModel);
    if (other === undefined) return this.billed(asked, usage);
    return costOf(this.#prices.find({ model: other, serviceTier: usage.serviceTier }), usage);
  }

  #other({ provider, model }: AskedModel, servedModel: string | undefined): string | undefined {
    const id = provider === undefined ? model : modelId(provider, model);
    return this.#as[id] ?? this.#as[model] ?? (servedModel === undefined ? undefined : this.#as[servedModel]);
  }
}

function costOf(price: Price | undefined, usage: Usage): PicoUsd | undefined {
  try {
    return price?.costPico(usage);
  } catch {
    return undefined; // counts that contradict each other
  }
}

/**
 * Prices what trackers record anew: for a run under other prices, or as if other models had answered. The tokens stay
 * what they were: another model would count and write differently.
 */
export function createReprice(prices: PriceLookup, as: PriceAs = {}): Reprice {
  const calls = new CallPrices(prices, as);
  return ({ provider, model, servedModel, usage }: CostRecord) => {
    const counts = servedModel === undefined ? usage : { ...usage, servedModel };
    const pico = calls.attributed({ provider, model, serviceTier: usage.serviceTier }, counts);
    return pico === undefined ? undefined : usdDecimal(pico);
  };
}
