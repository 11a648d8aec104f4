/**
 * Money is whole pico-dollars (1e-12 USD) in a `bigint`: 99.8 % of published token prices are exact whole
 * pico-dollars per token, so sums never drift. `number` dollars exist at the edge only.
 */
import { ConfigError } from './errors.ts';
import { shown } from './validate.ts';

/** An amount of money in whole pico-dollars: 1 USD = 1_000_000_000_000n. */
export type PicoUsd = bigint;

/** Pico-dollars in one US dollar. */
export const PICO_PER_USD: PicoUsd = 1_000_000_000_000n;

const decimalPattern = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Reads an amount of US dollars exactly. A number counts as the decimal that JavaScript prints for it, so `0.1`
 * is one tenth. Digits below one pico-dollar round **up** (`"ceil"`, the default: against the spender) or are
 * refused (`"exact"`).
 *
 * @param usd dollars as a number or as a decimal string such as `"0.0000023"` or `"5e-8"`.
 * @param what names the value in the error message.
 * @throws ConfigError for anything negative, not finite, or not a decimal.
 */
export function parseUsd(
  usd: number | string,
  what = 'amount',
  rounding: 'ceil' | 'exact' = 'ceil',
): PicoUsd {
  const plain = typeof usd === 'string' ? plainPico(usd) : undefined;
  if (plain !== undefined) return plain;
  const match = decimalPattern.exec(
    typeof usd === 'string' ? usd.trim() : typeof usd === 'number' ? String(usd) : '',
  );
  if (match === null) {
    throw new ConfigError(`${what} must be a finite amount of US dollars, got ${shown(usd)}.`, {
      option: what,
    });
  }
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  if (sign === '-' && digits !== 0n) {
    throw new ConfigError(`${what} must not be negative, got ${shown(usd)}.`, { option: what });
  }
  const shift = 12 + Number(exponent) - fraction.length;
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  const rest = digits % divisor;
  if (rest !== 0n && rounding === 'exact') {
    throw new ConfigError(`${what} must be whole pico-dollars (12 decimals), got ${shown(usd)}.`, {
      option: what,
    });
  }
  return digits / divisor + (rest === 0n ? 0n : 1n);
}

/** What `usdDecimal` writes, read at a tenth of the time, where it is short enough to be exact in a double. */
function plainPico(text: string): PicoUsd | undefined {
  const { length } = text;
  if (length === 0 || length > 15) return undefined;
  let digits = 0;
  let point = -1;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) digits = digits * 10 + code - 48;
    else if (code === 46 && point === -1 && i > 0) point = i;
    else return undefined;
  }
  const decimals = point === -1 ? 0 : length - 1 - point;
  const factor = powersOfTen[12 - decimals];
  if (factor === undefined) return undefined;
  const pico = digits * factor;
  return Number.isSafeInteger(pico) ? BigInt(pico) : undefined;
}

const powersOfTen: readonly number[] = Array.from({ length: 13 }, (_, exponent) => 10 ** exponent);

const largestSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** The nearest `number` of dollars: for display and thresholds, not for sums. */
export function usdNumber(pico: PicoUsd): number {
  // Both are exact doubles, so that their quotient is rounded once: it is the nearest.
  if (pico <= largestSafe && pico >= -largestSafe) return Number(pico) / 1e12;
  return Number(usdDecimal(pico));
}

/** The exact amount in dollars as a plain decimal string without trailing zeros: `"0.0000023"`. JSON-safe. */
export function usdDecimal(pico: PicoUsd): string {
  if (pico < 0n) return `-${usdDecimal(-pico)}`;
  const digits = pico.toString();
  const point = Math.max(0, digits.length - 12);
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === 48) end--;
  if (point > 0)
    return end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`;
  // Most amounts are cents: nothing to cut but the end.
  return end === 0 ? '0' : leadingZeros[digits.length] + digits.slice(0, end);
}

/** What stands before so many digits of pico-dollars, below one dollar. */
const leadingZeros: readonly string[] = Array.from(
  { length: 13 },
  (_, digits) => `0.${'0'.repeat(12 - digits)}`,
);

/**
 * Dollars for people: at least two decimals and three significant digits, trailing zeros beyond two decimals
 * dropped: `$0.10`, `$0.0312`, `$0.0000023`, `$12.50`. Never `$0.0000` for a cost that is not zero.
 *
 * @param amount pico-dollars as a `bigint`, or dollars as for `parseUsd`, negative ones too.
 * @throws ConfigError for what is not finite or not a decimal.
 */
export function formatUsd(amount: PicoUsd | number | string): string {
  const pico = typeof amount === 'bigint' ? amount : signedPico(amount);
  const sign = pico < 0n ? '-' : '';
  const abs = pico < 0n ? -pico : pico;
  if (abs === 0n) return '$0.00';
  // Places after the point that keep three significant digits.
  const magnitude = abs.toString().length - 1 - 12;
  const places = Math.min(12, Math.max(2, 2 - magnitude));
  const step = 10n ** BigInt(12 - places);
  const rounded = (abs + step / 2n) / step;
  const text = rounded.toString().padStart(places + 1, '0');
  const whole = text.slice(0, -places);
  const fraction = text.slice(-places).replace(/0+$/, '').padEnd(2, '0');
  return `${sign}$${whole}.${fraction}`;
}

function signedPico(amount: number | string): PicoUsd {
  const text = String(amount).trim();
  return text.startsWith('-') ? -parseUsd(text.slice(1)) : parseUsd(text);
}
