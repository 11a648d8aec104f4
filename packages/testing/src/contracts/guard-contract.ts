import { describe, test } from 'vitest';
import { seededRandom } from '../seeded-random.ts';
import { guardAdmissionChecks } from './guard-admission.ts';
import type { GuardCheck, GuardMaker, GuardUnderTest } from './guard-check.ts';
import { guardLifeChecks } from './guard-life.ts';
import { guardPolicyChecks } from './guard-policies.ts';
import { guardWorkloadChecks } from './guard-workload.ts';
import type { CreateLedgerBackend } from './ledger-check.ts';
import { unreliableLedger } from './unreliable-ledger.ts';

/** Everything that a guard has to keep on any ledger, by subject. Each check runs by itself, under any test runner. */
export const guardContract: Readonly<Record<string, readonly GuardCheck[]>> = {
  admission: guardAdmissionChecks,
  life: guardLifeChecks,
  policies: guardPolicyChecks,
  workload: guardWorkloadChecks,
};

/**
 * Tests a budget guard on a ledger, twice: as it is, and at the other end of a bad network where operations are late,
 * overtake each other and lose their replies. A store passes with the same guard, a guard with the same store.
 *
 * ```ts
 * describeBudgetGuard(
 *   'BudgetGuard on MyLedger',
 *   { createGuard: (limits, setup) => new BudgetGuard(limits, setup), enforceBudget },
 *   () => {
 *     const clock = new ManualClock();
 *     const ledger = new MyLedger({ clock });
 *     return { open: () => ledger, advance: (ms) => clock.advance(ms) };
 *   },
 * );
 * ```
 */
export function describeBudgetGuard<G extends GuardUnderTest>(
  name: string,
  maker: GuardMaker<G>,
  create: CreateLedgerBackend,
): void {
  // The checks hand the guard only what this maker made.
  const any = maker as unknown as GuardMaker;
  describe(`${name} is a hard budget`, () => {
    describeChecks(any, create);
    describe('behind a bad network', () => describeChecks(any, behindLossyNetwork(create)));
  });
}

/** The same place over a network that loses requests and replies, and nobody repeats them but the guard. */
function behindLossyNetwork(create: CreateLedgerBackend): CreateLedgerBackend {
  const random = seededRandom(7);
  return async () => {
    const backend = await create();
    return {
      open: async () => unreliableLedger(await backend.open(), { random }),
      advance: (ms) => backend.advance(ms),
      isRemote: backend.isRemote ?? false,
      dispose: () => backend.dispose?.(),
    };
  };
}

function describeChecks(maker: GuardMaker, create: CreateLedgerBackend): void {
  for (const [subject, checks] of Object.entries(guardContract)) {
    describe(subject, () => {
      for (const check of checks) test(check.name, () => check.run(maker, create));
    });
  }
}
