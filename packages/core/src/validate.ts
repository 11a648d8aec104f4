import { ConfigError } from './errors.ts';

/** What a number must be. All bounds are inclusive except `above`. Infinity and NaN are always refused. */
export interface NumberRule {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  readonly integer?: boolean;
}

/**
 * Returns `value` if it is a finite number within the rule.
 *
 * @throws ConfigError naming the option, the rule and the value.
 */
export function requireNumber(value: unknown, option: string, rule: NumberRule = {}): number {
  const { min, max, above, integer = false } = rule;
  const ok =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (!integer || Number.isSafeInteger(value)) &&
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (above === undefined || value > above);
  if (ok) return value;
  const bounds = [
    above !== undefined && `> ${above}`,
    min !== undefined && min !== Number.MIN_SAFE_INTEGER && `>= ${min}`,
    max !== undefined && `<= ${max}`,
  ].filter((bound) => bound !== false);
  throw new ConfigError(
    `${option} must be a ${integer ? 'whole' : 'finite'} number${bounds.length > 0 ? ` ${bounds.join(' and ')}` : ''}, got ${shown(value)}.`,
    { option },
  );
}

/**
 * Refuses options that nobody reads: a misspelt limit must not silently be no limit.
 *
 * @throws ConfigError naming the unknown key and the known ones.
 */
export function rejectUnknownKeys(options: object, known: readonly string[], what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(`${what} must be an object.`, { option: what });
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new ConfigError(`${what} has no option "${key}". It has: ${known.join(', ')}.`, { option: key });
  }
}

/** A value in an error message. Total: some objects cannot be made a string. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
