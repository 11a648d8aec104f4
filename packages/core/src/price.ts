import type { PicoUsd } from './money.ts';
import type { CallOptions } from './options.ts';
import type { TokenCounts, Usage } from './usage.ts';

/** Which price is wanted. */
export interface PriceQuery {
  /** A model id with or without its provider: `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`. */
  readonly model: string;
  /** Who serves it. Without it the model id alone must tell. */
  readonly provider?: string | undefined;
  /** Unix milliseconds at which the price has to hold. @default now */
  readonly atMs?: number | undefined;
  /** Service tier: `"batch"`, `"flex"`, `"priority"` (`"fast"`); any other name is the standard price. */
  readonly serviceTier?: string | undefined;
}

/** What a model costs at a time, in a tier. Exact. */
export interface Price {
  readonly provider: string;
  /** The id that the price table uses. */
  readonly model: string;
  /** Where the figures come from, for people. */
  readonly source: string;
  /** Largest context window, in tokens, where the table knows it. */
  readonly contextWindow?: number | undefined;
  /** Longest answer, in tokens, where the table knows it. */
  readonly maxOutputTokens?: number | undefined;
  /** Set when the model is (about to be) withdrawn. */
  readonly retirement?: Retirement | undefined;
  /** What `usage` costs, exactly; fractions of a pico-dollar round up once, at the end. */
  costPico(usage: TokenCounts): PicoUsd;
  /**
   * The most that so many tokens can cost, however the provider counts them: nothing cached, or all of it written
   * to the cache, all of the output reasoning.
   */
  maxCostPico(tokens: { readonly inputTokens: number; readonly outputTokens: number }): PicoUsd;
}

/** The end of a model. */
export interface Retirement {
  /** The last day, `YYYY-MM-DD`. */
  readonly on: string;
  /** What the provider recommends instead. */
  readonly replacement?: string | undefined;
  /** True when the day has passed at the time asked about. */
  readonly past: boolean;
}

/** A price list. `undefined` means: not known; never zero by accident. */
export interface PriceLookup {
  find(query: PriceQuery): Price | undefined;
}

/** What one recorded attempt cost. Frozen and JSON-safe; it carries no prompt and no answer. */
export interface CostRecord {
  /** Version of this shape. */
  readonly version: 1;
  /** The attempt; equal ids are the same money. */
  readonly attemptId: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly provider: string;
  readonly model: string;
  /** Name for people: `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`. */
  readonly modelId: string;
  readonly servedModel?: string | undefined;
  readonly usage: Usage;
  /** Dollars, for display. 0 when `unpriced`. */
  readonly costUsd: number;
  /** Dollars, exact, as a decimal string. */
  readonly costUsdExact: string;
  /** True when no price was known: the usage is kept, the cost is not. */
  readonly unpriced: boolean;
  /** The model whose price was used, where it is not the one that served. */
  readonly pricedAs?: string | undefined;
  /** True when the tokens were estimated and not counted by the provider. */
  readonly estimated: boolean;
  /** Names of the scopes it was recorded in, outermost first. */
  readonly scopePath: readonly string[];
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Where a budget learns prices and spend: `CostTracker` is one. */
export interface SpendSource {
  readonly prices: PriceLookup;
  /** Calls `listener` for every record, in the recording call's async context. Returns the way to stop. */
  onRecord(listener: (record: CostRecord) => void): () => void;
  /** Attributes of the scope that the running code is in: keys for limits. */
  scopeAttributes?(): CostRecord['attributes'];
}

/** What a budget has left, for those who want to spend with it in view (routers). */
export interface BudgetView {
  /**
   * Every limit of money with its state now, the tightest first; of limits by attribute (user, tenant…), those of the
   * call's attributes, as given, and of the scope that the running code is in.
   */
  remaining(call?: Pick<CallOptions, 'attributes'>): readonly BudgetRemaining[];
}

/** One limit of a budget, now. Amounts are dollars for display. */
export interface BudgetRemaining {
  readonly limit: string;
  /** The attribute that it is a limit of, and its value: `"userId"`, `"alice"`. */
  readonly attribute?: string | undefined;
  readonly attributeValue?: string | undefined;
  readonly limitUsd: number;
  /** Neither spent nor held. */
  readonly leftUsd: number;
  readonly resetsAtMs?: number | undefined;
}
