import { util } from './node-builtins.ts';
import { show } from './output.ts';

/** What a matcher found. */
export interface Finding {
  readonly holds: boolean;
  /** Completes "expected X (not) ": `"to be 4"`. */
  readonly says: string;
  /** What was expected, for a diff; absent where there is no one such value. */
  readonly expected?: { readonly value: unknown } | undefined;
}

/** Judges a value, or what a promise rejected with. Throws `TypeError` for values that it makes no sense for. */
export type Matcher = (received: unknown, kind: 'value' | 'rejection') => Finding;

/** Applies a matcher to what is expected of. */
export type Judge<Result> = (matcher: Matcher) => Result;

/** A class of errors, whatever its constructor takes. */
type ErrorClass = abstract new (...args: never) => unknown;

/** The assertions. `Result` is `void`, or a promise where what is judged is one. */
export class Matchers<Result> {
  readonly #judge: Judge<Result>;

  /** @internal */
  constructor(judge: Judge<Result>) {
    this.#judge = judge;
  }

  /** The same value, by `Object.is`. */
  toBe(expected: unknown): Result {
    return this.#judge((received) => ({
      holds: Object.is(received, expected),
      says: `to be ${show(expected)}`,
      expected: { value: expected },
    }));
  }

  /** Equal in every part, by `util.isDeepStrictEqual`: classes and properties that are `undefined` count. */
  toEqual(expected: unknown): Result {
    return this.#judge((received) => ({
      holds: util.isDeepStrictEqual(received, expected),
      says: `to equal ${show(expected)}`,
      expected: { value: expected },
    }));
  }

  /** A text that contains the text, or a list or set that contains the value (equal in every part). */
  toContain(expected: unknown): Result {
    return this.#judge((received) => ({
      holds: contains(received, expected),
      says: `to contain ${show(expected)}`,
    }));
  }

  /** A text that matches the pattern. */
  toMatch(pattern: RegExp): Result {
    return this.#judge((received) => {
      if (typeof received !== 'string') throw new TypeError(`toMatch judges a text, got ${show(received)}.`);
      if (!(pattern instanceof RegExp)) throw new TypeError('toMatch needs a regular expression.');
      // Not `test`: that remembers where it was for patterns with the flag g.
      return { holds: received.search(pattern) !== -1, says: `to match ${pattern}` };
    });
  }

  /** Something with this `length`. */
  toHaveLength(expected: number): Result {
    return this.#judge((received) => {
      if (!Number.isInteger(expected) || expected < 0)
        throw new TypeError(`toHaveLength needs a whole number >= 0, got ${show(expected)}.`);
      const length = (received as { length?: unknown } | null | undefined)?.length;
      if (typeof length !== 'number') throw new TypeError(`toHaveLength: ${show(received)} has no length.`);
      return { holds: length === expected, says: `to have length ${expected}, it has ${length}` };
    });
  }

  /** `received > expected`. */
  toBeGreaterThan(expected: number | bigint): Result {
    return this.#order('>', expected, (received) => received > expected);
  }

  /** `received >= expected`. */
  toBeGreaterThanOrEqual(expected: number | bigint): Result {
    return this.#order('>=', expected, (received) => received >= expected);
  }

  /** `received < expected`. */
  toBeLessThan(expected: number | bigint): Result {
    return this.#order('<', expected, (received) => received < expected);
  }

  /** `received <= expected`. */
  toBeLessThanOrEqual(expected: number | bigint): Result {
    return this.#order('<=', expected, (received) => received <= expected);
  }

  /** A number that is the same to so many digits after the point: less than half of the last one away. */
  toBeCloseTo(expected: number, digits = 2): Result {
    const tolerance = 10 ** -digits / 2;
    return this.#order(`within ${tolerance} of`, expected, (received) => {
      if (!Number.isInteger(digits))
        throw new TypeError(`toBeCloseTo needs whole digits, got ${show(digits)}.`);
      // Infinity is as close to itself as can be, and their difference is NaN.
      return received === expected || Math.abs(Number(received) - expected) < tolerance;
    });
  }

  /** Counts as true. */
  toBeTruthy(): Result {
    return this.#judge((received) => ({ holds: Boolean(received), says: 'to be truthy' }));
  }

  /** Counts as false. */
  toBeFalsy(): Result {
    return this.#judge((received) => ({ holds: !received, says: 'to be falsy' }));
  }

  /** `null`. */
  toBeNull(): Result {
    return this.toBe(null);
  }

  /** `undefined`. */
  toBeUndefined(): Result {
    return this.toBe(undefined);
  }

  /** Anything but `undefined`. */
  toBeDefined(): Result {
    return this.#judge((received) => ({ holds: received !== undefined, says: 'to be defined' }));
  }

  /** An instance of the class. */
  toBeInstanceOf(expected: ErrorClass): Result {
    return this.#judge((received) => ({
      holds: received instanceof expected,
      says: `to be an instance of ${expected.name}`,
    }));
  }

  /**
   * A function that throws, or a promise that rejects (`await expect(promise).rejects.toThrow()`): anything, an
   * instance of a class, or with a message that contains the text or matches the pattern.
   */
  toThrow(expected?: string | RegExp | ErrorClass): Result {
    return this.#judge((received, kind) => {
      const wanted = describeThrown(expected);
      const thrown = kind === 'rejection' ? { error: received } : call(received);
      const but = thrown === undefined ? ', it returned' : `, it threw ${show(thrown.error)}`;
      return {
        holds: thrown !== undefined && isExpectedError(thrown.error, expected),
        says: `to throw${wanted}${expected === undefined ? '' : but}`,
      };
    });
  }

  #order(relation: string, expected: number | bigint, holds: (received: number | bigint) => boolean): Result {
    return this.#judge((received) => ({
      holds: holds(ordered(received, 'judges a number')),
      says: `to be ${relation} ${String(ordered(expected, 'needs a number'))}`,
    }));
  }
}

