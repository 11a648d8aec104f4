import { type Attributes, ConfigError, type LedgerKey, type LedgerWindow } from '@synapsekit/core';
import { type Limit, type LimitSet, type Limits, noLimits, type WindowLimitName } from './budget-limit.ts';
import { Calendar } from './calendar.ts';
import { askedMarks } from './threshold.ts';

/** A limit in the window that a hold was admitted in. */
export interface LimitLine extends LedgerKey {
  readonly limit: Limit;
  /** The value of the limit's attribute. */
  readonly value: string | undefined;
  /** Name of the window for people: `"2026-11-23"`. */
  readonly windowName: string | undefined;
  /** What thresholds are, in units of the ledger: one for each. */
  readonly marks: readonly bigint[];
  /** The same as a ledger takes them. */
  readonly askedMarks: readonly bigint[];
}

/** What the thresholds of one limit come to. */
type Marks = Pick<LimitLine, 'marks' | 'askedMarks'>;

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
  /** What its keys begin with. */
  readonly #guard: string;
  readonly #name: string;
  readonly #limits: Limits;
  readonly #calendar: Calendar;
  readonly #marksOf: (limit: Limit) => readonly bigint[];
  readonly #marks = new Map<Limit, Marks>();
  readonly #rolling = new Map<number, LedgerWindow>();
  #known: { readonly fromMs: number; readonly untilMs: number; readonly selection: Selection } | undefined;

  /** @throws ConfigError for a zone that the runtime does not know. */
  constructor(guard: string, limits: Limits, timeZone: string, marksOf: (limit: Limit) => readonly bigint[]) {
    // Else the limits of one guard could have the keys of another one's.
    this.#guard = guard.replaceAll(/[%/]/g, encodeURIComponent);
    this.#name = guard;
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
    let { lines } = general;
    for (const { attribute, of } of limits.by) {
      const given = attributeValue(attributes, attribute);
      const tooLong = given !== undefined && given.length > longestValue;
      if (tooLong && onMissing === 'refuse') throw longerThanAnId(this.#name, attribute, given);
      const value = tooLong ? undefined : given;
      if (value !== undefined) {
        const set = limitsOf(of, value, attribute, onMissing);
        perRequest.push(...requestLimits(set, value));
        // Half a character would be no text to a ledger: all of them count as one.
        const name = encodeURIComponent(value.toWellFormed());
        lines = merged(lines, this.#lines(set, nowMs, `${attribute}=${name}`, value));
      } else if (onMissing === 'refuse') {
        throw missing(this.#name, attribute);
      } else if (onMissing !== 'skip') {
        onMissing.unattributed(attribute);
        // No value can have this key: an equals sign would stand in it.
        const set = limitsOf(of, unattributed, attribute, onMissing);
        lines = merged(lines, this.#lines(set, nowMs, `${attribute}:${unattributed}`, unattributed));
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
      const { marks, askedMarks } = this.#marksFor(limit);
      return { key, window: ledger, limit, value, windowName: name, marks, askedMarks };
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

  #marksFor(limit: Limit): Marks {
    let known = this.#marks.get(limit);
    if (known === undefined) {
      const marks = this.#marksOf(limit);
      known = { marks, askedMarks: askedMarks(marks) };
      // Limits of a function come and go; there must not be more of them here than anybody needs.
      if (this.#marks.size >= 1_000) this.#marks.clear();
      this.#marks.set(limit, known);
    }
    return known;
  }
}

/**
 * Two lists, each with the longest window first, in one that is like them. Of several limits that refuse, the first one
 * is named: it has to be the one with the longest wait.
 */
function merged(lines: readonly LimitLine[], others: readonly LimitLine[]): readonly LimitLine[] {
  if (lines.length === 0) return others;
  const all: LimitLine[] = [];
  let at = 0;
  for (const other of others) {
    for (; at < lines.length; at++) {
      const line = lines[at] as LimitLine;
      if (line.limit.hours < other.limit.hours) break;
      all.push(line);
    }
    all.push(other);
  }
  for (; at < lines.length; at++) all.push(lines[at] as LimitLine);
  return all;
}

/** What to do about an attribute that a call or a record does not have. */
export type OnMissing = 'refuse' | 'skip' | OnRecord;

/** What to do about a record, whose money is spent already: whatever is wrong with one limit, it counts on the others. */
interface OnRecord {
  readonly unattributed: (attribute: string) => void;
  /** A function of `by` threw, or gave what are no limits. */
  readonly failed: (attribute: string, error: unknown) => void;
}

/** Values are ids, and every ledger keeps them in its keys. */
const longestValue = 512;

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

/** @throws whatever the function for this attribute throws, unless it is for a record. */
function limitsOf(
  of: (value: string) => LimitSet,
  value: string,
  attribute: string,
  onMissing: OnMissing,
): LimitSet {
  if (typeof onMissing === 'string') return of(value);
  try {
    return of(value);
  } catch (error) {
    onMissing.failed(attribute, error);
    return noLimits;
  }
}

/** Text, a finite number or a boolean; `null`, objects and the like say nothing about who somebody is. */
function attributeValue(attributes: Attributes, attribute: string): string | undefined {
  const value: unknown = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined;
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'boolean' || Number.isFinite(value) ? String(value) : undefined;
}

function longerThanAnId(guard: string, attribute: string, { length }: string): ConfigError {
  return new ConfigError(
    `Budget "${guard}" has limits by ${attribute}, and the call names one of ${length} characters: at most ${longestValue}. Give an id, or a hash of it. Nothing was sent.`,
    { option: `attributes.${attribute}` },
  );
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
