import { ConfigError, type Generation, type Prompt, raceAbort, rejectUnknownKeys } from '@synapsekit/core';
import type { Verifier } from './verifier.ts';

/** Options of `passes`. */
export interface PassesOptions {
  /** Name in `route.verdicts`. @default the function's name, or "passes" */
  readonly name?: string | undefined;
  /** @default "broken" */
  readonly failure?: 'broken' | 'doubtful' | undefined;
}

/** A test of an answer. Returns false, or throws like an assertion, when it fails; anything else is a pass. */
export type AnswerTest = (
  generation: Generation,
  context: { readonly prompt: Prompt; readonly signal: AbortSignal | undefined },
) => unknown;

/**
 * Your own test: a predicate, or assertions that throw; at once or later. Run the SQL, compile the code, look the id up.
 * A test that takes long ends with the call's signal.
 *
 * @throws ConfigError when `test` is no function.
 */
export function passes(test: AnswerTest, options: PassesOptions = {}): Verifier {
  if (typeof test !== 'function') {
    throw new ConfigError('passes needs a function: (generation) => boolean.', { option: 'test' });
  }
  rejectUnknownKeys(options, ['name', 'failure'], 'passes');
  const { name = test.name === '' ? 'passes' : test.name, failure = 'broken' } = options;
  return {
    name,
    failure,
    async verify({ generation, prompt, signal }) {
      try {
        const result = await raceAbort(Promise.resolve(test(generation, { prompt, signal })), signal);
        return result === false
          ? { pass: false, reason: 'the test says no' }
          : { pass: true, reason: 'the test passes' };
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        return { pass: false, reason: 'the test threw', error };
      }
    },
  };
}
