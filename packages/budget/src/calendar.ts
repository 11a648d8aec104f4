import { type CalendarWindow, ConfigError } from '@synapsekit/core';
import type { WindowLimitName } from './budget-limit.ts';
import { type LocalTime, zonedClock } from './local-time.ts';

/** One window of a limit, at some time. */
export interface BudgetWindow {
  /** For people: `"2026-11-23"`; absent for `total`. */
  readonly name: string | undefined;
  /** For the ledger: with the zone, since the same day is another window elsewhere. */
  readonly ledger: CalendarWindow;
}

interface Cached {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly window: BudgetWindow;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Zones change their offset at multiples of this, so that no window is missed by looking this often. */
const stepMs = 15 * minuteMs;
/** No zone has ever moved by more than a day. */
const largestShiftMs = 26 * hourMs;

const total: BudgetWindow = { name: undefined, ledger: { id: 'total' } };

/** The windows of the calendar in one time zone. Days have 23 or 25 hours where the zone says so. */
export class Calendar {
  readonly #zone: string;
  readonly #local: (ms: number) => LocalTime;
  readonly #cache: Partial<Record<WindowLimitName, Cached>> = {};

  /** @throws ConfigError for a zone that the runtime does not know. */
  constructor(timeZone: string) {
    try {
      this.#zone =
        new Intl.DateTimeFormat('en-US', { timeZone }).resolvedOptions().timeZone === 'UTC'
          ? 'UTC'
          : timeZone;
    } catch {
      throw new ConfigError(
        `timeZone must be an IANA name such as "Europe/Berlin" or "UTC", got ${JSON.stringify(timeZone)}.`,
        { option: 'timeZone' },
      );
    }
    this.#local = zonedClock(this.#zone);
  }

  /** The window of a limit at a time: the same object for as long as it lasts. */
  window(limit: WindowLimitName, nowMs: number): BudgetWindow {
    if (limit === 'total') return total;
    const cached = this.#cache[limit];
    if (cached !== undefined && nowMs >= cached.fromMs && nowMs < cached.untilMs) return cached.window;
    const name = this.#name(limit, nowMs);
    const untilMs = this.#end(limit, name, nowMs);
    const window: BudgetWindow = { name, ledger: { id: `${name}@${this.#zone}`, endsAtMs: untilMs } };
    this.#cache[limit] = { fromMs: nowMs, untilMs, window };
    return window;
  }

  #name(limit: WindowLimitName, ms: number): string {
    const local = this.#local(ms);
    const month = `${local.year}-${pad(local.month)}`;
    if (limit === 'monthly') return month;
    if (limit === 'weekly') return isoWeek(local);
    const day = `${month}-${pad(local.day)}`;
    if (limit === 'daily') return day;
    // With the offset, since an hour comes twice when the clocks go back.
    return `${day}T${pad(local.hour)}${this.#zone === 'UTC' ? '' : offsetName(local.offsetMs)}`;
  }

  /** The first millisecond that belongs to another window. */
  #end(limit: WindowLimitName, name: string, nowMs: number): number {
    const local = this.#local(nowMs);
    const boundaryMs = nextBoundary(limit, local) - local.offsetMs;
    if (this.#zone === 'UTC') return boundaryMs;
    let sameMs = limit === 'hourly' ? nowMs : Math.max(nowMs, boundaryMs - largestShiftMs);
    let otherMs = Math.floor(sameMs / stepMs) * stepMs + stepMs;
    while (this.#name(limit, otherMs) === name) {
      sameMs = otherMs;
      otherMs += stepMs;
    }
    while (otherMs - sameMs > 1) {
      const middleMs = Math.floor((sameMs + otherMs) / 2);
      if (this.#name(limit, middleMs) === name) sameMs = middleMs;
      else otherMs = middleMs;
    }
    return otherMs;
  }
}

/** Where the window ends if the zone's offset stays as it is: local time, as if it were UTC. */
function nextBoundary(limit: WindowLimitName, { year, month, day, hour }: LocalTime): number {
  if (limit === 'monthly') return Date.UTC(year, month, 1);
  const startOfDayMs = Date.UTC(year, month - 1, day);
  if (limit === 'hourly') return startOfDayMs + (hour + 1) * hourMs;
  if (limit === 'daily') return startOfDayMs + dayMs;
  return startOfDayMs + (7 - daysSinceMonday(startOfDayMs)) * dayMs;
}

/** `2026-W48`: the week belongs to the year that its Thursday is in (ISO 8601). */
function isoWeek({ year, month, day }: LocalTime): string {
  const dateMs = Date.UTC(year, month - 1, day);
  const thursday = new Date(dateMs + (3 - daysSinceMonday(dateMs)) * dayMs);
  const weekYear = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(weekYear, 0, 1)) / dayMs / 7) + 1;
  return `${weekYear}-W${pad(week)}`;
}

function daysSinceMonday(dateMs: number): number {
  return (new Date(dateMs).getUTCDay() + 6) % 7;
}

function offsetName(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / minuteMs);
  return `${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