/** NaN is neither less nor not less than anything: no assertion on it may pass. */
function ordered(value: unknown, needs: string): number | bigint {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isNaN(value))) return value;
  throw new TypeError(`This assertion ${needs}, got ${show(value)}.`);
}

function contains(received: unknown, expected: unknown): boolean {
  if (typeof received === 'string') {
    if (typeof expected === 'string') return received.includes(expected);
    throw new TypeError(`toContain: a text cannot contain ${show(expected)}.`);
  }
  if (Array.isArray(received) || received instanceof Set) {
    return [...received].some((item) => util.isDeepStrictEqual(item, expected));
  }
  throw new TypeError(`toContain judges a text, a list or a set, got ${show(received)}.`);
}

function call(received: unknown): { readonly error: unknown } | undefined {
  if (typeof received !== 'function') {
    throw new TypeError(
      'toThrow judges a function: expect(() => …).toThrow(). For promises: rejects.toThrow().',
    );
  }
  let returned: unknown;
  try {
    returned = received();
  } catch (error) {
    return { error };
  }
  if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== 'function') return undefined;
  Promise.resolve(returned).catch(() => {}); // its rejection is not the one to report
  throw new TypeError(
    'toThrow: the function returned a promise. Write: await expect(promise).rejects.toThrow().',
  );
}

function isExpectedError(error: unknown, expected: string | RegExp | ErrorClass | undefined): boolean {
  if (expected === undefined) return true;
  if (typeof expected === 'function') return error instanceof expected;
  const message = String((error as Partial<Error> | null | undefined)?.message ?? error);
  return typeof expected === 'string' ? message.includes(expected) : message.search(expected) !== -1;
}

function describeThrown(expected: string | RegExp | ErrorClass | undefined): string {
  if (expected === undefined) return '';
  if (typeof expected === 'function') return ` ${expected.name}`;
  if (typeof expected === 'string') return ` an error with ${show(expected)}`;
  if (expected instanceof RegExp) return ` an error that matches ${expected}`;
  throw new TypeError(
    `toThrow needs a text, a regular expression or a class of errors, got ${show(expected)}.`,
  );
}
