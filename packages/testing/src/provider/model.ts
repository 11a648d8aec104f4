import { ConfigError, type PicoUsd, parseUsd, rejectUnknownKeys, requireNumber } from '@synapsekit/core';

/** The providers that are simulated. */
export const providerNames = ['openai', 'groq'] as const;

/** A provider that is simulated. */
export type ProviderName = (typeof providerNames)[number];

/** What tokens cost, in US dollars per million. Must be whole pico-dollars per token, so that the bill is exact. */
export interface SimulatedRates {
  readonly inputUsdPerMillion: number | string;
  readonly outputUsdPerMillion: number | string;
  /** Input that is read from the provider's cache. @default inputUsdPerMillion */
  readonly cachedInputUsdPerMillion?: number | string | undefined;
}

/** A model that the simulated provider serves. */
export interface SimulatedModel extends SimulatedRates {
  readonly provider: ProviderName;
  /** The id that clients ask for. */
  readonly id: string;
  /** Tokens of prompt and answer together. @default 128_000 */
  readonly contextWindow?: number | undefined;
  /** Longest answer, in tokens. @default 16_384 */
  readonly maxOutputTokens?: number | undefined;
  /** It thinks first: bills reasoning tokens and, at OpenAI, refuses `max_tokens`, `temperature`… @default false */
  readonly reasoning?: boolean | undefined;
  /** The dated snapshot that answers name instead of `id`. @default id */
  readonly servedAs?: string | undefined;
  /** Other rates in other service tiers, by the tier's name (`"flex"`). @default the standard rates in every tier */
  readonly tiers?: Readonly<Record<string, SimulatedRates>> | undefined;
  /** Last day of the model, `YYYY-MM-DD` (UTC). It is listed with it, and refused once the day is over. */
  readonly shutdownDate?: string | undefined;
}

/** Rates in whole pico-dollars per token. */
export interface PicoRates {
  readonly inputPico: PicoUsd;
  readonly cachedInputPico: PicoUsd;
  readonly outputPico: PicoUsd;
}

/** A model as the server works with it: checked, with every default filled in. */
export interface ServedModel {
  readonly provider: ProviderName;
  readonly id: string;
  readonly servedAs: string;
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  readonly reasoning: boolean;
  readonly rates: PicoRates;
  readonly tiers: ReadonlyMap<string, PicoRates>;
  readonly shutdownDate: string | undefined;
}

const rateKeys = ['inputUsdPerMillion', 'outputUsdPerMillion', 'cachedInputUsdPerMillion'];
const modelKeys = [
  ...rateKeys,
  'provider',
  'id',
  'contextWindow',
  'maxOutputTokens',
  'reasoning',
  'servedAs',
  'tiers',
  'shutdownDate',
];

/**
 * Checks a model and fills in its defaults.
 *
 * @throws ConfigError naming the option that is wrong.
 */
export function compileModel(model: SimulatedModel): ServedModel {
  rejectUnknownKeys(model, modelKeys, 'SimulatedModel');
  const { provider, id, contextWindow = 128_000, maxOutputTokens = 16_384, reasoning = false } = model;
  if (!providerNames.includes(provider)) {
    throw new ConfigError(`provider must be one of ${providerNames.join(', ')}, got ${String(provider)}.`, {
      option: 'provider',
    });
  }
  if (typeof id !== 'string' || id.trim() === '') {
    throw new ConfigError('A simulated model needs an id, the name that clients ask for.', { option: 'id' });
  }
  const { shutdownDate } = model;
  if (
    shutdownDate !== undefined &&
    !(/^\d{4}-\d\d-\d\d$/.test(shutdownDate) && Date.parse(shutdownDate) > 0)
  ) {
    throw new ConfigError(`shutdownDate must be a day like 2027-01-14, got ${String(shutdownDate)}.`, {
      option: 'shutdownDate',
    });
  }
  return {
    provider,
    id,
    servedAs: model.servedAs ?? id,
    contextWindow: requireNumber(contextWindow, 'contextWindow', { integer: true, min: 1 }),
    maxOutputTokens: requireNumber(maxOutputTokens, 'maxOutputTokens', { integer: true, min: 1 }),
    reasoning,
    rates: compileRates(model, id),
    tiers: new Map(
      Object.entries(model.tiers ?? {}).map(([tier, rates]) => {
        rejectUnknownKeys(rates, rateKeys, `tiers.${tier}`);
        return [tier, compileRates(rates, `${id} (${tier})`)];
      }),
    ),
    shutdownDate,
  };
}

function compileRates(rates: SimulatedRates, id: string): PicoRates {
  const inputPico = perToken(rates.inputUsdPerMillion, `inputUsdPerMillion of ${id}`);
  return {
    inputPico,
    outputPico: perToken(rates.outputUsdPerMillion, `outputUsdPerMillion of ${id}`),
    cachedInputPico:
      rates.cachedInputUsdPerMillion === undefined
        ? inputPico
        : perToken(rates.cachedInputUsdPerMillion, `cachedInputUsdPerMillion of ${id}`),
  };
}

function perToken(usdPerMillion: number | string, what: string): PicoUsd {
  const pico = parseUsd(usdPerMillion, what, 'exact');
  if (pico % 1_000_000n !== 0n) {
    throw new ConfigError(
      `${what} must be whole pico-dollars per token (at most 6 decimals per million), got ${usdPerMillion}.`,
      { option: what },
    );
  }
  return pico / 1_000_000n;
}
