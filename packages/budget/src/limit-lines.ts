import { type Attributes, ConfigError, type LedgerKey, type LedgerWindow } from '@synapsekit/core';
import type { Limit, LimitSet, Limits, WindowLimitName } from './budget-limit.ts';
import { Calendar } from './calendar.ts';

/** A limit in the window that a hold was admitted in. */
export interface LimitLine extends LedgerKey {
  readonly limit: Limit;
  /** The value of the limit's attribute. */
  readonly value: string | undefined;
  /** Name of the window for people: `"2026-11-23"`. */
  readonly windowName: string | undefined;
  /** What thresholds are, in units of the ledger. */
  readonly marks: readonly bigint[];
}

/** A limit on one hold, with the value of its attribute. */
export interface RequestLimit {
  readonly limit: Limit;
  readonly value: string | undefined;
}

/** The limits that one call has to keep. */
export interface Selection {
  readonly perRequest: readonly RequestLimit[];
  readonly lines: readonly LimitLine[];
  readonly countsMoney: boolean;
  readonly countsTokens: boolean;
}

/** Turns limits into lines of a ledger: for the attributes of a call, in the windows of now. */
export class LimitLines {
  readonly #guard: string;
  readonly #limits: Limits;
  readonly #calendar: Calendar;
  readonly #marksOf: (limit: Limit) => readonly bigint[];
  readonly #marks = new Map<Limit, readonly bigint[]>();
  readonly #rolling = new Map<number, LedgerWindow>();
  #known: { readonly fromMs: number; readonly untilMs: number; readonly selection: Selection } | undefined;

  /** @throws ConfigError for a zone that the runtime does not know. */
  constructor(guard: string, limits: Limits, timeZone: string, marksOf: (limit: Limit) => readonly bigint[]) {
    this.#guard = guard;
    this.#limits = limits;
    this.#calendar = new Calendar(timeZone);
    this.#marksOf = marksOf;
  }

  /** True when it makes a difference for whom a call is. */
  get needsAttributes(): boolean {
    return this.#limits.by.length > 0;
  }

  /**
   * The limits for these attributes.
   *
   * @param onMissing what to do about an attribute that a limit needs and that is not there: `"refuse"` it with a
   *   ConfigError, leave its limits out (`"skip"`), or count what nobody is named for in one place of its own.
   */
  select(nowMs: number, attributes: Attributes, onMissing: OnMissing): Selection {
    const limits = this.#limits;
    const general = this.#general(nowMs);
    if (limits.by.length === 0) return general;
    const perRequest = [...general.perRequest];
    const lines = [...general.lines];
    for (const { attribute, of } of limits.by) {
      const value = attributeValue(attributes, attribute);
      if (value !== undefined) {
        const set = of(value);
        perRequest.push(...requestLimits(set, value));
        lines.push(...this.#lines(set, nowMs, `${attribute}=${encodeURIComponent(value)}`, value));
      } else if (onMissing === 'refuse') {
        throw missing(this.#guard, attribute);
      } else if (onMissing !== 'skip') {
        onMissing.unattributed(attribute);
        // No value can have this key: an equals sign would stand in it.
        lines.push(...this.#lines(of(unattributed), nowMs, `${attribute}:${unattributed}`, unattributed));
      }
    }
    return selection(perRequest, lines);
  }

  /** The limits that hold for everybody: the same object for as long as their windows last. */
  #general(nowMs: number): Selection {
    const known = this.#known;
    if (known !== undefined && nowMs >= known.fromMs && nowMs < known.untilMs) return known.selection;
    const lines = this.#lines(this.#limits, nowMs);
    const untilMs = Math.min(...lines.map(({ window }) => window.endsAtMs ?? Infinity));
    const found = selection(requestLimits(this.#limits, undefined), lines);
    this.#known = { fromMs: nowMs, untilMs, selection: found };
    return found;
  }

  #lines(set: LimitSet, nowMs: number, part?: string, value?: string): LimitLine[] {
    return set.windows.map((limit) => {
      const { name, ledger } = this.#window(limit, nowMs);
      const key =
        part === undefined ? `${this.#guard}/${limit.name}` : `${this.#guard}/${part}/${limit.name}`;
      return { key, window: ledger, limit, value, windowName: name, marks: this.#marksFor(limit) };
    });
  }

  #window(
    { window }: Limit,
    nowMs: number,
  ): { readonly name: string | undefined; readonly ledger: LedgerWindow } {
    if (typeof window === 'object')
      return { name: undefined, ledger: this.#rollingWindow(window.windowSeconds) };
    return this.#calendar.window(window as WindowLimitName, nowMs);
  }

  #rollingWindow(windowSeconds: number): LedgerWindow {
    let window = this.#rolling.get(windowSeconds);
    if (window === undefined) {
      window = Object.freeze({
        id: `rolling-${windowSeconds}s`,
        lengthMs: windowSeconds * 1_000,
        slots: rollingSlots,
      });
      this.#rolling.set(windowSeconds, window);
    }
    return window;
  }

  #marksFor(limit: Limit): readonly bigint[] {
    let marks = this.#marks.get(limit);
    if (marks === undefined) {
      marks = this.#marksOf(limit);
      // Limits of a function come and go; there must not be more of them here than anybody needs.
      if (this.#marks.size >= 1_000) this.#marks.clear();
      this.#marks.set(limit, marks);
    }
    return marks;
  }
}

/** What to do about an attribute that a call or a record does not have. */
export type OnMissing = 'refuse' | 'skip' | { readonly unattributed: (attribute: string) => void };

/** Where spend of nobody in particular counts. */
const unattributed = 'unattributed';

/** Every second divides into as many parts of whole milliseconds. */
const rollingSlots = 50;

function selection(perRequest: readonly RequestLimit[], lines: readonly LimitLine[]): Selection {
  let countsMoney = false;
  let countsTokens = false;
  for (const { limit } of perRequest) {
    if (limit.unit === 'usd') countsMoney = true;
    else countsTokens = true;
  }
  for (const { limit } of lines) {
    if (limit.unit === 'usd') countsMoney = true;
    else countsTokens = true;
  }
  return { perRequest, lines, countsMoney, countsTokens };
}

function requestLimits({ perRequest }: LimitSet, value: string | undefined): RequestLimit[] {
  return perRequest.map((limit) => ({ limit, value }));
}

function attributeValue(attributes: Attributes, attribute: string): string | undefined {
  const value = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined;
  return value === undefined || value === '' ? undefined : String(value);
}

function missing(guard: string, attribute: string): ConfigError {
  const how =
    attribute === 'model' || attribute === 'provider'
      ? `reserve with { model } or attributes: { ${attribute}: … }; around a router or a chain, put enforceBudget on each model instead`
      : `give it with the call (attributes: { ${attribute}: … }), or with the scope around it (tracker.scope(name, { attributes: { ${attribute}: … } }, fn))`;
  return new ConfigError(
    `Budget "${guard}" has limits by ${attribute}, and the call does not say which: ${how}. Nothing was sent.`,
    { option: `attributes.${attribute}` },
  );
}
