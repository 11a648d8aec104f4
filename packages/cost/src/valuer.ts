import {
  modelId,
  type PicoUsd,
  type Price,
  type PriceLookup,
  type PriceQuery,
  type Retirement,
  type TokenCounts,
  UnknownPriceError,
  type Usage,
} from '@synapsekit/core';
import { nameOfThrown, type Warnings } from './warnings.ts';

/** A model by its id (`"gpt-4o"`, `"groq/llama-3.1-8b-instant"`), or by provider and model: an `LLM` is one. */
export type ModelRef =
  | string
  | {
      readonly provider: string;
      readonly model: string;
      /** Name for people. @default `model` for openai, `provider/model` otherwise */
      readonly id?: string | undefined;
    };

/** A model, resolved. */
export interface ModelIdentity {
  readonly provider: string;
  readonly model: string;
  readonly id: string;
}

/** What a usage costs. */
export interface Valuation {
  readonly pico: PicoUsd;
  readonly unpriced: boolean;
  readonly pricedAs: string | undefined;
}

/** What is not known. */
export const unpriced: Valuation = { pico: 0n, unpriced: true, pricedAs: undefined };

/** What becomes of a model without a known price. */
export type UnknownPricePolicy = 'throw' | 'warn' | 'zero';

/** How long before its end a model is warned of. */
const retirementNoticeMs = 30 * 86_400_000;
/** How often a model's end is looked up. */
const retirementCheckMs = 86_400_000;
/** The most ids whose resolution is kept. */
const maxKnown = 1_000;

/** Finds out what a model is, and what its tokens cost. A lookup that throws counts as one that does not know. */
export class Valuer {
  readonly #prices: PriceLookup;
  readonly #policy: UnknownPricePolicy;
  readonly #warnings: Warnings;
  readonly #identities = new Map<string, ModelIdentity>();
  readonly #nextRetirementCheckMs = new Map<string, number>();

  constructor(prices: PriceLookup, policy: UnknownPricePolicy, warnings: Warnings) {
    this.#prices = prices;
    this.#policy = policy;
    this.#warnings = warnings;
  }

