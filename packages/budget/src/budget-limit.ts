import {
  ConfigError,
  formatUsd,
  largestLedgerAmount,
  nearestName,
  type PicoUsd,
  parseUsd,
  requireNumber,
} from '@synapsekit/core';
import { isPromise } from './deadline.ts';
import type { Unit } from './spend.ts';

/** Limits on what is spent in a window of the calendar, in the guard's time zone. */
export interface WindowLimits<Amount> {
  /** The most that one hold may amount to. */
  readonly perRequest?: Amount | undefined;
  readonly hourly?: Amount | undefined;
  readonly daily?: Amount | undefined;
  /** ISO weeks: from Monday on. */
  readonly weekly?: Amount | undefined;
  readonly monthly?: Amount | undefined;
  /** Ever. */
  readonly total?: Amount | undefined;
  /** In the last so many seconds, at any time. Several lengths may be given. */
  readonly rolling?: RollingLimit<Amount> | readonly RollingLimit<Amount>[] | undefined;
}

/**
 * A limit on what is spent in the last `windowSeconds`. It is counted in fifty parts, so that what was spent counts for
 * that long, and up to one part longer.
 */
export interface RollingLimit<Amount> {
  /** Whole seconds: 1 to 31,622,400 (366 days). */
  readonly windowSeconds: number;
  readonly limit: Amount;
}

/** Limits of money and of tokens. */
export interface SpendLimits extends WindowLimits<number | string> {
  /** Limits on tokens, of prompt and answer together; also for models without a price. */
  readonly tokens?: WindowLimits<number> | undefined;
}

/**
 * What may be spent, in US dollars: a number, or a decimal string where more digits are needed. At least one limit.
 *
 * ```ts
 * { perRequest: 0.1, daily: 50, tokens: { hourly: 2_000_000 }, by: { userId: { daily: 1 } } }
 * ```
 */
export interface BudgetLimit extends SpendLimits {
  /**
   * Limits for each value of an attribute of the call or of its scope (`userId`, `tenant`, `feature`…), or of `model`
   * and `provider`, which every call has. A function gives the limits of one value; `undefined`: none for it.
   */
  readonly by?:
    | Readonly<Record<string, SpendLimits | ((value: string) => SpendLimits | undefined)>>
    | undefined;
}

/** Windows of the calendar. */
export type WindowLimitName = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'total';

/** One limit, parsed. */
export interface Limit {
  /** For people and errors: `"daily"`, `"tokens.rolling-60s"`. */
  readonly name: string;
  readonly unit: Unit;
  /** Pico-dollars or tokens. */
  readonly amount: bigint;
  /** The attribute that it is a limit of, if it is of one. */
  readonly attribute: string | undefined;
  /** When it counts; `undefined` for `perRequest`. */
  readonly window: WindowLimitName | { readonly windowSeconds: number } | undefined;
  /** About how long that is, in hours. */
  readonly hours: number;
}

/** Limits of one kind of thing, parsed. */
export interface LimitSet {
  readonly perRequest: readonly Limit[];
  /** The longest window first: of several that refuse, the one with the longest wait is named. */
  readonly windows: readonly Limit[];
}

/** Limits by an attribute. */
interface AttributeLimits {
  readonly attribute: string;
  /** The limits of one value. */
  readonly of: (value: string) => LimitSet;
}

/** Everything that a guard limits, parsed. */
export interface Limits extends LimitSet {
  readonly by: readonly AttributeLimits[];
}

const windowNames = [
  'total',
  'monthly',
  'weekly',
  'daily',
  'hourly',
] as const satisfies readonly WindowLimitName[];
/** About how long each window of the calendar is, in hours. */
const hoursOf = { total: Infinity, monthly: 730, weekly: 168, daily: 24, hourly: 1 } as const;
const amountNames: readonly string[] = ['perRequest', ...windowNames.toReversed(), 'rolling'];
const spendNames: readonly string[] = [...amountNames, 'tokens'];
const budgetNames: readonly string[] = [...spendNames, 'by'];
const longestRollingSeconds = 366 * 24 * 3_600;
/** How many values of an attribute with a function are remembered with their limits. */
const rememberedValues = 1_000;

/**
 * Reads limits.
 *
 * @param unitPico what the ledger counts in.
 * @throws ConfigError for an unknown name, an amount that is none or that the ledger cannot count, or no limit at all.
 */
export function parseLimits(limits: BudgetLimit, unitPico: PicoUsd): Limits {
  requireObject(limits, 'limits');
  requireKnown(limits, budgetNames);
  const own = parseSpendLimits(limits, undefined, unitPico);
  const by = Object.entries(requireObject(limits.by ?? {}, 'by')).map(([attribute, given]) =>
    parseAttributeLimits(attribute, given, unitPico),
  );
  if (own.perRequest.length === 0 && own.windows.length === 0 && by.length === 0) {
    throw new ConfigError(
      `A budget without a limit limits nothing. Give at least one of: ${budgetNames.join(', ')}.`,
      { option: 'limits' },
    );
  }
  return { ...own, by };
}

