import { afterAll, describe, test } from 'vitest';
import { isEvalSuite } from '../suite.ts';
import { type AdapterOptions, type Registrable, registerCases } from './register.ts';

export { type AdapterOptions, EvalFailure, type Registrable } from './register.ts';

/**
 * Registers eval cases and suites as tests of Vitest: in a test file, on its top level or in a `describe`.
 *
 * ```ts
 * import { evalCase } from '@synapsekit/eval';
 * import { evalTests } from '@synapsekit/eval/vitest';
 *
 * const adds = evalCase('adds', ({ expect }) => expect(1 + 1).toBe(2));
 * evalTests([adds]);
 * ```
 *
 * @throws TypeError for what is no case and no suite.
 */
export function evalTests(what: Registrable, options: AdapterOptions = {}): void {
  const register = (): void => {
    registerCases(what, options, {
      test(name, { skip, todo, only, timeoutMs }, run) {
        if (todo) test.todo(name);
        else test(name, { skip, only, timeout: timeoutMs }, ({ signal }) => run(signal));
      },
      after: (timeoutMs, run) => afterAll(run, timeoutMs),
    });
  };
  const name = isEvalSuite(what) ? what.name : undefined;
  if (name === undefined) register();
  else describe(name, register);
}
