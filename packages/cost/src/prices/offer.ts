import type { Price } from '@synapsekit/core';
import type { PriceStep } from './price-table.ts';
import { type EndOfModel, retirementOf } from './retirements.ts';
import { type PriceFacts, StepPrice } from './step-price.ts';

/** A price that is made when it is asked for, once before and once after the end of its model. */
export class Offer {
  readonly #facts: PriceFacts;
  readonly #steps: readonly PriceStep[] | undefined;
  readonly #end: EndOfModel | undefined;
  #price: Price | undefined;
  #pastPrice: Price | undefined;

  /** @param steps `undefined` when the price is not known in the tier asked for. */
  constructor(facts: PriceFacts, steps: readonly PriceStep[] | undefined, end: EndOfModel | undefined) {
    this.#facts = facts;
    this.#steps = steps;
    this.#end = end;
  }

  /** The price as of `atMs`, Unix milliseconds: the figures are the same, the end of the model may have passed. */
  at(atMs: number): Price | undefined {
    if (this.#steps === undefined) return undefined;
    if (this.#end !== undefined && atMs >= this.#end.overMs) {
      this.#pastPrice ??= this.#make(this.#steps, true);
      return this.#pastPrice;
    }
    this.#price ??= this.#make(this.#steps, false);
    return this.#price;
  }

  #make(steps: readonly PriceStep[], past: boolean): Price {
    const retirement = this.#end && retirementOf(this.#end, past);
    return new StepPrice({ ...this.#facts, retirement }, steps);
  }
}
