import { ConfigError, parseUsd, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { PriceOverride, SteppedPrices, TokenPrices } from '../price-override.ts';
import { type Fraction, fraction } from './fraction.ts';
import { appliesTo, requireId } from './id-pattern.ts';
import type { PriceStep } from './price-table.ts';
import { fillRates, type KnownRates, type Rates } from './rates.ts';
import { tierName } from './service-tiers.ts';

/** An override, checked and ready to be used. */
export interface CompiledOverride {
  /** In lower case; `undefined` for any. */
  readonly provider: string | undefined;
  /** Id or `prefix*`, in lower case. */
  readonly model: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly contextWindow: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly free: boolean;
  readonly steps: readonly PriceStep[];
  readonly tiers: ReadonlyMap<string, readonly PriceStep[]>;
}

const rateKeys = {
  input: 'inputUsdPerMillion',
  output: 'outputUsdPerMillion',
  cachedInput: 'cachedInputUsdPerMillion',
  cacheWrite: 'cacheWriteUsdPerMillion',
  reasoning: 'reasoningUsdPerMillion',
  inputAudio: 'inputAudioUsdPerMillion',
  outputAudio: 'outputAudioUsdPerMillion',
} as const satisfies Partial<Record<keyof KnownRates, keyof TokenPrices>>;

const scopeKeys = [
  'model',
  'provider',
  'validFrom',
  'validUntil',
  'contextWindow',
  'maxOutputTokens',
  'free',
];
const priceKeys = Object.values(rateKeys);

/**
 * Checks and compiles one override.
 *
 * @param where names it in messages: `overrides[0]`.
 * @throws ConfigError for unknown keys, missing or impossible prices, a period that never comes.
 */
export function compileOverride(override: PriceOverride, where: string): CompiledOverride {
  const free = override?.free === true;
  const known = free ? scopeKeys : [...scopeKeys, ...priceKeys, 'longContext', 'tiers'];
  rejectUnknownKeys(override, known, free ? `${where}, which is free,` : where);
  const limit = (name: 'contextWindow' | 'maxOutputTokens'): number | undefined => {
    const tokens = override[name];
    return tokens === undefined
      ? undefined
      : requireNumber(tokens, `${where}.${name}`, { min: 1, integer: true });
  };
  const fromMs = readMoment(override.validFrom, `${where}.validFrom`) ?? Number.NEGATIVE_INFINITY;
  const untilMs = readMoment(override.validUntil, `${where}.validUntil`) ?? Number.POSITIVE_INFINITY;
  if (fromMs >= untilMs) {
    const option = `${where}.validUntil`;
    throw new ConfigError(`${option} (${override.validUntil}) must be later than validFrom.`, { option });
  }
  return {
    provider: override.provider === undefined ? undefined : requireId(override.provider, `${where}.provider`),
    model: requireId(override.model, `${where}.model`),
    fromMs,
    untilMs,
    contextWindow: limit('contextWindow'),
    maxOutputTokens: limit('maxOutputTokens'),
    free,
    steps: override.free === true ? freeSteps : compileSteps(override, where),
    tiers: new Map(override.free === true ? [] : compileTiers(override.tiers, where)),
  };
}

/** Whether an override is for a model served by `provider` (`undefined`: nobody said by whom). */
export function isFor(override: CompiledOverride, provider: string | undefined, model: string): boolean {
  return (
    (override.provider === undefined || override.provider === provider) && appliesTo(override.model, model)
  );
}

const freeSteps: readonly PriceStep[] = [{ aboveInputTokens: -1, rates: fillRates({}) }];

function compileTiers(
  tiers: Readonly<Record<string, SteppedPrices>> | undefined,
  where: string,
): (readonly [string, readonly PriceStep[]])[] {
  if (tiers === undefined) return [];
  rejectUnknownKeys(tiers, Object.keys(tiers ?? {}), `${where}.tiers`);
  return Object.entries(tiers).map(([tier, prices]) => {
    const place = `${where}.tiers.${tier}`;
    rejectUnknownKeys(prices, [...priceKeys, 'longContext'], place);
    return [tierName(tier), compileSteps(prices, place)];
  });
}

function compileSteps(prices: SteppedPrices, where: string): PriceStep[] {
  const base = { aboveInputTokens: -1, rates: compileRates(prices, where) };
  const { longContext } = prices;
  if (longContext === undefined) return [base];
  const place = `${where}.longContext`;
  rejectUnknownKeys(longContext, [...priceKeys, 'aboveInputTokens'], place);
  const rule = { min: 1, integer: true };
  const aboveInputTokens = requireNumber(longContext.aboveInputTokens, `${place}.aboveInputTokens`, rule);
  return [base, { aboveInputTokens, rates: compileRates(longContext, place) }];
}

function compileRates(prices: TokenPrices, where: string): Rates {
  const read = (key: keyof TokenPrices): Fraction | undefined => {
    const value = prices[key];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' && typeof value !== 'string') {
      const option = `${where}.${key}`;
      throw new ConfigError(`${option} must be dollars per million tokens, got ${String(value)}.`, {
        option,
      });
    }
    return fraction(parseUsd(value, `${where}.${key}`), 1_000_000n);
  };
  const known = Object.fromEntries(
    Object.entries(rateKeys).map(([name, key]) => [name, read(key)]),
  ) as KnownRates;
  for (const name of ['input', 'output'] as const) {
    if (known[name] !== undefined) continue;
    const option = `${where}.${rateKeys[name]}`;
    throw new ConfigError(`${option} is missing. Say what both directions cost, or "free: true".`, {
      option,
    });
  }
  if (Object.values(known).every((rate) => rate === undefined || rate.numerator === 0n)) {
    const option = `${where}.free`;
    throw new ConfigError(`${where} costs nothing. If that is meant, write "free: true" instead.`, {
      option,
    });
  }
  return fillRates(known);
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const momentPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

function readMoment(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const isDay = typeof text === 'string' && dayPattern.test(text);
  const ms = isDay || momentPattern.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms) && (!isDay || new Date(ms).toISOString().startsWith(text))) return ms;
  throw new ConfigError(
    `${option} must be a day such as "2026-11-23" or an ISO time with its zone, got ${JSON.stringify(text)}.`,
    { option },
  );
}
