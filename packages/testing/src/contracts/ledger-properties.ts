import assert from 'node:assert/strict';
import type { LedgerKey, LedgerStatus, LedgerStore, PostRequest, ReserveRequest } from '@synapsekit/core';
import fc from 'fast-check';
import { ManualClock } from '../manual-clock.ts';
import { type CreateLedgerBackend, keyOf, type LedgerCheck, withLedgers } from './ledger-check.ts';
import { ModelLedger } from './ledger-model.ts';

const keys: readonly LedgerKey[] = [keyOf('daily'), keyOf('monthly'), keyOf('daily', '2026-11-24@UTC')];
const holdIds = ['h1', 'h2', 'h3', 'h4'];
const attemptIds = ['x1', 'x2', 'x3', 'x4', 'x5'];
const limit = 100n;

type Step =
  | { readonly do: 'reserve'; readonly request: ReserveRequest }
  | { readonly do: 'post'; readonly request: PostRequest }
  | { readonly do: 'close'; readonly holdId: string }
  | { readonly do: 'renew'; readonly holdId: string; readonly leaseMs: number }
  | { readonly do: 'advance'; readonly ms: number };

const amounts = fc.bigInt({ min: 0n, max: 60n });
const lineSets = fc
  .subarray([0, 1, 2], { minLength: 1 })
  // A key stands in one line only: never the same key in both of its windows.
  .map((picked) => (picked.includes(0) ? picked.filter((index) => index !== 2) : picked))
  .chain((picked) =>
    fc
      .array(amounts, { minLength: picked.length, maxLength: picked.length })
      .map((values) =>
        picked.map((index, i) => ({ ...(keys[index] as LedgerKey), amount: values[i] ?? 0n })),
      ),
  );

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record(
      {
        holdId: fc.constantFrom(...holdIds),
        lines: lineSets.map((lines) => lines.map((line) => ({ ...line, limit }))),
        leaseMs: fc.constantFrom(1_000, 3_000, 1_000_000),
        onExpiry: fc.constantFrom('release' as const, 'book' as const),
      },
      { noNullPrototype: true },
    )
    .map((request) => ({ do: 'reserve' as const, request })),
  fc
    .record(
      {
        attemptId: fc.constantFrom(...attemptIds),
        lines: lineSets,
        kind: fc.constantFrom('actual' as const, 'estimated' as const),
        holdId: fc.constantFrom(...holdIds, undefined),
        close: fc.boolean(),
      },
      { noNullPrototype: true },
    )
    .map((request) => ({ do: 'post' as const, request })),
  fc.constantFrom(...holdIds).map((holdId) => ({ do: 'close' as const, holdId })),
  fc.constantFrom(...holdIds).map((holdId) => ({ do: 'renew' as const, holdId, leaseMs: 2_000 })),
  fc.constantFrom(500, 1_500).map((ms) => ({ do: 'advance' as const, ms })),
);

/** Carries out one step and tells what came of it, in words that can be compared. */
async function carryOut(step: Step, ledger: LedgerStore, advance: (ms: number) => unknown): Promise<string> {
  try {
    if (step.do === 'reserve') {
      const result = await ledger.reserve(step.request);
      return result.admitted ? 'admitted' : `refused at ${result.refused.key}: ${figures([result.refused])}`;
    }
    if (step.do === 'post') await ledger.post(step.request);
    else if (step.do === 'close') await ledger.close(step.holdId);
    else if (step.do === 'renew') return `renewed: ${await ledger.renew(step.holdId, step.leaseMs)}`;
    else await advance(step.ms);
    return 'done';
  } catch (error) {
    return `threw ${(error as { code?: string }).code}`;
  }
}

function figures(statuses: readonly LedgerStatus[]): string {
  return statuses.map(({ committed, held }) => `${committed}+${held}`).join(' ');
}

/** Whatever happens, a store says what the plain model says. */
export const propertyChecks: readonly LedgerCheck[] = [
  {
    name: 'any sequence of operations gives what the plain model gives',
    run: (create) =>
      fc.assert(
        fc.asyncProperty(fc.array(steps, { maxLength: 30 }), async (sequence) => {
          await withLedgers(create, async ({ ledger, other, backend }) => {
            const clock = new ManualClock();
            const model = new ModelLedger(clock);
            for (const [i, step] of sequence.entries()) {
              const said = await carryOut(step, i % 2 === 0 ? ledger : other, (ms) => backend.advance(ms));
              const expected = await carryOut(step, model, (ms) => clock.advance(ms));
              assert.equal(said, expected, `Step ${i + 1}, ${step.do}`);
              assert.equal(
                figures(await other.status(keys)),
                figures(model.status(keys)),
                `After step ${i + 1}, ${step.do}`,
              );
            }
          });
        }),
        { numRuns: 60 },
      ),
  },
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

/** Calls that hold, cost at most what they held, and end, all at once and through two ledgers. */
async function interleave(
  create: CreateLedgerBackend,
  calls: readonly (readonly [bigint, number])[],
): Promise<void> {
  await withLedgers(create, async ({ ledger, other }) => {
    const [daily] = keys as [LedgerKey];
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
