import { parseUsd, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { Spend } from './spend.ts';

/**
 * Spend that somebody names by hand: US dollars (a number, or a decimal string where more digits are needed), or dollars
 * and tokens.
 */
export type SpendAmount =
  | number
  | string
  | { readonly usd?: number | string | undefined; readonly tokens?: number | undefined };

/** @throws ConfigError for an amount that is none. */
export function parseSpend(amount: SpendAmount, option: string): Spend {
  if (typeof amount !== 'object' || amount === null) return { pico: parseUsd(amount, option), tokens: 0n };
  rejectUnknownKeys(amount, ['usd', 'tokens'], option);
  const { usd = 0, tokens = 0 } = amount;
  requireNumber(tokens, `${option}.tokens`, { integer: true, min: 0 });
  return { pico: parseUsd(usd, `${option}.usd`), tokens: BigInt(tokens) };
}
