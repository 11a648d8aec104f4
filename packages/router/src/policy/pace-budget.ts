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
  /** Only these limits: `["daily"]`. @default all that have a window */
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

/** More calls than this are hardly in flight at once; a forgotten one must not stay for ever. */
const maxInFlight = 10_000;

/**
 * Spends a budget over its whole window, and goes down to cheaper models before anything is refused.
 *
 * - Ahead of the pace, money gets dearer: the calls that gain least go to cheaper models first. Where no quality is
 *   predicted, a rising share of calls does.
 * - A model that the budget would refuse is asked last, as long as another one fits.
 * - When the window ends, so does the pressure. A router that starts in the middle of one spreads what is left.
 *
 * It guarantees the spend, not the best use of it: a threshold without a pace spends where the gain is, and breaks the
 * budget when traffic changes.
 *
 * @throws ConfigError for options out of range.
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
  if (typeof pace !== 'function') {
    throw new ConfigError('pace must be a function of the share of the time.', { option: 'pace' });
  }
  const windows = new Map<string, Window>();
  /** Expected dollars of calls that are decided and not over: the budget may not know of them yet. */
  let inFlightUsd = 0;
  const inFlight = new BoundedMap<string, number>(maxInFlight, (costUsd) => {
    inFlightUsd -= costUsd;
  });

  const windowOf = (limit: BudgetRemaining, resetsAtMs: number, nowMs: number): Window => {
    const before = windows.get(limit.limit);
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
    windows.set(limit.limit, window);
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
      const window = windowOf(state, resetsAtMs, nowMs);
      const { startMs, startUsd } = window;
      const time = Math.max(0, Math.min(1, (nowMs - startMs) / (window.resetsAtMs - startMs)));
      const wantedUsd = startUsd * (1 - requireNumber(pace(time), 'what pace returns', { min: 0, max: 1 }));
      const aheadUsd = wantedUsd - (leftUsd - inFlightUsd);
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
      const states = budget.remaining();
      deferUnaffordable(draft, states);
      const { pressure, limit } = pressureOf(states);
      if (pressure > 0) slowDown(draft, pressure, limit, random);
      const expectedUsd = draft.candidates[0]?.costUsd ?? 0;
      inFlightUsd += expectedUsd;
      inFlight.set(draft.id, expectedUsd);
    },

    settle({ decision }) {
      inFlightUsd -= inFlight.take(decision.id) ?? 0;
      if (inFlight.size === 0) inFlightUsd = 0; // sums of fractions leave crumbs
    },
  };
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
