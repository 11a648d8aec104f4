import { describe, test } from 'vitest';
import { seededRandom } from '../seeded-random.ts';
import { admissionChecks } from './ledger-admission.ts';
import { bookingChecks, leaseChecks } from './ledger-booking.ts';
import type { CreateLedgerBackend, LedgerCheck } from './ledger-check.ts';
import { figureChecks } from './ledger-figures.ts';
import { inspectionChecks } from './ledger-inspection.ts';
import { markChecks } from './ledger-marks.ts';
import { propertyChecks } from './ledger-properties.ts';
import { rollingChecks } from './ledger-rolling.ts';
import { persistentLedger, unreliableLedger } from './unreliable-ledger.ts';

/** Everything that a ledger has to keep, by subject. Each check runs by itself, under any test runner. */
export const ledgerContract: Readonly<Record<string, readonly LedgerCheck[]>> = {
  admission: admissionChecks,
  booking: bookingChecks,
  leases: leaseChecks,
  'rolling windows': rollingChecks,
  marks: markChecks,
  figures: figureChecks,
  inspection: inspectionChecks,
  properties: propertyChecks,
};

/**
 * Tests a store against the contract of `LedgerStore`, twice: as it is, and at the other end of a bad network where
 * operations are late, overtake each other and lose their replies, and are repeated until they are answered.
 *
 * ```ts
 * describeLedgerStore('MyLedger', () => {
 *   const clock = new ManualClock();
 *   const ledger = new MyLedger({ clock });
 *   return { open: () => ledger, advance: (ms) => clock.advance(ms) };
 * });
 * ```
 *
 * There is nothing to switch off.
 *
 * @param create is called for each check, often more than once.
 */
export function describeLedgerStore(name: string, create: CreateLedgerBackend): void {
  describe(`${name} keeps the contract of a LedgerStore`, () => {
    describeChecks(create);
    describe('behind a bad network', () => describeChecks(behindBadNetwork(create)));
  });
}

/** The same place, reached over a network that is late and forgetful, by clients that insist. */
export function behindBadNetwork(create: CreateLedgerBackend, seed = 1): CreateLedgerBackend {
  const random = seededRandom(seed);
  return async () => {
    const backend = await create();
    return {
      open: async () => persistentLedger(unreliableLedger(await backend.open(), { random })),
      advance: (ms) => backend.advance(ms),
      ...(backend.nowMs !== undefined && { nowMs: () => backend.nowMs?.() ?? 0 }),
      ...(backend.stepWall !== undefined && { stepWall: (ms: number) => backend.stepWall?.(ms) }),
      dispose: () => backend.dispose?.(),
    };
  };
}

function describeChecks(create: CreateLedgerBackend): void {
  for (const [subject, checks] of Object.entries(ledgerContract)) {
    describe(subject, () => {
      for (const check of checks) test(check.name, () => check.run(create));
    });
  }
}
