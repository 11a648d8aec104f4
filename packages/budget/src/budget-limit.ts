import { ConfigError, nearestName, type PicoUsd, parseUsd } from '@synapsekit/core';

/**
 * What may be spent, in US dollars: a number, or a decimal string where more digits are needed. At least one. Windows
 * are those of the calendar in the guard's time zone.
 */
export interface BudgetLimit {
  /** The most that one hold may amount to. */
  readonly perRequest?: number | string | undefined;
  readonly hourly?: number | string | undefined;
  readonly daily?: number | string | undefined;
  /** ISO weeks: from Monday on. */
  readonly weekly?: number | string | undefined;
  readonly monthly?: number | string | undefined;
  /** Ever. */
  readonly total?: number | string | undefined;
}

/** Limits that count what is spent in a window. */
export type WindowLimitName = Exclude<keyof BudgetLimit, 'perRequest'>;

/** A limit that counts, parsed. */
export interface WindowLimit {
  readonly name: WindowLimitName;
  readonly pico: PicoUsd;
}

/** Limits, parsed. */
export interface Limits {
  readonly perRequest: PicoUsd | undefined;
  /** The longest window first: of several that refuse, the one with the longest wait is named. */
  readonly windows: readonly WindowLimit[];
}

const windowNames = [
  'total',
  'monthly',
  'weekly',
  'daily',
  'hourly',
] as const satisfies readonly WindowLimitName[];
const names: readonly string[] = ['perRequest', ...windowNames.toReversed()];

/**
 * Reads limits.
 *
 * @throws ConfigError for an unknown name, an amount that is none, or no limit at all.
 */
export function parseLimits(limits: BudgetLimit): Limits {
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
    throw new ConfigError('A budget needs limits, such as { perRequest: 0.10, daily: 50 }.', {
      option: 'limits',
    });
  }
  for (const name of Object.keys(limits)) {
    if (names.includes(name)) continue;
    const near = nearestName(name, names);
    throw new ConfigError(
      `There is no limit "${name}". ${near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${near}"?`}`,
      { option: name },
    );
  }
  const read = (name: keyof BudgetLimit): PicoUsd | undefined => {
    const usd = limits[name];
    return usd === undefined ? undefined : parseUsd(usd, name, 'exact');
  };
  const perRequest = read('perRequest');
  const windows = windowNames.flatMap((name) => {
    const pico = read(name);
    return pico === undefined ? [] : [{ name, pico }];
  });
  if (perRequest === undefined && windows.length === 0) {
    throw new ConfigError(
      `A budget without a limit limits nothing. Give at least one of: ${names.join(', ')}.`,
      {
        option: 'limits',
      },
    );
  }
  return { perRequest, windows };
}
