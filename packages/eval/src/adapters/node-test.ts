import { after, describe, test } from 'node:test';
import { isEvalSuite } from '../suite.ts';
import { type AdapterOptions, type Registrable, registerCases } from './register.ts';

export { type AdapterOptions, EvalFailure, type Registrable } from './register.ts';

/**
 * Registers eval cases and suites as tests of `node:test`: in a test file, on its top level or in a `describe`.
 *
 * ```ts
 * import { evalCase } from '@synapsekit/eval';
 * import { evalTests } from '@synapsekit/eval/node-test';
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
        void test(name, { skip, todo, only, timeout: timeoutMs }, ({ signal }) =>
          todo ? undefined : run(signal),
        );
      },
      after: (timeout, run) => after(run, { timeout }),
    });
  };
  const name = isEvalSuite(what) ? what.name : undefined;
  if (name === undefined) register();
  else void describe(name, register);
}