  /** The provider, model and id of what the caller called by name. */
  identify(ref: ModelRef, atMs: number): ModelIdentity {
    if (typeof ref !== 'string') {
      const { provider, model, id = modelId(provider, model) } = ref;
      return { provider, model, id };
    }
    const known = this.#identities.get(ref);
    if (known !== undefined) return known;
    const price = this.#find({ model: ref, atMs }, ref);
    if (price === undefined) return splitId(ref);
    const prefix = `${price.provider}/`;
    const model = ref.startsWith(prefix) ? ref.slice(prefix.length) : ref;
    const identity = { provider: price.provider, model, id: modelId(price.provider, model) };
    if (this.#identities.size < maxKnown) this.#identities.set(ref, identity);
    return identity;
  }

  /** The price of what served; where that has none, of what was asked for, and says so; otherwise none. */
  value(identity: ModelIdentity, usage: Usage, atMs: number): Valuation {
    this.#noteRetirement(identity, atMs);
    const { provider, model, id } = identity;
    const { servedModel, serviceTier } = usage;
    const snapshot = servedModel !== undefined && servedModel !== model;
    if (snapshot) {
      const price = this.#find({ model: servedModel, provider, atMs, serviceTier }, id);
      const pico = price && this.#cost(price, usage, id);
      if (pico !== undefined) return { pico, unpriced: false, pricedAs: undefined };
    }
    const price = this.#find({ model, provider, atMs, serviceTier }, id);
    const pico = price && this.#cost(price, usage, id);
    if (price !== undefined && pico !== undefined) {
      return { pico, unpriced: false, pricedAs: snapshot ? modelId(price.provider, price.model) : undefined };
    }
    if (this.#policy !== 'zero') this.#warnUnknown(identity, serviceTier);
    return unpriced;
  }

  /**
   * Looks at a model before it is called: warns of its end, and of an unknown price.
   *
   * @throws UnknownPriceError for an unknown price under the policy `"throw"`.
   */
  check(identity: ModelIdentity, atMs: number): void {
    this.#noteRetirement(identity, atMs);
    if (this.#policy === 'zero') return;
    if (this.#policy === 'warn' && !this.#warnings.isNew('SYNAPSEKIT_UNKNOWN_PRICE', identity.id)) return;
    const { provider, model, id } = identity;
    if (this.#find({ model, provider, atMs }, id) !== undefined) return;
    if (this.#policy === 'throw') throw unknownPrice(identity, 'Nothing was sent.');
    this.#warnUnknown(identity);
  }

  #find(query: PriceQuery, id: string): Price | undefined {
    try {
      return this.#prices.find(query);
    } catch (error) {
      this.#warnFailed(id, error);
      return undefined;
    }
  }

  #cost(price: Price, counts: TokenCounts, id: string): PicoUsd | undefined {
    try {
      const pico = price.costPico(counts);
      if (typeof pico === 'bigint' && pico >= 0n) return pico;
      this.#warnFailed(id, new RangeError('The cost is not a whole amount of pico-dollars >= 0n.'));
    } catch (error) {
      this.#warnFailed(id, error);
    }
    return undefined;
  }

  #warnFailed(model: string, cause: unknown): void {
    this.#warnings.tell({
      code: 'SYNAPSEKIT_PRICE_LOOKUP_FAILED',
      message: `The price lookup failed for ${model} (${nameOfThrown(cause)}). Its calls count as unpriced.`,
      model,
      cause,
    });
  }

  #warnUnknown({ id }: ModelIdentity, serviceTier?: string): void {
    if (!this.#warnings.isNew('SYNAPSEKIT_UNKNOWN_PRICE', id)) return;
    const tier = serviceTier === undefined ? '' : ` in the service tier ${JSON.stringify(serviceTier)}`;
    this.#warnings.tell({
      code: 'SYNAPSEKIT_UNKNOWN_PRICE',
      message:
        `No price is known for ${id}${tier}. Its calls and tokens are counted, their cost is not (\`unpriced\`). ` +
        'Give CostTracker a `prices` lookup that knows it, or say onUnknownPrice: "zero" if it is free.',
      model: id,
    });
  }

  #noteRetirement({ provider, model, id }: ModelIdentity, atMs: number): void {
    const nextMs = this.#nextRetirementCheckMs.get(id);
    if (nextMs === undefined ? this.#nextRetirementCheckMs.size >= maxKnown : atMs < nextMs) return;
    this.#nextRetirementCheckMs.set(id, atMs + retirementCheckMs);
    const retirement = this.#find({ model, provider, atMs }, id)?.retirement;
    if (retirement === undefined || !isNear(retirement, atMs)) return;
    const { on, past, replacement } = retirement;
    this.#warnings.tell({
      code: 'SYNAPSEKIT_MODEL_RETIRED',
      message:
        `${id} ${past ? 'was withdrawn' : 'will be withdrawn'} by ${provider} (last day ${on}). ` +
        (replacement === undefined ? 'No successor is known.' : `${provider} recommends ${replacement}.`),
      model: id,
    });
  }
}

/** The error for a model without a price. */
export function unknownPrice({ id, provider, model }: ModelIdentity, consequence: string): UnknownPriceError {
  return new UnknownPriceError(
    `No price is known for ${id}. ${consequence} Give CostTracker a \`prices\` lookup that knows it, ` +
      'or choose onUnknownPrice: "warn" or "zero".',
    { provider, model },
  );
}

function isNear({ on, past }: Retirement, atMs: number): boolean {
  return past || Date.parse(on) - atMs <= retirementNoticeMs;
}

/** The inverse of core's `modelId`, as far as a bare id tells. */
function splitId(id: string): ModelIdentity {
  const slash = id.indexOf('/');
  if (slash <= 0 || slash === id.length - 1) return { provider: 'unknown', model: id, id };
  return { provider: id.slice(0, slash), model: id.slice(slash + 1), id };
}
