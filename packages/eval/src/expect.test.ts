import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { isAssertionError } from './assertion-error.ts';
import { AssertionLog } from './assertion-log.ts';
import { createExpect, type Expectation } from './expect.ts';

/** What an assertion throws; undefined when it holds. */
const outcome = (assertion: (expectation: (value: unknown) => Expectation) => unknown): unknown => {
  const log = new AssertionLog();
  try {
    assertion(createExpect(log));
    expect(log.held).toBe(1);
    return undefined;
  } catch (error) {
    expect(log.held).toBe(0);
    expect(log.failure).toEqual({ error });
    return error;
  }
};

/** What JavaScript lets through. */
const untyped = (value: unknown): never => value as never;
const thrower = (): never => {
  throw new Error('x');
};

describe('expect', () => {
  const holds: readonly [string, unknown, (its: Expectation) => void][] = [
    ['toBe', Number.NaN, (its) => its.toBe(Number.NaN)],
    ['toEqual', { a: [1, { b: 2 }] }, (its) => its.toEqual({ a: [1, { b: 2 }] })],
    ['toContain in a text', 'merge sort', (its) => its.toContain('sort')],
    ['toContain in a list', [{ a: 1 }], (its) => its.toContain({ a: 1 })],
    ['toContain in a set', new Set([1]), (its) => its.toContain(1)],
    ['toMatch', 'O(n log n)', (its) => its.toMatch(/n log n/g)],
    ['toHaveLength', 'abc', (its) => its.toHaveLength(3)],
    ['toBeGreaterThan', 2, (its) => its.toBeGreaterThan(1)],
    ['toBeGreaterThanOrEqual', 2n, (its) => its.toBeGreaterThanOrEqual(2)],
    ['toBeLessThan', 1, (its) => its.toBeLessThan(2n)],
    ['toBeLessThanOrEqual', 2, (its) => its.toBeLessThanOrEqual(2)],
    ['toBeCloseTo', 0.1 + 0.2, (its) => its.toBeCloseTo(0.3, 10)],
    ['toBeCloseTo of Infinity', Number.POSITIVE_INFINITY, (its) => its.toBeCloseTo(Number.POSITIVE_INFINITY)],
    ['toBeTruthy', 'x', (its) => its.toBeTruthy()],
    ['toBeFalsy', '', (its) => its.toBeFalsy()],
    ['toBeNull', null, (its) => its.toBeNull()],
    ['toBeUndefined', undefined, (its) => its.toBeUndefined()],
    ['toBeDefined', null, (its) => its.toBeDefined()],
    ['toBeInstanceOf', new TypeError('x'), (its) => its.toBeInstanceOf(Error)],
    ['toThrow', () => JSON.parse('{'), (its) => its.toThrow(SyntaxError)],
    ['not', 1, (its) => its.not.toBe(2)],
  ];
  test.each(holds)('%s holds and is counted', (_, value, assertion) => {
    expect(outcome((expectation) => assertion(expectation(value)))).toBeUndefined();
  });

  const fails: readonly [string, unknown, (its: Expectation) => void, string][] = [
    ['toBe', 5, (its) => its.toBe(4), 'expected 5 to be 4'],
    [
      'toEqual minds undefined',
      { a: undefined },
      (its) => its.toEqual({}),
      'expected { a: undefined } to equal {}',
    ],
    ['toContain', 'five', (its) => its.toContain('4'), "expected 'five' to contain '4'"],
    ['toMatch', 'five', (its) => its.toMatch(/\d/), "expected 'five' to match /\\d/"],
    ['toHaveLength', [1], (its) => its.toHaveLength(2), 'expected [ 1 ] to have length 2, it has 1'],
    ['toBeLessThan', 3, (its) => its.toBeLessThan(3), 'expected 3 to be < 3'],
    ['toBeCloseTo', 1, (its) => its.toBeCloseTo(1.1), 'expected 1 to be within 0.005 of 1.1'],
    ['not', 'ab', (its) => its.not.toContain('a'), "expected 'ab' not to contain 'a'"],
    ['toThrow', () => 1, (its) => its.toThrow(), 'expected the function to throw'],
    [
      'a comparison with errors',
      Object.assign(new RangeError('no'), { code: 'X', cause: new Error('why') }),
      (its) => its.toEqual({ error: new Error('other') }),
      "expected RangeError: no { code: 'X', cause: Error: why } to equal { error: Error: other }",
    ],
    [
      'toThrow with another message',
      () => {
        throw new Error('too late');
      },
      (its) => its.toThrow('too soon'),
      "to throw an error with 'too soon', it threw",
    ],
  ];
  test.each(fails)('%s fails with what was expected and what came', (_, value, assertion, message) => {
    const error = outcome((expectation) => assertion(expectation(value)));
    expect(isAssertionError(error)).toBe(true);
    expect((error as Error).message).toContain(message);
  });

  const senseless: readonly [string, unknown, (its: Expectation) => void][] = [
    ['a number that is NaN', Number.NaN, (its) => its.not.toBeLessThan(1)],
    ['a number that is missing', undefined, (its) => its.not.toBeGreaterThan(1)],
    ['a number to compare with that is NaN', 1, (its) => its.not.toBeLessThan(Number.NaN)],
    ['the text of something that is none', 42, (its) => its.not.toContain('4')],
    ['the length of something without one', 42, (its) => its.not.toHaveLength(1)],
    ['a pattern on something that is no text', undefined, (its) => its.not.toMatch(/a/)],
    ['a length that is no number', 'abc', (its) => its.not.toHaveLength(untyped('3'))],
    ['closeness to digits that are none', 1, (its) => its.not.toBeCloseTo(5, Number.NaN)],
    ['a throw of an instance', thrower, (its) => its.not.toThrow(untyped(new Error('x')))],
    ['a throw of something that is no function', 42, (its) => its.not.toThrow()],
    ['a throw of a promise', async () => {}, (its) => its.not.toThrow()],
  ];
  test.each(senseless)('refuses to judge %s, also in the negative', (_, value, assertion) => {
    expect(outcome((expectation) => assertion(expectation(value)))).toBeInstanceOf(TypeError);
  });

  test('judges what a promise resolves to, or rejects with', async () => {
    const log = new AssertionLog();
    const its = createExpect(log);
    await its(Promise.resolve(4)).resolves.toBe(4);
    await its(Promise.resolve(4)).resolves.not.toBe(5);
    await its(Promise.reject(new RangeError('no'))).rejects.toThrow(RangeError);
    await its(Promise.reject(new RangeError('no'))).rejects.toBeInstanceOf(RangeError);
    expect(log.held).toBe(4);
    await expect(its(Promise.resolve(4)).rejects.toThrow()).rejects.toThrow(/it resolved to 4/);
    await expect(its(Promise.reject(new Error('no'))).resolves.toBe(4)).rejects.toThrow(/it rejected with/);
    await expect(its(4).resolves.toBe(4)).rejects.toThrow(/judges a promise/);
    expect(log.held).toBe(4);
  });

  test('is not done before its promises are, also if nobody waits for them', async () => {
    const log = new AssertionLog();
    const its = createExpect(log);
    void its(sleep(5, 'late')).resolves.toBe('late');
    void its(sleep(5, 'late')).resolves.toBe('soon');
    expect(log.held).toBe(0);
    await log.settled();
    expect(log.held).toBe(1);
    expect(log.failure?.error).toMatchObject({ message: "expected 'late' to be 'soon'" });
  });

  test('refuses to judge once the case is over', () => {
    const log = new AssertionLog();
    const its = createExpect(log);
    log.close('greets');
    expect(() => its(1).toBe(1)).toThrow(/after the case "greets" had ended/);
  });

  test('survives values that cannot be shown', () => {
    const hostile = new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new Error('no');
        },
        get: () => {
          throw new Error('no');
        },
      },
    );
    expect(outcome((its) => its(hostile).toBe(1))).toMatchObject({ name: 'AssertionError' });
  });
});
