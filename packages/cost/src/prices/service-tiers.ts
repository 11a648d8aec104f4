import { ConfigError, parseUsd, rejectUnknownKeys } from '@synapsekit/core';
import { type Fraction, fraction } from './fraction.ts';
import { appliesTo, requireId } from './id-pattern.ts';

/** How much more or less a service tier costs than the standard price, for everything alike. */
export interface TierRule {
  /** The provider's id in the price table: `"openai"`, `"mistral"`. */
  readonly provider: string;
  /** The tier's name as requests and responses spell it: `"batch"`, `"flex"`, `"priority"`. */
  readonly tier: string;
  /** Ids of the price table, exact or `prefix*`. @default all models of the provider */
  readonly models?: readonly string[] | undefined;
  /** Times the standard price; at most 12 decimals. `0.5` is half. */
  readonly factor: number | string;
}

/** A rule, ready to be used. */
export interface CompiledTierRule {
  readonly provider: string;
  readonly tier: string;
  readonly models: readonly string[] | undefined;
  readonly factor: Fraction;
  readonly source: string;
}

/**
 * OpenAI's priority prices ("fast" since 2026-07-30), as published per model and divided by its standard prices:
 * input, cached input and output all have the same factor.
 * @see https://openai.com/api-fast-mode/ and https://openai.com/api-priority-processing/ for `gpt-4.1…`, `gpt-4o…`,
 * `o3`, `o4-mini`; https://developers.openai.com/api/docs/pricing for `gpt-6-astra`
 */
const openaiPriority: readonly (readonly [factor: Fraction, ...models: string[]])[] = [
  [fraction(5n, 2n), 'gpt-5.5'],
  [fraction(2n), 'gpt-6-astra', 'gpt-5.6-sol', 'gpt-5.6-terra', 'gpt-5.6-luna', 'gpt-5.4', 'gpt-5.4-mini'],
  [fraction(2n), 'gpt-5.2', 'gpt-5.1', 'gpt-5', 'gpt-4.1-nano'],
  [fraction(20n, 11n), 'o4-mini'],
  [fraction(9n, 5n), 'gpt-5-mini'],
  [fraction(7n, 4n), 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4o-2024-05-13', 'o3'],
  [fraction(17n, 10n), 'gpt-4o'],
  [fraction(5n, 3n), 'gpt-4o-mini'],
];

const half = fraction(1n, 2n);

const builtIn: readonly CompiledTierRule[] = [
  // https://developers.openai.com/api/docs/pricing: half of everything, cached input included.
  { provider: 'openai', tier: 'batch', models: undefined, factor: half, source: 'OpenAI batch prices' },
  { provider: 'openai', tier: 'flex', models: undefined, factor: half, source: 'OpenAI flex prices' },
  ...openaiPriority.map(([factor, ...models]) => {
    return { provider: 'openai', tier: 'priority', models, factor, source: 'OpenAI priority prices' };
  }),
  // https://console.groq.com/docs/flex-processing: flex costs what on-demand costs. https://groq.com/pricing: batch.
  { provider: 'groq', tier: 'flex', models: undefined, factor: fraction(1n), source: 'Groq flex prices' },
  { provider: 'groq', tier: 'batch', models: undefined, factor: half, source: 'Groq batch prices' },
  // https://docs.anthropic.com/en/docs/build-with-claude/batch-processing: half of everything.
  { provider: 'anthropic', tier: 'batch', models: undefined, factor: half, source: 'Anthropic batch prices' },
];

/** Tiers that are known to differ from the standard price, also at providers of which we do not know how much. */
const priced: ReadonlySet<string> = new Set(['batch', 'flex', 'priority']);

/** A tier's one name. OpenAI renamed `priority` to `fast` on 2026-07-30 and takes both. */
export function tierName(serviceTier: string | undefined): string {
  const name = serviceTier?.toLowerCase().trim() ?? 'standard';
  return name === 'fast' ? 'priority' : name;
}

/** What the tiers of all providers cost: the user's rules first, then ours. */
export class ServiceTiers {
  readonly #rules: readonly CompiledTierRule[];
  readonly #named: ReadonlySet<string>;

  /** @throws ConfigError for a rule with an unknown key, an empty name or a factor that is no amount. */
  constructor(rules: readonly TierRule[] = []) {
    if (!Array.isArray(rules)) throw new ConfigError('tiers must be a list of rules.', { option: 'tiers' });
    this.#rules = [...rules.map(compileRule), ...builtIn];
    this.#named = new Set([...priced, ...this.#rules.map(({ tier }) => tier)]);
  }

  /** True when the tier has prices of its own somewhere. Every other name (`"default"`, `"scale"` and so on) is standard. */
  differs(tier: string): boolean {
    return this.#named.has(tier);
  }

  /** The rule for a model; `undefined` when nobody knows what it costs in that tier. */
  find(provider: string, model: string, tier: string): CompiledTierRule | undefined {
    return this.#rules.find(
      (rule) =>
        rule.tier === tier &&
        rule.provider === provider &&
        (rule.models === undefined || rule.models.some((pattern) => appliesTo(pattern, model))),
    );
  }
}

function compileRule(rule: TierRule, index: number): CompiledTierRule {
  const where = `tiers[${index}]`;
  rejectUnknownKeys(rule, ['provider', 'tier', 'models', 'factor'], where);
  if (rule.models !== undefined && !Array.isArray(rule.models)) {
    throw new ConfigError(`${where}.models must be a list of model ids.`, { option: `${where}.models` });
  }
  return {
    provider: requireId(rule.provider, `${where}.provider`),
    tier: tierName(requireId(rule.tier, `${where}.tier`)),
    models: rule.models?.map((model) => requireId(model, `${where}.models`)),
    factor: fraction(parseUsd(rule.factor, `${where}.factor`), 10n ** 12n),
    source: 'your tier rule',
  };
}
