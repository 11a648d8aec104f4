import {
  type CaseMode,
  type EvalCase,
  type EvalCaseFunction,
  type EvalCaseOptions,
  makeCase,
} from './case.ts';
import { caseEach, type EachBuilder } from './case-each.ts';
import { captureStack } from './source-position.ts';

/** Makes cases. */
export interface EvalCaseFactory {
  <const Name extends string, Value>(name: Name, fn: EvalCaseFunction<Value>): EvalCase<Name, Value>;
  <const Name extends string, Value>(
    name: Name,
    options: EvalCaseOptions<NoInfer<Value>>,
    fn: EvalCaseFunction<Value>,
  ): EvalCase<Name, Value>;
}

/** `evalCase` and what hangs on it. */
export interface EvalCaseMaker extends EvalCaseFactory {
  /** A case that is left out of the run, and reported so. */
  readonly skip: EvalCaseFactory;
  /** Runs this case, and others that are marked so, alone. Refused in CI. */
  readonly only: EvalCaseFactory;
  /** A case that is still to be written. */
  todo<const Name extends string>(
    name: Name,
    options?: Pick<EvalCaseOptions, 'description' | 'tags'>,
  ): EvalCase<Name, undefined>;
  /** Cases of one kind, one for each row of a dataset: a list, or anything iterable, also asynchronously. */
  readonly each: EachBuilder;
}

/**
 * Makes a case of a function.
 *
 * ```ts
 * import { evalCase } from '@synapsekit/eval';
 *
 * export const greets = evalCase('greets', { description: 'Says hello' }, async ({ expect }) => {
 *   expect('Hello, Ada').toContain('Hello');
 * });
 *
 * export const sums = evalCase.each([[1, 2, 3], [2, 2, 4]])(
 *   ([a, b]) => `${a} + ${b}`,
 *   ([a, b, sum], { expect }) => expect(Number(a) + Number(b)).toBe(sum),
 * );
 * ```
 *
 * @throws ConfigError for an empty name, an unknown option, or a value out of range.
 */
export const evalCase: EvalCaseMaker = Object.assign(factory('run'), {
  skip: factory('skip'),
  only: factory('only'),
  todo<const Name extends string>(
    name: Name,
    options: Pick<EvalCaseOptions, 'description' | 'tags'> = {},
  ): EvalCase<Name, undefined> {
    return makeCase({ mode: 'todo', name, options, fn: () => undefined, stack: captureStack(evalCase.todo) });
  },
  each: caseEach,
});

function factory(mode: CaseMode): EvalCaseFactory {
  return function define<const Name extends string, Value>(
    name: Name,
    ...rest: [EvalCaseFunction<Value>] | [EvalCaseOptions<Value>, EvalCaseFunction<Value>]
  ): EvalCase<Name, Value> {
    const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
    return makeCase({ mode, name, options, fn, stack: captureStack(define) });
  };
}
