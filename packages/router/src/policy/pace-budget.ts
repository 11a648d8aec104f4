import {
  type BudgetRemaining,
  type BudgetView,
  type Clock,
  ConfigError,
  formatUsd,
  type Random,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemRandom,
  usdNumber,
} from '@synapsekit/core';
import { BoundedMap } from './bounded-map.ts';
import { NamedLimits } from './named-limits.ts';
import type { RouteCandidate, RouteDraft, RoutePolicy } from './route-policy.ts';

/** Options of `paceBudget`. */
export interface PaceBudgetOptions {
  /** What is left: a `BudgetGuard` is one. Put it round the models (`enforceBudget`), not round the router. */
  readonly budget: BudgetView;
  /**
   * How far ahead of the pace spending may be, as a share of what a window has: from nothing to this the price of
   * money rises, at this only the cheapest model is left. @default 0.05
   */
  readonly band?: number | undefined;
  /**
   * How much of a window's money may be spent when this share of its time is over, both 0 to 1, rising:
   * `(time) => …`, e.g. more by day than by night. @default evenly: `(time) => time`
   */
  readonly pace?: ((timeShare: number) => number) | undefined;
  /**
   * Only these limits: `["daily"]`. A name that is nearly one that the budget has is refused; one that the first call
   * does not have, which a limit by attribute may be, is warned of. @default all that have a window
   */
  readonly limits?: readonly string[] | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** Decides, where no quality is predicted, which calls get the cheapest model. @default systemRandom */
  readonly random?: Random | undefined;
}

/** One window of a limit, from when it was first seen. */
interface Window {
  readonly resetsAtMs: number;
  readonly limitUsd: number;
  readonly startMs: number;
  readonly startUsd: number;
}

/** Expected dollars of calls that are decided and not over: the budget may not know of them yet. */
interface InFlight {
  usd: number;
  calls: number;
}

/** More calls than this are hardly in flight at once; a forgotten one must not stay for ever. */
const maxInFlight = 10_000;
/** So many limits are remembered, those of each user on their own; the ones that were quiet for longest go first. */
const maxWindows = 10_000;

/**
 * Spends a budget over its whole window, and goes down to cheaper models before anything is refused.
 *
 * - Ahead of the pace, money gets dearer: the calls that gain least go to cheaper models first. Where no quality is
 *   predicted, a rising share of calls does.
 * - A model that the budget would refuse is asked last, as long as another one fits.
 * - When the window ends, so does the pressure. A router that starts in the middle of one spreads what is left.
 * - Limits by attribute (user, tenant…) are paced each on its own, by the attributes of the call or the scope around.
 *
 * It guarantees the spend, not the best use of it: a threshold without a pace spends where the gain is, and breaks the
 * budget when traffic changes.
 *
 * @throws ConfigError for options out of range, and for a misspelt limit: at once, or, where it is one by attribute, when a
 *   call has it.
 */
