import type { Price } from '@synapsekit/core';
import { type FoundModel, findInTable } from './find-model.ts';
import { multiply } from './fraction.ts';
import { findLimits } from './model-limits.ts';
import { Offer } from './offer.ts';
import type { CompiledOverride } from './overrides.ts';
import { priceSource } from './price-data.ts';
import { type PriceStep, periodAt, type RawPeriod, readSteps } from './price-table.ts';
import { ratesFrom } from './rates.ts';
import { type Answer, answersFor } from './readings.ts';
import { findEnd } from './retirements.ts';
import type { ServiceTiers } from './service-tiers.ts';

/** Everything a query asks but the time. */
export interface Question {
  readonly model: string;
  readonly provider: string | undefined;
  /** By its one name: see `tierName`. */
  readonly tier: string;
}

/** What a price book knows besides the table. */
export interface Knowledge {
  readonly overrides: readonly CompiledOverride[];
  readonly tiers: ServiceTiers;
  readonly defaultHosts: readonly string[];
}

/** The prices of one model in one tier over time. */
export class DatedPrices {
  readonly #tier: string;
  readonly #tiers: ServiceTiers;
  readonly #found: FoundModel | undefined;
  readonly #answers: readonly Answer[];
  readonly #offers: Map<Answer | RawPeriod, Offer> = new Map();
  /** The offer of all times, where there is but one. */
  #only: Offer | undefined;

  constructor({ model, provider, tier }: Question, { overrides, tiers, defaultHosts }: Knowledge) {
    this.#tier = tier;
    this.#tiers = tiers;
    this.#found = findInTable(model, provider, defaultHosts);
    this.#answers = answersFor(model, provider, this.#found, overrides);
  }

  /** The price at a time, Unix milliseconds; the same object for the same price. */
  at(atMs: number): Price | undefined {
    if (this.#only !== undefined) return this.#only.at(atMs);
    const answer = this.#answers.find(({ override }) => atMs >= override.fromMs && atMs < override.untilMs);
    if (answer !== undefined) return this.#offer(answer, () => this.#own(answer)).at(atMs);
    if (this.#found === undefined) return undefined;
    const found = this.#found;
    const [, , , ...periods] = found.row;
    const period = periodAt(periods, atMs);
    if (period === undefined) return undefined;
    const offer = this.#offer(period, () => this.#listed(found, period));
    if (periods.length === 1 && this.#answers.length === 0) this.#only = offer;
    return offer.at(atMs);
  }

  #offer(key: Answer | RawPeriod, make: () => Offer): Offer {
    const known = this.#offers.get(key);
    if (known !== undefined) return known;
    const offer = make();
    this.#offers.set(key, offer);
    return offer;
  }

  /** What the table says. */
  #listed({ provider, row, id }: FoundModel, period: RawPeriod): Offer {
    const [model, , contextWindow] = row;
    const { steps, source } = this.#inTier(readSteps(period), provider, model);
    const facts = {
      provider,
      model,
      source: `${priceSource.name} ${priceSource.version} of ${priceSource.takenOn}${source}`,
      contextWindow: contextWindow === 0 ? undefined : contextWindow,
      ...findLimits(provider, model),
    };
    return new Offer(facts, steps, findEnd(provider, id));
  }

  /** What the user says; what a model can do stays as the table knows it. */
  #own({ override, reading }: Answer): Offer {
    const found = this.#found;
    const provider = reading.provider ?? override.provider ?? 'custom';
    const known = found !== undefined && found.provider === provider;
    const model = known ? found.row[0] : reading.id;
    const stated = override.free ? override.steps : override.tiers.get(this.#tier);
    const { steps, source } =
      stated === undefined ? this.#inTier(override.steps, provider, model) : { steps: stated, source: '' };
    const limits = findLimits(provider, model);
    const listed = known && found.row[2] !== 0 ? found.row[2] : undefined;
    const facts = {
      provider,
      model,
      source: `your override${source}`,
      contextWindow: override.contextWindow ?? limits?.contextWindow ?? listed,
      maxOutputTokens: override.maxOutputTokens ?? limits?.maxOutputTokens,
    };
    return new Offer(facts, steps, findEnd(provider, known ? found.id : reading.id));
  }

  /** No steps where the tier has prices of its own and nobody knows this one: never the standard price instead. */
  #inTier(
    steps: readonly PriceStep[],
    provider: string,
    model: string,
  ): { readonly steps: readonly PriceStep[] | undefined; readonly source: string } {
    if (!this.#tiers.differs(this.#tier)) return { steps, source: '' };
    const rule = this.#tiers.find(provider, model, this.#tier);
    if (rule === undefined) return { steps: undefined, source: '' };
    const scaled = steps.map(({ aboveInputTokens, rates }) => ({
      aboveInputTokens,
      rates: ratesFrom(rates.fractions.map((rate) => multiply(rate, rule.factor))),
    }));
    return { steps: scaled, source: `, ${rule.source}` };
  }
}
