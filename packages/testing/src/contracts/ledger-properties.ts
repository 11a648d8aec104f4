import assert from 'node:assert/strict';
import type { LedgerKey } from '@synapsekit/core';
import fc from 'fast-check';
import { ManualClock } from '../manual-clock.ts';
import { alignTime, type CreateLedgerBackend, keyOf, type LedgerCheck, withLedgers } from './ledger-check.ts';
import { ModelLedger } from './ledger-model.ts';
import {
  carryOut,
  figures,
  inventory,
  type Step,
  type Subject,
  stepsOf,
  subjects,
  tickMs,
} from './ledger-steps.ts';

/** At most 20 steps, so that less than an hour passes: ids are remembered for longer. */
const maxSteps = 20;
/** A multiple of every part of the windows. */
const periodMs = 2 * tickMs;

/** Whatever happens, a store says what the plain model says. */
export const propertyChecks: readonly LedgerCheck[] = [
  ...Object.entries(subjects).map(([about, subject]) => ({
    name: `any sequence of operations gives what the plain model gives: ${about}`,
    run: (create: CreateLedgerBackend) =>
      fc.assert(
        fc.asyncProperty(fc.array(stepsOf(subject), { maxLength: maxSteps }), (steps) =>
          compareWithModel(create, subject, steps),
        ),
        { numRuns: 60 },
      ),
  })),
  {
    name: 'no interleaving gets past a limit, and every unit is accounted for',
    run: (create) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.bigInt({ min: 1n, max: 40n }), fc.integer({ min: 0, max: 100 })), {
            minLength: 10,
            maxLength: 60,
          }),
          (calls) => interleave(create, calls),
        ),
        { numRuns: 25 },
      ),
  },
];

/** Takes the same steps on both, through two ledgers in turn. */
async function compareWithModel(
  create: CreateLedgerBackend,
  { keys }: Subject,
  steps: readonly Step[],
): Promise<void> {
  await withLedgers(create, async ({ ledger, other, backend }) => {
    const clock = new ManualClock();
    const model = new ModelLedger(clock);
    await alignTime(backend, periodMs, tickMs / 2);
    await alignTime({ open: () => model, advance: (ms) => clock.advance(ms) }, periodMs, tickMs / 2);
    for (const [i, step] of steps.entries()) {
      const said = await carryOut(step, i % 2 === 0 ? ledger : other, (ms) => backend.advance(ms));
      const expected = await carryOut(step, model, (ms) => clock.advance(ms));
      assert.equal(said, expected, `Step ${i + 1}, ${step.do}`);
      const after = `After step ${i + 1}, ${step.do}`;
      assert.equal(figures(await other.status(keys)), figures(model.status(keys)), after);
    }
    assert.deepEqual(await inventory(ledger), await inventory(model));
  });
}

/** Calls that hold, cost at most what they held, and end, all at once and through two ledgers. */
async function interleave(
  create: CreateLedgerBackend,
  calls: readonly (readonly [bigint, number])[],
): Promise<void> {
  await withLedgers(create, async ({ ledger, other }) => {
    const daily: LedgerKey = keyOf('daily');
    const limit = 100n;
    let spent = 0n;
    const watch = async (): Promise<void> => {
      const [status] = await other.status([daily]);
      assert.ok(
        status && status.committed + status.held <= limit,
        `${figures(status ? [status] : [])} is over ${limit}`,
      );
    };
    const admitted = await Promise.all(
      calls.map(async ([amount, percent], i) => {
        const mine = i % 2 === 0 ? ledger : other;
        const holdId = `hold-${i}`;
        const lines = [{ ...daily, amount, limit }];
        const result = await mine.reserve({ holdId, lines, leaseMs: 1_000_000, onExpiry: 'book' });
        await watch();
        if (!result.admitted) return false;
        const cost = (amount * BigInt(percent)) / 100n;
        spent += cost;
        await mine.post({ attemptId: `x-${i}`, holdId, lines: [{ ...daily, amount: cost }], kind: 'actual' });
        await watch();
        await mine.close(holdId);
        return true;
      }),
    );
    const [status] = await ledger.status([daily]);
    assert.deepEqual([status?.committed, status?.held], [spent, 0n]);
    assert.ok(admitted.some(Boolean) || calls.every(([amount]) => amount > limit));
  });
}