export function paceBudget(options: PaceBudgetOptions): RoutePolicy {
  rejectUnknownKeys(options, ['budget', 'band', 'pace', 'limits', 'clock', 'random'], 'paceBudget');
  const { budget, band = 0.05, pace = (time: number) => time, limits } = options;
  const { clock = systemClock, random = systemRandom } = options;
  if (typeof budget?.remaining !== 'function') {
    throw new ConfigError('paceBudget needs a budget, e.g. { budget: new BudgetGuard({ daily: 5 }, …) }.', {
      option: 'budget',
    });
  }
  requireNumber(band, 'band', { above: 0, max: 1 });
  if (limits !== undefined && (!Array.isArray(limits) || limits.length === 0)) {
    throw new ConfigError('limits must name at least one limit, e.g. ["daily"].', { option: 'limits' });
  }
  if (typeof pace !== 'function') {
    throw new ConfigError('pace must be a function of the share of the time.', { option: 'pace' });
  }
  const named = new NamedLimits(limits ?? []);
  if (limits !== undefined) named.check(budget.remaining());
  const windows = new BoundedMap<string, Window>(maxWindows);
  /** By limit, as `windows`. */
  const inFlight = new Map<string, InFlight>();
  const calls = new BoundedMap<string, { readonly costUsd: number; readonly keys: readonly string[] }>(
    maxInFlight,
    ({ costUsd, keys }) => over(costUsd, keys),
  );
  const begun = (costUsd: number, keys: readonly string[]): void => {
    for (const key of keys) {
      const { usd, calls: others } = inFlight.get(key) ?? { usd: 0, calls: 0 };
      inFlight.set(key, { usd: usd + costUsd, calls: others + 1 });
    }
  };
  const over = (costUsd: number, keys: readonly string[]): void => {
    for (const key of keys) {
      const { usd, calls: left } = inFlight.get(key) ?? { usd: 0, calls: 0 };
      // Sums of fractions leave crumbs: with the last call its limit is forgotten.
      if (left > 1) inFlight.set(key, { usd: usd - costUsd, calls: left - 1 });
      else inFlight.delete(key);
    }
  };

  const windowOf = (key: string, limit: BudgetRemaining, resetsAtMs: number, nowMs: number): Window => {
    const before = windows.get(key);
    // A window is kept to its end, also where the reset moves on with the time.
    if (before !== undefined && nowMs < before.resetsAtMs && before.limitUsd === limit.limitUsd)
      return before;
    // After a reset the window began when the last one ended, with all its money.
    const renewed = before !== undefined && before.resetsAtMs <= nowMs && before.resetsAtMs < resetsAtMs;
    const window: Window = {
      resetsAtMs,
      limitUsd: limit.limitUsd,
      startMs: renewed ? before.resetsAtMs : nowMs,
      startUsd: renewed ? limit.limitUsd : limit.leftUsd,
    };
    windows.set(key, window);
    return window;
  };

  /** How far ahead of its pace the worst limit is: 0 not at all, 1 by the whole band or more. */
  const pressureOf = (states: readonly BudgetRemaining[]): { pressure: number; limit: string } => {
    const nowMs = clock.now();
    let worst = { pressure: 0, limit: '' };
    for (const state of states) {
      const { limit, resetsAtMs, leftUsd } = state;
      if (resetsAtMs === undefined || resetsAtMs <= nowMs) continue;
      if (limits !== undefined && !limits.includes(limit)) continue;
      const key = keyOf(state);
      const window = windowOf(key, state, resetsAtMs, nowMs);
      const { startMs, startUsd } = window;
      const time = Math.max(0, Math.min(1, (nowMs - startMs) / (window.resetsAtMs - startMs)));
      const wantedUsd = startUsd * (1 - requireNumber(pace(time), 'what pace returns', { min: 0, max: 1 }));
      const aheadUsd = wantedUsd - (leftUsd - (inFlight.get(key)?.usd ?? 0));
      // Towards the end of a window the band gets narrower: it must not reach beyond the limit.
      const bandUsd = Math.min(band * startUsd, wantedUsd);
      const pressure = bandUsd > 0 ? Math.max(0, Math.min(1, aheadUsd / bandUsd)) : Number(aheadUsd >= 0);
      if (pressure > worst.pressure) worst = { pressure, limit };
    }
    return worst;
  };

  return {
    name: 'pace-budget',

    apply(draft) {
      const states = budget.remaining({ attributes: draft.options.attributes });
      named.checkCall(states);
      deferUnaffordable(draft, states);
      const { pressure, limit } = pressureOf(states);
      if (pressure > 0) slowDown(draft, pressure, limit, random);
      const call = { costUsd: draft.candidates[0]?.costUsd ?? 0, keys: states.map(keyOf) };
      begun(call.costUsd, call.keys);
      calls.set(draft.id, call);
    },

    settle({ decision }) {
      const call = calls.take(decision.id);
      if (call !== undefined) over(call.costUsd, call.keys);
    },
  };
}

/** A limit by attribute is another one for each value. */
function keyOf({ limit, attribute, attributeValue }: BudgetRemaining): string {
  return attribute === undefined ? limit : JSON.stringify([limit, attribute, attributeValue]);
}

/** Puts those that the budget would refuse behind those that it would not. */
function deferUnaffordable(draft: RouteDraft, states: readonly BudgetRemaining[]): void {
  let least: BudgetRemaining | undefined;
  for (const state of states) if (least === undefined || state.leftUsd < least.leftUsd) least = state;
  if (least === undefined) return;
  const { leftUsd, limit } = least;
  const needs = draft.candidates.map((candidate) => ({
    candidate,
    neededUsd: neededUsd(candidate, draft),
  }));
  const fits = needs.filter(({ neededUsd: needed }) => needed === undefined || needed <= leftUsd);
  // Where nothing fits, the budget itself says so, with all the facts.
  if (fits.length === 0) return;
  for (const { candidate, neededUsd: needed } of needs) {
    if (needed === undefined || needed <= leftUsd) continue;
    draft.defer(
      candidate,
      `the ${limit} budget has ${formatUsd(leftUsd)} left, it may need ${formatUsd(needed)}`,
    );
  }
}

/** What the budget would have to hold, or else what the call is expected to cost. */
function neededUsd({ llm, costUsd }: RouteCandidate, draft: RouteDraft): number | undefined {
  const quote = llm.quoteHold?.(draft.prompt, draft.options);
  return quote === undefined ? costUsd : usdNumber(quote.pico);
}

function slowDown(draft: RouteDraft, pressure: number, limit: string, random: Random): void {
  const open = draft.candidates.filter((candidate) => !draft.isDeferred(candidate));
  const costs = open.map(({ costUsd }) => costUsd);
  if (open.length < 2 || costs.includes(undefined)) return;
  const cheapestUsd = Math.min(...(costs as number[]));
  const dearestUsd = Math.max(...(costs as number[]));
  if (dearestUsd <= cheapestUsd) return;
  const told = `spending is ahead of the pace of the ${limit} budget`;
  const predicted = open.every(({ quality }) => quality !== undefined);
  if (predicted && pressure < 1) {
    // Under full pressure not even a certain gain is worth the dearest model.
    draft.raisePrice(pressure / (dearestUsd - cheapestUsd), told);
    return;
  }
  if (!predicted && random() >= pressure) return;
  for (const candidate of open) {
    if ((candidate.costUsd as number) > cheapestUsd) draft.defer(candidate, told);
  }
}
