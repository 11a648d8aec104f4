import { type Fraction, fraction } from './fraction.ts';
import type { MatchRule } from './match.ts';
import { priceData } from './price-data.ts';
import { fillRates, type KnownRates, type Rates, rateNames } from './rates.ts';

/**
 * Prices that hold from a prompt length on, for the whole request: `[aboveInputTokens, ...rates]`, rates in the
 * order of `rateNames`, in pico-dollars per token, `"n/d"` where that is no whole number, `null` where there is no
 * price of its own. The first step of a list holds for every length.
 */
export type RawStep = readonly [aboveInputTokens: number, ...rates: (number | string | null)[]];

/**
 * When the steps hold: `0` always, a date from its midnight UTC on, or from one to another millisecond of each day
 * (UTC; across midnight where the first is later). The last one of a model that holds counts, else the first.
 */
export type RawPeriod = readonly [when: 0 | string | readonly [number, number], ...steps: RawStep[]];

/** A model; `0` as its rule: the id itself; `0` as its context window: not known. No periods: no known price. */
export type RawModel = readonly [
  id: string,
  rule: MatchRule | 0,
  contextWindow: number,
  ...periods: RawPeriod[],
];

/** A provider; `0` as a rule: none; `fallbacks` are providers whose models it serves as well. */
export type RawProvider = readonly [
  id: string,
  modelRule: MatchRule | 0,
  providerRule: MatchRule | 0,
  fallbacks: readonly string[],
  models: readonly RawModel[],
];

/** From a prompt length on, these rates. */
export interface PriceStep {
  /** Holds for prompts of more tokens than this; -1 for all. */
  readonly aboveInputTokens: number;
  readonly rates: Rates;
}

let table: readonly RawProvider[] | undefined;

/** The table, parsed at the first call and then shared: it never changes. */
export function readTable(): readonly RawProvider[] {
  table ??= JSON.parse(priceData) as readonly RawProvider[];
  return table;
}

/** The steps of a period, shortest prompts first. */
export function readSteps([, ...steps]: RawPeriod): PriceStep[] {
  return steps.map(([aboveInputTokens, ...raw], index) => {
    const known = raw.map((rate, place) => [rateNames[place], rate === null ? undefined : readRate(rate)]);
    const rates = fillRates(Object.fromEntries(known) as KnownRates);
    return { aboveInputTokens: index === 0 ? -1 : aboveInputTokens, rates };
  });
}

/** The period of a model that holds at `atMs`, Unix milliseconds. */
export function periodAt(periods: readonly RawPeriod[], atMs: number): RawPeriod | undefined {
  return periods.findLast(([when]) => holds(when, atMs)) ?? periods[0];
}

const dayMs = 86_400_000;

function holds(when: RawPeriod[0], atMs: number): boolean {
  if (when === 0) return true;
  if (typeof when === 'string') return atMs >= Date.parse(when);
  const [startMs, endMs] = when;
  const timeMs = ((atMs % dayMs) + dayMs) % dayMs;
  return endMs < startMs ? timeMs >= startMs || timeMs < endMs : timeMs >= startMs && timeMs < endMs;
}

function readRate(raw: number | string): Fraction {
  if (typeof raw === 'number') return fraction(BigInt(raw));
  const [numerator = '', denominator = ''] = raw.split('/');
  return fraction(BigInt(numerator), BigInt(denominator));
}
