import { ConfigError, type Price, UnknownPriceError } from '@synapsekit/core';
import type { GuardSettings } from './guard-options.ts';
import type { Selection } from './limit-lines.ts';

/** A model whose price is wanted. Without a provider, the model alone has to tell. */
export interface PricedModel {
  readonly provider?: string;
  readonly model: string;
}

/** Where a guard looks up what a model costs. */
export class GuardPrices {
  readonly #settings: GuardSettings;

  constructor(settings: GuardSettings) {
    this.#settings = settings;
  }

  /**
   * The price that these limits need; `undefined` where none of them counts money and nobody knows one.
   *
   * @throws ConfigError, UnknownPriceError where they do count money.
   */
  forLimits(
    { countsMoney }: Selection,
    model: PricedModel & { readonly id: string },
    serviceTier: string | undefined,
  ): Price | undefined {
    if (countsMoney) return this.get(model, serviceTier);
    return this.#settings.prices === undefined ? undefined : this.find(model, serviceTier);
  }

  /** @throws ConfigError without prices; UnknownPriceError when they do not have this model. */
  get(model: PricedModel & { readonly id: string }, serviceTier: string | undefined): Price {
    const price = this.find(model, serviceTier);
    if (price !== undefined) return price;
    throw new UnknownPriceError(
      `Budget "${this.#settings.name}" needs the price of ${model.id}, and it is not known. Nothing was sent. Give its price: new PriceBook({ overrides: [{ model, inputUsdPerMillion, outputUsdPerMillion }] }) as \`prices\`, or free: true.`,
      { ...(model.provider !== undefined && { provider: model.provider }), model: model.model },
    );
  }

  /** @throws ConfigError without prices. */
  find({ provider, model }: PricedModel, serviceTier?: string): Price | undefined {
    const { prices, name, clock } = this.#settings;
    if (prices === undefined) {
      throw new ConfigError(
        `Budget "${name}" needs prices to bound what a call may cost: build it with { tracker } or { prices }.`,
        { option: 'prices' },
      );
    }
    return prices.find({ model, provider, serviceTier, atMs: clock.now() });
  }
}
