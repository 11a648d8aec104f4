import {
  type Clock,
  ConfigError,
  type Price,
  type PriceLookup,
  type PriceQuery,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
} from '@synapsekit/core';
import type { PriceOverride } from './price-override.ts';
import { DatedPrices, type Knowledge } from './prices/dated-prices.ts';
import { requireId } from './prices/id-pattern.ts';
import { compileOverride } from './prices/overrides.ts';
import { ServiceTiers, type TierRule, tierName } from './prices/service-tiers.ts';

/** How a price book differs from the table it comes with. */
export interface PriceBookOptions {
  /** Prices of your own. They win over the table; of several that fit, the first. @default none */
  readonly overrides?: readonly PriceOverride[] | undefined;
  /** What service tiers cost at providers and models of which the book does not know. @default none */
  readonly tiers?: readonly TierRule[] | undefined;
  /** Whose price an id has that comes without a provider and follows no maker's naming; first match. @default ["openai", "groq"] */
  readonly defaultHosts?: readonly string[] | undefined;
  /** Tells "now" for queries without a time. @default the system clock */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

const optionKeys = ['overrides', 'tiers', 'defaultHosts', 'clock'] as const;

/** No id is longer; what is longer is not looked up. */
const maxNameLength = 256;

/** Different queries remembered; all are forgotten when there are more. */
const maxRemembered = 1_000;

interface Remembered {
  readonly provider: string | undefined;
  readonly serviceTier: string | undefined;
  readonly prices: DatedPrices;
}

/**
 * Prices by provider, model, time and service tier: the table of genai-prices compiled to exact numbers, with
 * service tiers, ends of models and your overrides on top. Cheap to construct; the table is read at the first
 * question and shared.
 *
 * Unknown is `undefined`: an unknown model, an unknown host, an id that several hosts share, a tier without a known
 * price. Zero is the price of a model that is said to be free, and nothing else.
 */
export class PriceBook implements PriceLookup {
  readonly #knowledge: Knowledge;
  readonly #clock: Pick<Clock, 'now'>;
  /** By model id as asked. A list, since the same id may be asked of several providers and tiers. */
  readonly #remembered: Map<string, Remembered[]> = new Map();
  #rememberedCount = 0;

  /** @throws ConfigError for unknown options, impossible prices, dates or factors. */
  constructor(options: PriceBookOptions = {}) {
    rejectUnknownKeys(options, optionKeys, 'PriceBookOptions');
    const { overrides = [], tiers, defaultHosts = ['openai', 'groq'], clock = systemClock } = options;
    if (!Array.isArray(overrides) || !Array.isArray(defaultHosts)) {
      const option = Array.isArray(overrides) ? 'defaultHosts' : 'overrides';
      throw new ConfigError(`${option} must be a list.`, { option });
    }
    this.#knowledge = {
      overrides: overrides.map((override, index) => compileOverride(override, `overrides[${index}]`)),
      tiers: new ServiceTiers(tiers),
      defaultHosts: defaultHosts.map((host, index) => requireId(host, `defaultHosts[${index}]`)),
    };
    this.#clock = clock;
  }

  /**
   * The price of a model at a time in a service tier, or `undefined` when it is not known.
   *
   * @throws ConfigError when `atMs` is not a finite number.
   */
  find(query: PriceQuery): Price | undefined {
    const { atMs } = query;
    if (atMs !== undefined) requireNumber(atMs, 'atMs');
    const prices = this.#recall(query);
    if (prices === undefined) return undefined;
    return prices.at(atMs ?? this.#clock.now());
  }

  /** @returns `undefined` for what can be no id; an unknown id is remembered like a known one. */
  #recall({ model, provider, serviceTier }: PriceQuery): DatedPrices | undefined {
    for (const one of this.#remembered.get(model) ?? nobody) {
      if (one.provider === provider && one.serviceTier === serviceTier) return one.prices;
    }
    if (!isName(model) || ![provider, serviceTier].every((name) => name === undefined || isName(name))) {
      return undefined;
    }
    const prices = new DatedPrices({ model, provider, tier: tierName(serviceTier) }, this.#knowledge);
    if (this.#rememberedCount === maxRemembered) {
      this.#remembered.clear();
      this.#rememberedCount = 0;
    }
    this.#rememberedCount++;
    const list = this.#remembered.get(model) ?? [];
    this.#remembered.set(model, [...list, { provider, serviceTier, prices }]);
    return prices;
  }
}

const nobody: readonly Remembered[] = [];

function isName(text: unknown): boolean {
  return typeof text === 'string' && text.length <= maxNameLength;
}
