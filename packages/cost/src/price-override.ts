/**
 * What one million tokens cost, in US dollars, as a number or a decimal string. What has no price of its own costs
 * what its whole costs: a cached token without a price is a full input token, a reasoning token is output.
 */
export interface TokenPrices {
  readonly inputUsdPerMillion: number | string;
  readonly outputUsdPerMillion: number | string;
  /** @default the input price */
  readonly cachedInputUsdPerMillion?: number | string | undefined;
  /** @default the input price */
  readonly cacheWriteUsdPerMillion?: number | string | undefined;
  /** @default the output price */
  readonly reasoningUsdPerMillion?: number | string | undefined;
  /** @default the input price */
  readonly inputAudioUsdPerMillion?: number | string | undefined;
  /** @default the output price */
  readonly outputAudioUsdPerMillion?: number | string | undefined;
}

/** Prices of the whole request once its prompt is longer than this. */
export interface LongContextPrices extends TokenPrices {
  /** Whole number of tokens; the prices hold above it. */
  readonly aboveInputTokens: number;
}

/** Prices with a step for long prompts. */
export interface SteppedPrices extends TokenPrices {
  readonly longContext?: LongContextPrices | undefined;
}

/** Which models an override is for, and when. */
export interface OverrideScope {
  /** Exact id or `prefix*`, in any case. An exact id also covers the snapshots that the table prices as this model. */
  readonly model: string;
  /** Who serves it, spelled as in the query. @default any provider */
  readonly provider?: string | undefined;
  /** First moment it holds: `"2026-11-23"` (midnight UTC) or an ISO time with its zone. @default always */
  readonly validFrom?: string | undefined;
  /** First moment it holds no more. @default never */
  readonly validUntil?: string | undefined;
  /** Tokens. @default what the table knows */
  readonly contextWindow?: number | undefined;
  /** Tokens. @default what the table knows */
  readonly maxOutputTokens?: number | undefined;
}

/** A price in dollars, and what it is in other service tiers. */
export interface PaidOverride extends OverrideScope, SteppedPrices {
  /**
   * By tier: `{ batch: { … }, priority: { … } }`.
   * @default the provider's factor for that tier, where one is known
   */
  readonly tiers?: Readonly<Record<string, SteppedPrices>> | undefined;
  readonly free?: false | undefined;
}

/** A model that costs nothing, in any tier: your own machine. */
export interface FreeOverride extends OverrideScope {
  readonly free: true;
}

/**
 * A price of your own: a negotiated one, a model or a host that the table does not have. It replaces the table's
 * price as a whole.
 */
export type PriceOverride = PaidOverride | FreeOverride;
