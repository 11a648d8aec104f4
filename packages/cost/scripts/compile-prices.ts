/** Turns the providers of genai-prices into our table: whole pico-dollars, token prices only, one line a model. */
import type { ConditionalPrice, MatchLogic, ModelInfo, ModelPrice, Provider } from '@pydantic/genai-prices';
import { type Fraction, fraction } from '../src/prices/fraction.ts';
import type { MatchRule } from '../src/prices/match.ts';
import type { RawModel, RawPeriod, RawProvider, RawStep } from '../src/prices/price-table.ts';
import { type RateName, rateNames } from '../src/prices/rates.ts';

/** Their price keys. Everything is per million tokens but `requests_kcount`: per thousand requests. */
const priceKeys: Record<RateName, string> = {
  input: 'input_mtok',
  output: 'output_mtok',
  cachedInput: 'cache_read_mtok',
  cacheWrite: 'cache_write_mtok',
  inputAudio: 'input_audio_mtok',
  outputAudio: 'output_audio_mtok',
  cachedInputAudio: 'cache_audio_read_mtok',
  reasoning: 'output_reasoning_mtok',
  request: 'requests_kcount',
};

/**
 * Models that get no price here, although the source lists one:
 * - OpenAI's API does not serve its open-weight models. The source has a reseller's prices under `openai`, less
 *   than half of what the hosts ask, and `openai/gpt-oss-20b` is also what Groq calls its own.
 * - Moderation costs nothing, and its rule (`contains: moderation`) would make strangers free.
 */
const unpriced: Readonly<Record<string, readonly string[]>> = {
  openai: ['gpt-oss-20b', 'gpt-oss-120b', 'gpt-oss-safeguard-20b', 'moderation'],
};

/** The whole table. */
export function compileProviders(providers: readonly Provider[]): RawProvider[] {
  return providers.map((provider) => [
    provider.id,
    compileRule(provider.model_match),
    compileRule(provider.provider_match),
    provider.fallback_model_providers ?? [],
    provider.models.map((model) => compileModel(model, unpriced[provider.id]?.includes(model.id) === true)),
  ]);
}

function compileModel(model: ModelInfo, skip: boolean): RawModel {
  const rule = compileRule(model.match);
  const periods: readonly ConditionalPrice[] = Array.isArray(model.prices)
    ? model.prices
    : [{ prices: model.prices }];
  const compiled = periods.map((period) => compilePeriod(period, model));
  return [
    model.id,
    rule === `=${model.id.toLowerCase()}` ? 0 : rule,
    model.context_window ?? 0,
    ...(skip || compiled.includes(undefined) ? [] : (compiled as RawPeriod[])),
  ];
}

/** `undefined` when token counts alone cannot tell what such a request costs. */
function compilePeriod({ constraint, prices }: ConditionalPrice, model: ModelInfo): RawPeriod | undefined {
  const free = Object.keys(prices).length === 0 && isSaidToBeFree(model);
  if (!free && !Object.keys(prices).some((key) => key.endsWith('_mtok'))) return undefined;
  if (dependsOnPictures(prices)) return undefined;
  const starts = Object.values(prices).flatMap((price) =>
    typeof price === 'object' ? price.tiers.map(({ start }) => start) : [],
  );
  const steps = [-1, ...new Set(starts)].sort((a, b) => a - b).map((above) => compileStep(prices, above));
  return [compileConstraint(constraint), ...steps];
}

/** An empty price list means free only where the source says so; else it means that nobody knows. */
function isSaidToBeFree({ id, name = '', price_comments = '' }: ModelInfo): boolean {
  return (
    id.endsWith(':free') ||
    /\(free\)/i.test(name) ||
    /^included in the subscription|free of charge/i.test(price_comments)
  );
}