function parseAttributeLimits(
  attribute: string,
  given: SpendLimits | ((value: string) => SpendLimits | undefined) | undefined,
  unitPico: PicoUsd,
): AttributeLimits {
  if (attribute === '') throw new ConfigError('by: an attribute needs a name.', { option: 'by' });
  if (typeof given !== 'function') {
    const set = parseSpendLimits(requireObject(given, `by.${attribute}`), attribute, unitPico);
    if (set.perRequest.length === 0 && set.windows.length === 0) {
      throw new ConfigError(`by.${attribute} has no limit in it.`, { option: `by.${attribute}` });
    }
    return { attribute, of: () => set };
  }
  const known = new Map<string, LimitSet>();
  return {
    attribute,
    of(value) {
      const remembered = known.get(value);
      if (remembered !== undefined) return remembered;
      const limits = given(value);
      if (isPromise(limits)) {
        limits.then(undefined, () => {}); // nobody waits for it: that it rejects as well must not end the process
        throw new ConfigError(`by.${attribute} must give its limits at once, not a promise of them.`, {
          option: `by.${attribute}`,
        });
      }
      const set =
        limits === undefined
          ? noLimits
          : parseSpendLimits(requireObject(limits, `by.${attribute}`), attribute, unitPico);
      if (known.size >= rememberedValues) known.clear();
      known.set(value, set);
      return set;
    },
  };
}

/** Of a value that has none. */
export const noLimits: LimitSet = { perRequest: [], windows: [] };

function parseSpendLimits(limits: SpendLimits, attribute: string | undefined, unitPico: PicoUsd): LimitSet {
  requireKnown(limits, attribute === undefined ? budgetNames : spendNames);
  const where = attribute === undefined ? '' : `by.${attribute}.`;
  const money = parseWindowLimits(limits, 'usd', attribute, (amount, option) =>
    parseUsd(amount, `${where}${option}`, 'exact'),
  );
  requireCountable(money, where, unitPico);
  if (limits.tokens === undefined) return money;
  requireKnown(requireObject(limits.tokens, `${where}tokens`), amountNames);
  const tokens = parseWindowLimits(limits.tokens, 'tokens', attribute, (amount, option) => {
    requireNumber(amount, `${where}tokens.${option}`, { integer: true, min: 0 });
    return BigInt(amount);
  });
  return {
    perRequest: [...money.perRequest, ...tokens.perRequest],
    windows: [...money.windows, ...tokens.windows].sort(longestFirst),
  };
}

function parseWindowLimits<Amount>(
  limits: WindowLimits<Amount>,
  unit: Unit,
  attribute: string | undefined,
  read: (amount: Amount, option: string) => bigint,
): LimitSet {
  const prefix = unit === 'usd' ? '' : 'tokens.';
  const limitOf = (name: string, amount: Amount | undefined, window: Limit['window']): readonly Limit[] =>
    amount === undefined
      ? []
      : [
          {
            name: `${prefix}${name}`,
            unit,
            amount: read(amount, name),
            attribute,
            window,
            hours: hoursIn(window),
          },
        ];
  const rolling = rollingLimits(limits.rolling, `${prefix}rolling`).map(({ windowSeconds, limit }) =>
    limitOf(`rolling-${windowSeconds}s`, limit, { windowSeconds }),
  );
  return {
    perRequest: limitOf('perRequest', limits.perRequest, undefined),
    windows: [...windowNames.map((name) => limitOf(name, limits[name], name)), ...rolling]
      .flat()
      .sort(longestFirst),
  };
}

function hoursIn(window: Limit['window']): number {
  if (window === undefined) return 0;
  return typeof window === 'object' ? window.windowSeconds / 3_600 : hoursOf[window];
}

function longestFirst({ hours: first }: Limit, { hours: second }: Limit): number {
  return first === second ? 0 : second - first;
}

/** A limit that a ledger cannot count must not look like one. */
function requireCountable({ windows }: LimitSet, where: string, unitPico: PicoUsd): void {
  const beyond = windows.find(
    ({ unit, amount }) => unit === 'usd' && amount / unitPico >= largestLedgerAmount,
  );
  if (beyond === undefined) return;
  throw new ConfigError(
    `${where}${beyond.name} is more than the ledger can count: less than ${formatUsd(largestLedgerAmount * unitPico)}. Leave it out where there is to be no limit.`,
    { option: `${where}${beyond.name}` },
  );
}

function rollingLimits<Amount>(
  rolling: WindowLimits<Amount>['rolling'],
  option: string,
): readonly RollingLimit<Amount>[] {
  if (rolling === undefined) return [];
  const list = (Array.isArray(rolling) ? rolling : [rolling]) as readonly RollingLimit<Amount>[];
  const seen = new Set<number>();
  for (const one of list) {
    requireKnown(requireObject(one, option), ['windowSeconds', 'limit']);
    const { windowSeconds, limit } = one;
    requireNumber(windowSeconds, `${option}.windowSeconds`, {
      integer: true,
      min: 1,
      max: longestRollingSeconds,
    });
    if (limit === undefined) throw new ConfigError(`${option} needs a limit.`, { option });
    if (seen.has(windowSeconds)) {
      throw new ConfigError(`${option} has two limits for ${windowSeconds} s.`, { option });
    }
    seen.add(windowSeconds);
  }
  return list.toSorted((a, b) => b.windowSeconds - a.windowSeconds);
}

function requireObject<T>(value: T, option: string): T & object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ConfigError(
    option === 'limits'
      ? 'A budget needs limits, such as { perRequest: 0.10, daily: 50 }.'
      : `${option} must be an object of limits, such as { daily: 1 }.`,
    { option },
  );
}

function requireKnown(limits: object, names: readonly string[]): void {
  for (const name of Object.keys(limits)) {
    if (names.includes(name)) continue;
    const near = nearestName(name, names);
    throw new ConfigError(
      `There is no limit "${name}". ${near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${near}"?`}`,
      { option: name },
    );
  }
}
