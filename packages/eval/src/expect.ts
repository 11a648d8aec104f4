import { assertionError } from './assertion-error.ts';
import type { AssertionLog } from './assertion-log.ts';
import { type Finding, type Judge, type Matcher, Matchers } from './matchers.ts';
import { show } from './output.ts';

/** What `expect(value)` offers. */
export interface Expectation extends Matchers<void> {
  /** The opposite of what follows. */
  readonly not: Matchers<void>;
  /** Judges what the promise resolves to. Await the assertion. */
  readonly resolves: AsyncExpectation;
  /** Judges what the promise rejects with. Await the assertion. */
  readonly rejects: AsyncExpectation;
}

/** What `expect(promise).resolves` and `.rejects` offer. */
export interface AsyncExpectation extends Matchers<Promise<void>> {
  /** The opposite of what follows. */
  readonly not: Matchers<Promise<void>>;
}

/**
 * Asserts something about a value, in the words of Jest and Vitest. `toEqual` is strict, as `assert.deepStrictEqual`.
 * An assertion that fails fails the case, also when the case catches its error.
 */
export type Expect = (value: unknown) => Expectation;

/** An `expect` that counts in `log`. */
export function createExpect(log: AssertionLog): Expect {
  return (value) => new ValueExpectation(log, value);
}

class ValueExpectation extends Matchers<void> implements Expectation {
  readonly #log: AssertionLog;
  readonly #value: unknown;

  constructor(log: AssertionLog, value: unknown) {
    super(judgeNow(log, value, false));
    this.#log = log;
    this.#value = value;
  }

  get not(): Matchers<void> {
    return new Matchers(judgeNow(this.#log, this.#value, true));
  }

  get resolves(): AsyncExpectation {
    return new PromiseExpectation(this.#log, this.#value, 'value');
  }

  get rejects(): AsyncExpectation {
    return new PromiseExpectation(this.#log, this.#value, 'rejection');
  }
}

class PromiseExpectation extends Matchers<Promise<void>> implements AsyncExpectation {
  readonly #log: AssertionLog;
  readonly #value: unknown;
  readonly #kind: 'value' | 'rejection';

  constructor(log: AssertionLog, value: unknown, kind: 'value' | 'rejection') {
    super(judgeLater(log, value, kind, false));
    this.#log = log;
    this.#value = value;
    this.#kind = kind;
  }

  get not(): Matchers<Promise<void>> {
    return new Matchers(judgeLater(this.#log, this.#value, this.#kind, true));
  }
}

function judgeNow(log: AssertionLog, value: unknown, negated: boolean): Judge<void> {
  return (matcher) => log.now(() => verify(matcher, value, 'value', negated));
}

function judgeLater(
  log: AssertionLog,
  promise: unknown,
  kind: 'value' | 'rejection',
  negated: boolean,
): Judge<Promise<void>> {
  return (matcher) => log.later(async () => verify(matcher, await settle(promise, kind), kind, negated));
}

async function settle(promise: unknown, kind: 'value' | 'rejection'): Promise<unknown> {
  const word = kind === 'value' ? 'resolves' : 'rejects';
  if (typeof (promise as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
    throw new TypeError(`${word} judges a promise, got ${show(promise)}.`);
  }
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome.status === 'fulfilled') {
    if (kind === 'value') return outcome.value;
    throw assertionError(
      `expected the promise to reject, it resolved to ${show(outcome.value)}`,
      outcome.value,
      undefined,
    );
  }
  if (kind === 'rejection') return outcome.reason;
  throw assertionError(
    `expected the promise to resolve, it rejected with ${show(outcome.reason)}`,
    outcome.reason,
    undefined,
  );
}

function verify(matcher: Matcher, received: unknown, kind: 'value' | 'rejection', negated: boolean): void {
  const { holds, says, expected }: Finding = matcher(received, kind);
  if (holds !== negated) return;
  const subject = typeof received === 'function' ? 'the function' : show(received);
  throw assertionError(
    `expected ${subject} ${negated ? 'not ' : ''}${says}`,
    received,
    negated ? undefined : expected,
  );
}