/** Our usage does not tell pictures from text: a price that depends on it, upwards, is one we do not know. */
function dependsOnPictures(prices: ModelPrice): boolean {
  const dearest = (key: string): number => {
    const price = prices[key];
    return typeof price === 'object'
      ? Math.max(price.base, ...price.tiers.map((tier) => tier.price))
      : (price ?? 0);
  };
  return Object.keys(prices).some((key) => {
    const direction = /(image|video)/.test(key)
      ? (/^(?:cache_.*)?(input|output)?/.exec(key)?.[1] ?? 'input')
      : undefined;
    return (
      direction !== undefined && !key.startsWith('cache_') && dearest(key) > dearest(`${direction}_mtok`)
    );
  });
}

function compileStep(prices: ModelPrice, above: number): RawStep {
  const rates = rateNames.map((name) => {
    const price = prices[priceKeys[name]];
    if (price === undefined) return null;
    const dollars =
      typeof price === 'number'
        ? price
        : (price.tiers.findLast(({ start }) => start <= above)?.price ?? price.base);
    // 1e12 pico-dollars per dollar, over a million tokens or a thousand requests.
    return show(toFraction(dollars), name === 'request' ? 10n ** 9n : 10n ** 6n);
  });
  while (rates.at(-1) === null) rates.pop();
  return [Math.max(0, above), ...rates];
}

function compileConstraint(constraint: ConditionalPrice['constraint']): RawPeriod[0] {
  if (constraint === undefined) return 0;
  if (constraint.type === 'start_date') return constraint.start_date;
  return [timeOfDayMs(constraint.start_time), timeOfDayMs(constraint.end_time)];
}

/** Milliseconds from midnight UTC of e.g. `00:30:00Z` or `08:30:00+08:00`. */
function timeOfDayMs(time: string): number {
  const ms = Date.parse(`1970-01-02T${time}`);
  if (Number.isNaN(ms)) throw new Error(`Not a time of day: ${time}`);
  return ms % 86_400_000;
}

function compileRule(logic: MatchLogic): MatchRule;
function compileRule(logic: MatchLogic | undefined): MatchRule | 0;
function compileRule(logic: MatchLogic | undefined): MatchRule | 0 {
  if (logic === undefined) return 0;
  if ('or' in logic) return logic.or.map((part) => compileRule(part));
  if ('and' in logic) return { and: logic.and.map((part) => compileRule(part)) };
  if ('equals' in logic) return `=${logic.equals.toLowerCase()}`;
  if ('starts_with' in logic) return `^${logic.starts_with.toLowerCase()}`;
  if ('ends_with' in logic) return `$${logic.ends_with.toLowerCase()}`;
  if ('contains' in logic) return `*${logic.contains.toLowerCase()}`;
  if ('regex' in logic) return `~${logic.regex}`;
  throw new Error(`A match rule of a kind we do not know: ${JSON.stringify(logic)}`);
}

/**
 * The number that a float was meant to be: the decimal it prints as, or, where that fills all digits, the simplest
 * fraction within rounding error (0.08333333333333334 is 1/12, 0.18000000000000002 is 9/50).
 */
export function toFraction(value: number): Fraction {
  const [whole = '', decimals = ''] = String(value).split('.');
  if (!/^\d+$/.test(whole + decimals)) throw new Error(`Not a price: ${value}`);
  if (decimals.length > 12) {
    for (let denominator = 1; denominator <= 1000; denominator++) {
      const numerator = Math.round(value * denominator);
      if (Math.abs(numerator / denominator - value) <= value * 4 * Number.EPSILON) {
        return fraction(BigInt(numerator), BigInt(denominator));
      }
    }
  }
  return fraction(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
}

function show({ numerator, denominator }: Fraction, unit: bigint): number | string {
  const rate = fraction(numerator * unit, denominator);
  if (rate.numerator > Number.MAX_SAFE_INTEGER)
    throw new Error(`Not a price: ${rate.numerator} pico-dollars`);
  return rate.denominator === 1n ? Number(rate.numerator) : `${rate.numerator}/${rate.denominator}`;
}
